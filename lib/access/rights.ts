/** Who may do what on what: rights, and the one question {@link may}. Pure. */
import { type Grant, type Role, ROLES } from "../contract/mod.ts";
import { permissionsOf } from "./permissions.ts";

/** A VM, as far as rights depend on it. */
export interface VmObject {
  readonly vmId: string;
  readonly group?: string | undefined;
}
/** What a permission is asked for: one VM, or all there is. */
export type AccessObject = VmObject | "everything";

/** One thing that is allowed: permissions, and where. */
export interface Allowance {
  readonly permissions: ReadonlySet<string>;
  readonly on: Grant["on"];
}

/**
 * Rights are layers, and every layer must allow: a token has its owner's layer, and one of what was picked for it.
 * An administrator's layer is `"all"`.
 */
export type Rights = readonly (readonly Allowance[] | "all")[];

/** Of who is not signed in. */
export const NO_RIGHTS: Rights = [[]];
/** Of administrators. */
export const ALL_RIGHTS: Rights = ["all"];

/** Permissions of roles that people made, by name. */
export type OwnRoles = ReadonlyMap<string, ReadonlySet<string>>;

const isRole = (name: string): name is Role => (ROLES as readonly string[]).includes(name);

/**
 * The layer that grants make. A role that is gone grants nothing. Administrators are such on everything: on a part of
 * it the role would still be root of the host, so such a grant counts as operator.
 */
export function layerOf(grants: readonly Grant[], roles: OwnRoles): Rights[number] {
  if (grants.some(({ role, on }) => role === "administrator" && on.kind === "everything")) return "all";
  return grants.flatMap(({ role, on }) => {
    const known = role === "administrator" ? "operator" : role;
    const permissions = isRole(known) ? permissionsOf(known) : roles.get(known);
    return permissions === undefined ? [] : [{ permissions, on }];
  });
}

function covers(on: Grant["on"], object: AccessObject): boolean {
  if (on.kind === "everything") return true;
  if (object === "everything") return false;
  return on.kind === "vm" ? on.vmId === object.vmId : object.group !== undefined && on.group === object.group;
}

/** THE question: whether rights include a permission on an object. */
export function may(rights: Rights, permission: string, object: AccessObject): boolean {
  return rights.length > 0 && rights.every((layer) =>
    layer === "all" ||
    layer.some(({ permissions, on }) => permissions.has(permission) && covers(on, object))
  );
}

/** Whether rights include a permission on anything at all: what is not even that is refused before anything is read. */
export function mayAnywhere(rights: Rights, permission: string): boolean {
  return rights.length > 0 &&
    rights.every((layer) => layer === "all" || layer.some(({ permissions }) => permissions.has(permission)));
}

/** Whether they include anything at all. */
export function mayAnything(rights: Rights): boolean {
  return rights.every((layer) => layer === "all" || layer.some(({ permissions }) => permissions.size > 0));
}

/** Whether these are an administrator's. */
export function isAdministrator(rights: Rights): boolean {
  return rights.length > 0 && rights.every((layer) => layer === "all");
}

/** Whether there is nothing to hide from them but what administrators alone see. */
export function seesEverything(rights: Rights): boolean {
  return ["vms.view", "storage.view", "networks.view"].every((name) => may(rights, name, "everything"));
}

/** The highest of the three roles that rights are worth on an object. */
export function roleOn(rights: Rights, object: AccessObject): Role {
  if (isAdministrator(rights)) return "administrator";
  return may(rights, "vms.operate", object) ? "operator" : "viewer";
}
