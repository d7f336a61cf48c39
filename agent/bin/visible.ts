/** Who may see something in the bin, and bring it back: who may delete what it was. */
import { needOf } from "../../lib/access/permissions.ts";
import { may, type Rights } from "../../lib/access/rights.ts";
import type { StoredEntry } from "../../lib/bin/entry.ts";
import { isAdministrator } from "../../lib/access/rights.ts";

/** Whether rights reach an entry. What was found beside its files nobody but an administrator knows. */
export function mayTouch(
  rights: Rights,
  { kind, vmId, group, found }: Pick<StoredEntry, "kind" | "vmId" | "group" | "found">,
): boolean {
  if (found) return isAdministrator(rights);
  if (kind === "volume") return may(rights, needOf("delete_volume").permission, "everything");
  if (vmId === undefined) return isAdministrator(rights);
  const vm = { vmId, group };
  return may(rights, "vms.view", vm) && may(rights, needOf("delete_vm").permission, vm);
}
