/** Whether somebody may call a command, told before they try: what pages offer, and what they leave out. Pure. */
import type { CommandName } from "../contract/mod.ts";
import { extraNeedsOf } from "./extra_permissions.ts";
import { needOf, SPECIAL } from "./permissions.ts";
import {
  type HostObject,
  may,
  mayAnywhere,
  type ProjectObject,
  type Rights,
  type VmObject,
} from "./rights.ts";

/** The host of an object; everything where none is known. */
export const hostOfObject = (object: VmObject | HostObject | undefined): HostObject | "everything" =>
  object?.hostId === undefined ? "everything" : { hostId: object.hostId };

/**
 * Whether rights allow a command: on a VM, a host or a project where one is named, else on anything at all. It decides what is shown
 * alone; dispatch decides what is done.
 */
export function mayCall(
  rights: Rights,
  command: CommandName,
  on?: VmObject | HostObject | ProjectObject,
): boolean {
  const { permission, role, object } = needOf(command);
  if ((SPECIAL as readonly string[]).includes(permission)) return true;
  if (object === "project" && on !== undefined && "projectId" in on) return may(rights, permission, on);
  const host = hostOfObject(on !== undefined && "projectId" in on ? undefined : on);
  if (extraNeedsOf(command, undefined).some((extra) => !may(rights, extra, host))) return false;
  if (object === "everything") return may(rights, permission, "everything");
  if (object === "host") return may(rights, permission, host);
  // An administrator of a project counts as operator there
  if (object === "project" && role === "administrator") return may(rights, permission, "everything");
  return on !== undefined && "vmId" in on ? may(rights, permission, on) : mayAnywhere(rights, permission);
}
