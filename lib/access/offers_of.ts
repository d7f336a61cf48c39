/** Computes from the contract which commands pages offer for given rights. Pure. */
import { type CommandName, COMMANDS } from "../contract/mod.ts";
import { extraNeedsOf } from "./extra_permissions.ts";
import type { Offers } from "./looking.ts";
import { hostOfObject } from "./may_call.ts";
import { needOf, SPECIAL } from "./permissions.ts";
import {
  type HostObject,
  isAdministrator,
  may,
  mayAnywhere,
  mayOnSomeHost,
  type Rights,
  type VmObject,
} from "./rights.ts";

const ALL = "all", NONE = "none";

/** Objects that a command is allowed on: everything, nothing, or the VMs or hosts with all of the permissions. */
function placeOf(
  rights: Rights,
  command: CommandName,
): typeof ALL | typeof NONE | { readonly kind: "vm" | "host"; readonly permissions: readonly string[] } {
  const { permission, role, object } = needOf(command);
  if ((SPECIAL as readonly string[]).includes(permission)) return ALL;
  const extras = extraNeedsOf(command, undefined);
  if (extras.some((extra) => !mayOnSomeHost(rights, extra))) return NONE;
  if ([permission, ...extras].every((each) => may(rights, each, "everything"))) return ALL;
  // An administrator of a project counts as operator there
  const isWhole = object === "everything" || (object === "project" && role === "administrator");
  if (isWhole || !mayAnywhere(rights, permission)) return NONE;
  return object === "vm" || object === "host" ? { kind: object, permissions: [permission, ...extras] } : ALL;
}

/** Whether a permission, and others on the host of its object, are there. */
const mayAll = (rights: Rights, [permission, ...extras]: readonly string[], on: VmObject | HostObject) =>
  may(rights, permission!, on) && extras.every((extra) => may(rights, extra, hostOfObject(on)));

/**
 * Commands that a user is offered.
 *
 * @param vms all VMs
 * @param hostIds ids of all hosts
 * @param host id of the page's host
 * @returns null for a user who may do everything
 */
export function offersOf(
  rights: Rights,
  vms: () => readonly VmObject[],
  hostIds: readonly string[],
  host: string,
): Offers | null {
  if (isAdministrator(rights)) return null;
  const byPermissions = new Map<string, readonly string[]>();
  const allowed = (kind: "vm" | "host", permissions: readonly string[]) =>
    byPermissions.getOrInsertComputed(
      [kind, ...permissions].join(),
      () =>
        kind === "vm"
          ? vms().filter((vm) => mayAll(rights, permissions, vm)).map(({ vmId }) => vmId)
          : hostIds.filter((hostId) => mayAll(rights, permissions, { hostId })),
    );
  const refused: string[] = [];
  const ofIds = { vm: new Map<string, PartlyAllowed>(), host: new Map<string, PartlyAllowed>() };
  for (const command of Object.keys(COMMANDS) as CommandName[]) {
    const place = placeOf(rights, command);
    if (place === ALL) continue;
    const ids = place === NONE ? [] : allowed(place.kind, place.permissions);
    if (place === NONE || (ids.length === 0 && place.kind === "host")) refused.push(command);
    else {ofIds[place.kind].getOrInsertComputed(ids.join(), () => ({ commands: [], ids })).commands.push(
        command,
      );}
  }
  return {
    refused,
    partly: [...ofIds.vm.values()].map(({ commands, ids }) => ({ commands, vmIds: ids })),
    onHosts: [...ofIds.host.values()].map(({ commands, ids }) => ({ commands, hostIds: ids })),
    host,
  };
}

/** Commands that are allowed on these VMs or hosts alone. */
interface PartlyAllowed {
  readonly commands: string[];
  readonly ids: readonly string[];
}
