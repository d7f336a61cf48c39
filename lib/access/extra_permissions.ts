/**
 * Permissions that commands on a VM need in addition to their own (`alsoNeeds` of their rows). Without them, a user who
 * may change one VM could attach another's disk to it.
 */
import { type Command, type CommandName, COMMANDS, type ExtraPermission } from "../contract/mod.ts";

/** The part of a VM that its extra permissions depend on. */
export interface VmNetworkTypes {
  /** Types of its network cards: libvirt's word, `network` for all on libvirt networks. */
  readonly networkInterfaces?: readonly { readonly type: string }[];
}

/** Whether it is needed for a VM. */
const APPLIES: Readonly<Record<NonNullable<ExtraPermission["of"]>, (vm: VmNetworkTypes) => boolean>> = {
  "vm-on-host-network": ({ networkInterfaces = [] }) =>
    networkInterfaces.some(({ type }) => type !== "network"),
  // The handler sees the card, and checks.
  "filtered-nic": () => false,
};

/** Permissions that commands need in addition to their own, with these commands, in the order of the contract. */
export function extraPermissions(): ReadonlyMap<string, readonly CommandName[]> {
  const pairs = (Object.entries(COMMANDS) as [CommandName, Command][]).flatMap(([name, { alsoNeeds = [] }]) =>
    [...new Set(alsoNeeds.map(({ permission }) => permission))].map((permission) => ({ permission, name }))
  );
  const grouped = Map.groupBy(pairs, ({ permission }) => permission);
  return new Map([...grouped].map(([permission, each]) => [permission, each.map(({ name }) => name)]));
}

/** Permissions on everything that a call needs in addition to its command's own. @param vm what it is about, where that is one */
export function extraNeedsOf(command: CommandName, input: unknown, vm: VmNetworkTypes = {}): string[] {
  const { alsoNeeds = [] }: Command = COMMANDS[command];
  const given = (field: string) => typeof input === "object" && input !== null && Object.hasOwn(input, field);
  return alsoNeeds
    .filter(({ fields, of }) =>
      (fields === undefined || fields.some(given)) && (of === undefined || APPLIES[of](vm))
    )
    .map(({ permission }) => permission);
}
