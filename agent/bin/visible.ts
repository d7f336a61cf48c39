/** Principals who may see an entry of the bin, and restore it: those who may delete a VM or volume of its kind. */
import { needOf } from "../../lib/access/permissions.ts";
import { isAdministrator, may, type Rights, vmObject } from "../../lib/access/rights.ts";
import { type Command, COMMANDS } from "../../lib/contract/mod.ts";
import type { StoredEntry } from "../../lib/bin/entry.ts";

/** The command that deletes each kind. */
const DELETES = {
  vm: "delete_vm",
  volume: "delete_volume",
  template: "delete_template",
} as const;

/**
 * Whether rights reach an entry. An entry that was found next to its files is for administrators alone.
 *
 * @param projectOf id of the project that a deleted VM is in
 */
export function mayTouch(
  rights: Rights,
  { kind, host: hostId, vmId, group, found }: Pick<StoredEntry, "kind" | "host" | "vmId" | "group" | "found">,
  projectOf: (vmId: string) => string | undefined,
): boolean {
  if (found) return isAdministrator(rights);
  const { permission } = needOf(DELETES[kind]), { alsoNeeds = [] }: Command = COMMANDS[DELETES[kind]];
  const needs = [permission, ...alsoNeeds.map((extra) => extra.permission)];
  if (kind !== "vm") return needs.every((each) => may(rights, each, { hostId }));
  if (vmId === undefined) return isAdministrator(rights);
  const vm = vmObject(vmId, { group, project: projectOf(vmId), hostId });
  return may(rights, "vms.view", vm) && may(rights, permission, vm);
}
