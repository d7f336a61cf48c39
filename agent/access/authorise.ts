/** The one check of rights, for dispatch. */
import { extraNeedsOf, type VmNetworkTypes } from "../../lib/access/extra_permissions.ts";
import { needOf, PERMISSIONS } from "../../lib/access/permissions.ts";
import { hostOfObject } from "../../lib/access/may_call.ts";
import {
  type HostObject,
  isAdministrator,
  may,
  mayAnything,
  mayAnywhere,
  mayOnSomeHost,
  roleOn,
  type VmObject,
  vmObject,
  type VmPlace,
} from "../../lib/access/rights.ts";
import { seesHost, type Viewer, type VmPlaces } from "../../lib/access/viewer.ts";
import {
  type BatchOperationResult,
  type Command,
  type CommandName,
  COMMANDS,
  ContractError,
  type Role,
} from "../../lib/contract/mod.ts";
import { LOCAL_HOST } from "../../lib/contract/local_host.ts";
import type { Principal } from "../access.ts";

/** The fields of a VM that rights and audit depend on. */
export interface AccessVm extends VmNetworkTypes, VmPlace {
  readonly name: string;
}
/** Looks a VM up. */
export type FindVm = (vmId: string) => AccessVm | undefined;

/** Look-ups of VMs and hosts. */
export interface AccessWorld {
  readonly vm: FindVm;
  /** The VMs of a host. */
  readonly vmsOn: VmPlaces["vmsOn"];
  /** Id of the host that a call is about: it may not be served. Undefined where it names one that there is not. */
  readonly hostOf: (input: unknown) => string | undefined;
}

/** Somebody who looks. */
export const viewerOf = (
  { rights, name, since }: Pick<Principal, "rights" | "name" | "since">,
  { vm, vmsOn }: Pick<AccessWorld, "vm" | "vmsOn">,
): Viewer => ({ rights, name, since, placeOf: vm, vmsOn });

const field = (input: unknown, name: string): unknown =>
  typeof input === "object" && input !== null && Object.hasOwn(input, name)
    ? (input as Record<string, unknown>)[name]
    : undefined;

const objectOf = (vmId: string, vm: FindVm): VmObject => vmObject(vmId, vm(vmId));

/** Refuses: who is not signed in is told to, who is learns what it takes. */
function refuse({ via }: Principal, role: Role): never {
  throw via === "nobody" ? new ContractError("NotSignedIn") : new ContractError("Forbidden", { role });
}

/** Whether who asks is a token that nothing was picked for: it can only ask who it is. */
export const isEmptyToken = ({ via, rights }: Pick<Principal, "via" | "rights">): boolean =>
  via === "token" && !mayAnything(rights);

/** The fields of an input that decide where a command is carried out: its schema has no others of that kind. */
export const whereIn = (command: CommandName, input: unknown) => {
  const { properties = {} } = COMMANDS[command].input as { properties?: object };
  const own = (name: string) => {
    const value = Object.hasOwn(properties, name) ? field(input, name) : undefined;
    return typeof value === "string" ? value : undefined;
  };
  return { host: own("host"), vmId: own("vmId") };
};

/**
 * The host that a call is about.
 *
 * @returns undefined for a call about none, or about all of them
 * @throws {ContractError} HostNotFound for one that is out of sight, as for one that there is not
 */
function hostOfCall(
  { rights }: Principal,
  command: CommandName,
  input: unknown,
  { vmsOn, hostOf }: AccessWorld,
): HostObject | undefined {
  const where = whereIn(command, input), { hides }: Command = COMMANDS[command];
  const isOfOne = needOf(command).object === "host" && hides !== "other-activity";
  if (where.host === undefined && !isOfOne) return undefined;
  const hostId = hostOf(where);
  const isSeen = may(rights, "vms.view", "everything") ||
    (hostId !== undefined && seesHost({ rights, vmsOn }, hostId));
  // What names none is refused by what it needs
  if (!isSeen && (where.host !== undefined || needOf(command).permission === "signed-in")) {
    throw new ContractError("HostNotFound", { host: where.host?.slice(0, 64) ?? hostId! });
  }
  return hostId === undefined ? undefined : { hostId };
}

/**
 * Refuses a command on a host, or on none. A VM out of sight that is on another host than the caller's is as none.
 *
 * @throws {ContractError} NotSignedIn, Forbidden, VmNotFound
 */
function refuseOn(principal: Principal, command: CommandName, input: unknown, { vm }: AccessWorld): never {
  const { permission, role, object } = needOf(command), { host, vmId } = whereIn(command, input);
  const isOfNone = object === "host" && vmId !== undefined && host === undefined && vm(vmId) !== undefined &&
    may(principal.rights, permission, { hostId: LOCAL_HOST });
  if (isOfNone) throw new ContractError("VmNotFound", { vmId });
  return refuse(principal, role);
}

/**
 * Checks that somebody may carry a command out, as far as the input says on what. Nothing of the input was checked yet.
 *
 * @returns the highest role they have on what the command is about
 * @throws {ContractError} NotSignedIn, Forbidden; VmNotFound and HostNotFound for what they may not even see
 */
export function authorise(
  principal: Principal,
  command: CommandName,
  input: unknown,
  world: AccessWorld,
): Role {
  const { rights } = principal;
  const { permission, role, object } = needOf(command);
  const everything = roleOn(rights, "everything");
  if (permission === "anyone") return everything;
  if (principal.via === "nobody") refuse(principal, role);
  if (permission === "signed-in") {
    if (command !== "get_session" && isEmptyToken(principal)) refuse(principal, role);
    return roleOn(rights, hostOfCall(principal, command, input, world) ?? "everything");
  }
  if (permission === "socket") {
    const isSocket = principal.door === "socket" || (principal.door === "grpc" && principal.via === "socket");
    const isRoot = isSocket && isAdministrator(rights);
    return isRoot ? everything : refuse(principal, role);
  }
  if (!mayAnywhere(rights, permission)) refuse(principal, role);
  const requireExtras = (isAllowed: (extra: string) => boolean, devices?: VmNetworkTypes) => {
    for (const extra of extraNeedsOf(command, input, devices)) {
      if (!isAllowed(extra)) refuse(principal, PERMISSIONS.get(extra)!.role);
    }
  };
  requireExtras((extra) => mayOnSomeHost(rights, extra));
  const host = hostOfCall(principal, command, input, world);
  // Which of several VMs is narrowBatch()'s, which of all is filterOutput()'s business.
  if (object === "list" || object === "vms") return everything;
  if (object === "project") {
    // The seed's name for it, at the commands of profiles
    const projectId = String(field(input, "projectId") ?? field(input, "project_id") ?? ""),
      about = { projectId };
    if (may(rights, permission, about)) return roleOn(rights, about);
    // What no member may do is refused whether there is such a project or not; so is what somebody who sees it may not do
    if (role === "administrator" || may(rights, PROJECTS_VIEW, about)) refuse(principal, role);
    throw new ContractError("ProjectNotFound", { projectId: projectId.slice(0, 64) });
  }
  const vmId = field(input, "vmId");
  if (object !== "vm" || typeof vmId !== "string") {
    const on = object === "host" ? host ?? "everything" : "everything";
    requireExtras((extra) => may(rights, extra, on));
    return may(rights, permission, on) ? roleOn(rights, on) : refuseOn(principal, command, input, world);
  }
  const facts = world.vm(vmId), about = vmObject(vmId, facts);
  if (!may(rights, "vms.view", about)) throw new ContractError("VmNotFound", { vmId });
  // What depends on the VM is decided once it is known that it may be seen.
  requireExtras((extra) => may(rights, extra, hostOfObject(about)), facts);
  return may(rights, permission, about) ? roleOn(rights, about) : refuse(principal, role);
}

/** Permission to see projects. */
const PROJECTS_VIEW = needOf("get_project").permission;
/** Permission to put VMs into projects. */
const PROJECTS_CHANGE = needOf("set_vm_project").permission;

/**
 * Requires the permission to put VMs into projects: a VM in a project gives its members rights to it, and
 * takes of its quota. @throws {ContractError} Forbidden
 */
function guardProject(principal: Principal, command: CommandName, input: unknown): void {
  if (COMMANDS[command].readOnly || typeof field(input, "project") !== "string") return;
  if (!may(principal.rights, PROJECTS_CHANGE, "everything")) refuse(principal, "administrator");
}

/**
 * Groups that grants name are more than words: who puts a VM into one gives others rights to it, or themselves.
 * So only administrators do. The same holds for projects.
 *
 * @throws {ContractError} Forbidden
 */
export function guardGroup(
  principal: Principal,
  command: CommandName,
  input: unknown,
  vm: FindVm,
  granted: () => ReadonlySet<string>,
): void {
  guardProject(principal, command, input);
  const group = field(input, "group");
  const vmId = field(input, "vmId");
  if (typeof group !== "string" || typeof vmId !== "string" || isAdministrator(principal.rights)) return;
  if (needOf(command).object !== "vm") return;
  const before = vm(vmId)?.group ?? "";
  const groups = granted();
  const changes = before !== group;
  if (changes && [before, group].some((each) => groups.has(each))) refuse(principal, "administrator");
}

/**
 * An error of a VM on several hosts as the viewer may see it: a VM whose other hosts are out of sight is as
 * if it did not exist.
 */
export function withoutHiddenHosts(error: unknown, viewer: Viewer): unknown {
  if (!(error instanceof ContractError) || error.code !== "VmOnSeveralHosts") return error;
  const { vmId, hosts } = error.details as { vmId: string; hosts: string };
  if (hosts.split(", ").every((hostId) => seesHost(viewer, hostId))) return error;
  return new ContractError("VmNotFound", { vmId });
}

/** Runs a command on those of its VMs that somebody may use it on; the others are refused one by one. */
export async function narrowBatch(
  principal: Principal,
  command: CommandName,
  input: unknown,
  vm: FindVm,
  run: (input: unknown) => unknown,
): Promise<unknown> {
  const { permission, role, object } = needOf(command);
  if (object !== "vms") return await run(input);
  const { vmIds } = input as { vmIds: readonly string[] };
  const refusals = new Map<string, ContractError>();
  for (const vmId of vmIds) {
    const about = objectOf(vmId, vm);
    if (!may(principal.rights, "vms.view", about)) {
      refusals.set(vmId, new ContractError("VmNotFound", { vmId }));
    } else if (!may(principal.rights, permission, about)) {
      refusals.set(vmId, new ContractError("Forbidden", { role }));
    }
  }
  const allowed = vmIds.filter((vmId) => !refusals.has(vmId));
  const done = allowed.length === 0
    ? { results: [] }
    : await run({ ...input as object, vmIds: allowed }) as BatchOperationResult;
  const left = [...done.results];
  const results: BatchOperationResult["results"] = vmIds.map((vmId) => {
    const refusal = refusals.get(vmId);
    return refusal === undefined ? left.shift()! : { vmId, success: false, error: refusal.toJSON() };
  });
  const succeeded = results.filter(({ success }) => success).length;
  return { results, succeeded, failed: results.length - succeeded };
}
