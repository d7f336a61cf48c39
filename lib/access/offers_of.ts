/** What rights have pages offer, from the contract. Pure. */
import { type CommandName, COMMANDS } from "../contract/mod.ts";
import { extraNeedsOf } from "./extra_permissions.ts";
import type { Offers } from "./looking.ts";
import { needOf, SPECIAL } from "./permissions.ts";
import { isAdministrator, may, mayAnywhere, type Rights, type VmObject } from "./rights.ts";

const ALL = "all", NONE = "none";

/** Where a command is allowed: on everything, on nothing, or on these VMs. */
function placeOf(
  rights: Rights,
  command: CommandName,
  seen: (permission: string) => readonly string[],
): typeof ALL | typeof NONE | readonly string[] {
  const { permission, object } = needOf(command);
  if ((SPECIAL as readonly string[]).includes(permission)) return ALL;
  if (extraNeedsOf(command, undefined).some((extra) => !may(rights, extra, "everything"))) return NONE;
  if (may(rights, permission, "everything")) return ALL;
  if (object === "everything" || !mayAnywhere(rights, permission)) return NONE;
  return object === "vm" ? seen(permission) : ALL;
}

/**
 * What somebody is offered.
 *
 * @param vms those there are
 * @returns null for who may do everything
 */
export function offersOf(rights: Rights, vms: () => readonly VmObject[]): Offers | null {
  if (isAdministrator(rights)) return null;
  const byPermission = new Map<string, readonly string[]>();
  const seen = (permission: string) =>
    byPermission.getOrInsertComputed(
      permission,
      () => vms().filter((vm) => may(rights, permission, vm)).map(({ vmId }) => vmId),
    );
  const refused: string[] = [], partly = new Map<string, { commands: string[]; vmIds: readonly string[] }>();
  for (const command of Object.keys(COMMANDS) as CommandName[]) {
    const place = placeOf(rights, command, seen);
    if (place === NONE) refused.push(command);
    else if (place !== ALL) {
      partly.getOrInsertComputed(place.join(), () => ({ commands: [], vmIds: place })).commands.push(command);
    }
  }
  return { refused, partly: [...partly.values()] };
}
