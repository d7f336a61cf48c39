/** Insights: what the figures of VMs and hosts say that somebody should know, and what to do about it. */
import Type, { type Static } from "typebox";
import { command } from "./command.ts";
import { closed, oneOf, Timestamp, VmId } from "./schema.ts";

/** Ranges that are analysed: they end now. */
export const INSIGHT_WINDOWS = ["1h", "6h", "24h", "7d", "30d"] as const;
export type InsightWindow = typeof INSIGHT_WINDOWS[number];

/** From the worst on. */
export const INSIGHT_SEVERITIES = ["critical", "warning", "info"] as const;
export type InsightSeverity = typeof INSIGHT_SEVERITIES[number];

export const INSIGHT_CATEGORIES = ["cpu", "memory", "disk", "network", "guest", "backup"] as const;
export type InsightCategory = typeof INSIGHT_CATEGORIES[number];

/** A change of a VM's CPU and memory for its next start: fields of update_vm. */
const InsightChange = Type.Object({
  command: oneOf(["update_vm"]),
  input: Type.Object({
    vmId: Type.String(),
    cpu: Type.Optional(Type.Object({ count: Type.Integer(), max: Type.Optional(Type.Integer()) })),
    memory: Type.Optional(Type.Object({ currentMb: Type.Integer(), maxMb: Type.Integer() })),
    nextBootOnly: Type.Boolean(),
  }),
});
export type InsightChange = Static<typeof InsightChange>;

export const Insight = Type.Object({
  id: Type.String({ description: "the rule, and what it is about: the same finding has the same id" }),
  category: oneOf(INSIGHT_CATEGORIES),
  severity: oneOf(INSIGHT_SEVERITIES),
  vmId: Type.Optional(Type.String({ description: "missing: it is about a host" })),
  vmName: Type.Optional(Type.String()),
  host: Type.Optional(Type.String({ description: "missing: the local host" })),
  about: Type.Optional(Type.String({ description: "which disk, network card or pool" })),
  title: Type.String(),
  seen: Type.String({ description: "what was seen, with figures" }),
  why: Type.String({ description: "why it matters" }),
  advice: Type.String({ description: "what to do" }),
  change: Type.Optional(Type.String({ description: "what would change" })),
  series: Type.Array(
    Type.Object({ name: Type.String(), label: Type.Optional(Type.String()) }),
    { description: "the series of the VM or the host that show it" },
  ),
  apply: Type.Optional(Type.Object(InsightChange.properties, {
    description: "does it; only where that is safe, and who asks may do it",
  })),
  undo: Type.Optional(Type.Object(InsightChange.properties, { description: "takes that back" })),
});
export type Insight = Static<typeof Insight>;

const InsightReport = {
  window: oneOf(INSIGHT_WINDOWS),
  from: Timestamp,
  analysedAt: Timestamp,
  insights: Type.Array(Insight, { description: "the worst first" }),
};

export const VmInsights = Type.Object({
  ...InsightReport,
  enough: Type.Boolean({ description: "false: too few figures to judge its load" }),
  coverage: Type.Number({ description: "share of the range that its figures cover, 0–1" }),
});
export type VmInsights = Static<typeof VmInsights>;

export const AllInsights = Type.Object({
  ...InsightReport,
  vms: Type.Integer({ description: "VMs that were looked at" }),
  tooFew: Type.Array(
    Type.Object({ vmId: Type.String(), vmName: Type.String(), coverage: Type.Number() }),
    { description: "running VMs with too few figures to judge their load" },
  ),
  unread: Type.Optional(Type.String({ description: "why no figures could be read" })),
});
export type AllInsights = Static<typeof AllInsights>;

const window = Type.Optional(oneOf(INSIGHT_WINDOWS, { description: "so long until now; 24h when left out" }));

/** Commands that look for what the figures say. */
export const insightCommands = {
  analyze_vm_performance: command({
    summary: "Say what a VM's figures tell: too large, too small, slow, badly set up",
    role: "viewer",
    permission: "vms.view",
    input: closed({ vmId: VmId, window }),
    output: VmInsights,
    errors: ["VmNotFound", "MetricsUnavailable"],
    route: "GET /vms/{vmId}/insights",
    cli: ["insights", "show", "<vmId>"],
    rows: "insights",
    columns: ["severity", "category", "title", "seen"],
    wide: ["advice", "change"],
    examples: ["kvm-manager insights show web --window=7d"],
    readOnly: true,
  }),
  analyze_all_vms: command({
    summary: "Say what the figures of all VMs and hosts tell",
    description: "An answer is up to five minutes old; analysedAt says how old.",
    role: "viewer",
    permission: "vms.view",
    input: closed({ window }),
    output: AllInsights,
    errors: [],
    hides: "other-figures",
    route: "GET /insights",
    cli: ["insights", "list"],
    rows: "insights",
    columns: ["severity", "vmName", "category", "title", "seen"],
    wide: ["advice", "change"],
    ofAllHosts: true,
    readOnly: true,
  }),
};
