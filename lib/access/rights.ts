/** Rights of a user on objects, and the one question {@link may}. Pure. */
import { type Grant, type Role, ROLES, type SignedIn } from "../contract/mod.ts";
import { LOCAL_HOST } from "../contract/local_host.ts";
import { permissionsOf } from "./permissions.ts";

/** Location of a VM: its host, group and project, as far as rights depend on it. */
export interface VmPlace {
  readonly group?: string | undefined;
  /** Id of the project that it is in. */
  readonly project?: string | undefined;
  /** Id of the host that it belongs to. */
  readonly hostId: string;
}
/** A VM, as far as rights depend on it. */
export interface VmObject {
  readonly vmId: string;
  readonly group?: string | undefined;
  /** Id of the project that it is in. */
  readonly project?: string | undefined;
  /** Id of its host; undefined where none is known to have it. */
  readonly hostId: string | undefined;
}
/** A host with all that is on it. */
export interface HostObject {
  readonly hostId: string;
}
/** A project, with its VMs. */
export interface ProjectObject {
  readonly projectId: string;
}
/** Object that a permission is asked for: one VM, one host, one project, or all there is. */
export type AccessObject = VmObject | HostObject | ProjectObject | "everything";

/** A VM as rights see it. @param place where it is; undefined for one that is nowhere */
export const vmObject = (vmId: string, place: VmPlace | undefined): VmObject => ({
  vmId,
  group: place?.group,
  project: place?.project,
  hostId: place?.hostId,
});

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

/** Rights as `get_session` tells them. */
export const toldRights = (rights: Rights): SignedIn["allowances"] =>
  rights.map((layer) =>
    layer === "all" ? null : layer.map(({ permissions, on }) => ({ permissions: [...permissions], on }))
  );

/** The rights that `get_session` told. */
export const rightsTold = (allowances: SignedIn["allowances"]): Rights =>
  allowances.map((layer) =>
    layer?.map(({ permissions, on }) => ({ permissions: new Set(permissions), on })) ?? "all"
  );

const isRole = (name: string): name is Role => (ROLES as readonly string[]).includes(name);

/**
 * Whether an administrator's grant holds as such. Who is administrator on a VM, a group, a project or the local host would be root where
 * KVM Manager runs, and so have everything: there it counts as operator. Root of another host is root there alone.
 */
const isWhole = (on: Grant["on"]): boolean =>
  on.kind === "everything" || (on.kind === "host" && on.host !== LOCAL_HOST);

/** The layer that grants make. A role that is gone grants nothing. */
export function layerOf(grants: readonly Grant[], roles: OwnRoles): Rights[number] {
  if (grants.some(({ role, on }) => role === "administrator" && on.kind === "everything")) return "all";
  return grants.flatMap(({ role, on }) => {
    const known = role === "administrator" && !isWhole(on) ? "operator" : role;
    const permissions = isRole(known) ? permissionsOf(known) : roles.get(known);
    return permissions === undefined ? [] : [{ permissions, on }];
  });
}

function covers(on: Grant["on"], object: AccessObject): boolean {
  if (on.kind === "everything") return true;
  if (object === "everything") return false;
  if ("projectId" in object) return on.kind === "project" && on.project === object.projectId;
  if (on.kind === "host") return on.host === object.hostId;
  if (!("vmId" in object)) return false;
  if (on.kind === "vm") return on.vmId === object.vmId;
  return on.kind === "project"
    ? object.project !== undefined && on.project === object.project
    : object.group !== undefined && on.group === object.group;
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

/** Whether rights include a permission on all of some host: what is not even that may be done on no host as a whole. */
export function mayOnSomeHost(rights: Rights, permission: string): boolean {
  return rights.length > 0 && rights.every((layer) =>
    layer === "all" ||
    layer.some(({ permissions, on }) =>
      permissions.has(permission) && (on.kind === "everything" || on.kind === "host")
    )
  );
}

/** Whether they include anything on all of an object. */
export function mayAnythingOn(rights: Rights, object: AccessObject): boolean {
  return rights.length > 0 &&
    rights.every((layer) =>
      layer === "all" || layer.some(({ permissions, on }) => permissions.size > 0 && covers(on, object))
    );
}

/** Whether some of the rights are to single hosts. */
export function isOfHosts(rights: Rights): boolean {
  return rights.some((layer) => layer !== "all" && layer.some(({ on }) => on.kind === "host"));
}

/** Whether they include anything at all. */
export function mayAnything(rights: Rights): boolean {
  return rights.every((layer) => layer === "all" || layer.some(({ permissions }) => permissions.size > 0));
}

/** Whether these are an administrator's. */
export function isAdministrator(rights: Rights): boolean {
  return rights.length > 0 && rights.every((layer) => layer === "all");
}

/** Whether there is nothing to hide from them but what administrators alone see. @param place of one host, or at all */
export function seesEverything(rights: Rights, place: HostObject | "everything" = "everything"): boolean {
  return ["vms.view", "storage.view", "networks.view"].every((name) => may(rights, name, place));
}

/** Permission that a custom role cannot have: with it, a user is the administrator of the host. */
const ADMINISTRATORS = "host.administer";

/** The highest of the three roles that rights are worth on an object. */
export function roleOn(rights: Rights, object: AccessObject): Role {
  if (isAdministrator(rights) || may(rights, ADMINISTRATORS, object)) return "administrator";
  return may(rights, "vms.operate", object) ? "operator" : "viewer";
}
