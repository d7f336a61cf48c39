/** Whether somebody may call a command, told before they try: what pages offer, and what they leave out. Pure. */
import type { CommandName } from "../contract/mod.ts";
import { extraNeedsOf } from "./extra_permissions.ts";
import { needOf, SPECIAL } from "./permissions.ts";
import { may, mayAnywhere, type Rights, type VmObject } from "./rights.ts";

/**
 * Whether rights allow a command: on a VM where one is named, else on anything at all. It decides what is shown alone;
 * dispatch decides what is done.
 */
export function mayCall(rights: Rights, command: CommandName, vm?: VmObject): boolean {
  const { permission, object } = needOf(command);
  if ((SPECIAL as readonly string[]).includes(permission)) return true;
  if (extraNeedsOf(command, undefined).some((extra) => !may(rights, extra, "everything"))) return false;
  if (object === "everything") return may(rights, permission, "everything");
  return vm === undefined ? mayAnywhere(rights, permission) : may(rights, permission, vm);
}
