/** Findings that say the same of several VMs, shown as one. Pure. */
import type { Insight } from "../contract/insights.ts";

/** Fewer are shown each by itself. */
const FEWEST = 3;

/** Findings of a group, at least one; more than one are of VMs, and have title, reason and advice in common. */
export type FindingGroup = readonly [Insight, ...Insight[]];

/** Texts by which findings are the same; undefined for one with figures or a change of its own. */
const sameness = ({ severity, vmId, title, why, advice, series, apply }: Insight): string | undefined =>
  vmId === undefined || series.length > 0 || apply !== undefined
    ? undefined
    : JSON.stringify([severity, title, why, advice]);

/** Groups findings of three and more VMs, each at the place of its first finding. */
export function groupFindings(insights: readonly Insight[]): FindingGroup[] {
  const groups = new Map<string, [Insight, ...Insight[]]>();
  for (const each of insights) {
    const key = sameness(each) ?? each.id, group = groups.get(key);
    if (group === undefined) groups.set(key, [each]);
    else group.push(each);
  }
  return [...groups.values()].flatMap((group): FindingGroup[] =>
    vmsOf(group).length >= FEWEST ? [group] : group.map((each) => [each])
  );
}

/** Ids of the VMs of a group, each once. */
export const vmsOf = (group: readonly Insight[]): string[] => [
  ...new Set(group.flatMap(({ vmId }) => vmId ?? [])),
];
