/**
 * Keeps the hidden parts of lists that a user changes without seeing all of them: the targets of schedules
 * and backups.
 */
import { splitTargets, type Targets } from "../../lib/access/redact.ts";
import { may, vmObject } from "../../lib/access/rights.ts";
import type { VM } from "../../lib/contract/mod.ts";
import type { Principal } from "../access.ts";

/**
 * Those of targets that somebody does not see: no change of theirs takes them away.
 *
 * @param seen the VMs that they see
 */
export function hiddenTargets(
  targets: Targets,
  { rights }: Pick<Principal, "rights">,
  seen: readonly VM[],
): Targets {
  if (may(rights, "vms.view", "everything")) return { vmIds: [], tags: [], groups: [] };
  const ids = new Set(seen.map(({ id }) => id));
  return splitTargets(targets, {
    sees: (vmId) => ids.has(vmId) || may(rights, "vms.view", vmObject(vmId, undefined)),
    seesTag: (tag) => seen.some(({ tags }) => tags.includes(tag)),
    seesGroup: (name) =>
      may(rights, "vms.view", { vmId: "", group: name, hostId: undefined }) ||
      seen.some(({ group }) => group === name),
  }).hidden;
}

/** Targets with others, each once. */
export function joinTargets<T extends Targets>(targets: T, others: Targets): T {
  const both = (name: keyof Targets) => [...new Set([...targets[name], ...others[name]])];
  return { ...targets, vmIds: both("vmIds"), tags: both("tags"), groups: both("groups") };
}
