/** Rules on snapshots of VMs. Pure. */
import { DAY_MS } from "../duration.ts";
import type { FoundProblem, Rule, VmInsightFacts } from "./facts.ts";

/** Days after which a snapshot is rarely what anybody would go back to; and after which it is a burden. */
const STALE_DAYS = { internal: 30, external: 7 } as const;
/** External ones of one VM from which on each read has a long way. */
const MANY = 10;
/** Names that are told. */
const NAMED = 3;

/** @param now milliseconds since 1970 */
const stale = (now: () => number) => ({ snapshots = [] }: VmInsightFacts): FoundProblem[] => {
  const old = snapshots.map((each) => ({ ...each, days: Math.floor((now() - each.createdAt) / DAY_MS) }))
    .filter(({ external, days }) => days >= (external ? STALE_DAYS.external : STALE_DAYS.internal))
    .sort((a, b) => b.days - a.days);
  const [oldest] = old;
  if (oldest === undefined) return [];
  const shown = old.slice(0, NAMED).map(({ name }) => name).join(", ");
  return [{
    // The disks of a VM with external ones grow without end, and are read through each of them
    severity: old.some(({ external }) => external) ? "warning" : "info",
    vars: { n: old.length, days: oldest.days, names: old.length > NAMED ? `${shown}, …` : shown },
    series: ["disk_allocation", "disk_physical"],
  }];
};

const chain = ({ snapshots = [] }: VmInsightFacts): FoundProblem[] => {
  const n = snapshots.filter(({ external }) => external).length;
  return n >= MANY ? [{ severity: "warning", vars: { n }, series: ["disk_read_latency"] }] : [];
};

/** @param now milliseconds since 1970 */
export const snapshotRules = (now: () => number): readonly Rule<VmInsightFacts>[] => [
  { id: "snapshots_stale", category: "disk", find: stale(now) },
  { id: "snapshots_many", category: "disk", find: chain },
];
