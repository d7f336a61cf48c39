/** What somebody changes without seeing all of it: the targets of schedules and backups. */
import { sightOf } from "../../lib/access/filter_output.ts";
import { splitTargets, type Targets } from "../../lib/access/redact.ts";
import type { VM } from "../../lib/contract/mod.ts";
import type { Principal } from "../access.ts";

/**
 * Those of targets that somebody does not see: no change of theirs takes them away.
 *
 * @param seen the VMs that they see
 */
export function hiddenTargets(
  targets: Targets,
  { rights, name }: Pick<Principal, "rights" | "name">,
  seen: readonly VM[],
): Targets {
  const groups = new Map(seen.map(({ id, group }) => [id, group]));
  const sight = sightOf({ rights, name, groupOf: (vmId) => groups.get(vmId) }, () => seen);
  return sight === undefined ? { vmIds: [], tags: [], groups: [] } : splitTargets(targets, sight).hidden;
}

/** Targets with others, each once. */
export function joinTargets<T extends Targets>(targets: T, others: Targets): T {
  const both = (name: keyof Targets) => [...new Set([...targets[name], ...others[name]])];
  return { ...targets, vmIds: both("vmIds"), tags: both("tags"), groups: both("groups") };
}
