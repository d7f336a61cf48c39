/** Query of the Insights page: range, filters, and the change that was just applied. Pure. */
import {
  type Insight,
  INSIGHT_CATEGORIES,
  INSIGHT_SEVERITIES,
  INSIGHT_WINDOWS,
  type InsightCategory,
  type InsightChange,
  type InsightSeverity,
  type InsightWindow,
} from "../contract/insights.ts";
import { formHref } from "../text/form_href.ts";

export const INSIGHTS_PATH = "/insights";
/** The value of `vm` for what is of hosts. */
export const OF_HOSTS = "host";

/** Missing: all. */
export interface InsightQuery {
  readonly window: InsightWindow;
  readonly severity?: InsightSeverity | undefined;
  readonly category?: InsightCategory | undefined;
  /** Id of a VM, or {@link OF_HOSTS}. */
  readonly vm?: string | undefined;
}

const oneOf = <T extends string>(choices: readonly T[], text: string | null): T | undefined =>
  choices.find((each) => each === text);

/** The query of an address. What it does not know it takes for all. */
export function insightQueryIn({ searchParams }: URL): InsightQuery {
  return {
    window: oneOf(INSIGHT_WINDOWS, searchParams.get("window")) ?? "24h",
    severity: oneOf(INSIGHT_SEVERITIES, searchParams.get("severity")),
    category: oneOf(INSIGHT_CATEGORIES, searchParams.get("category")),
    vm: searchParams.get("vm") ?? undefined,
  };
}

/** The address of a query. @param more what else it says */
export function insightHref(query: InsightQuery, more: readonly (readonly [string, string])[] = []): string {
  const entries = Object.entries(query).filter(([, value]) => value !== undefined) as [string, string][];
  return `${INSIGHTS_PATH}?${new URLSearchParams([
    ...entries,
    ...more.map(([name, value]) => [name, value]),
  ])}`;
}

/** Whether a finding passes the filters. */
export function passes(query: InsightQuery, { severity, category, vmId }: Insight): boolean {
  return (query.severity === undefined || query.severity === severity) &&
    (query.category === undefined || query.category === category) &&
    (query.vm === undefined || query.vm === (vmId ?? OF_HOSTS));
}

/** Fields of update_vm that are applied and taken back: nothing else is taken from an address. */
const FIELDS = ["cpu.count", "cpu.max", "memory.currentMb", "memory.maxMb"] as const;
const PREFIX = "undo.";

/** Fields of a change, by their paths. */
function fieldsOf({ input: { cpu, memory } }: InsightChange): [string, number][] {
  const values = [cpu?.count, cpu?.max, memory?.currentMb, memory?.maxMb];
  return FIELDS.flatMap((name, index) => values[index] === undefined ? [] : [[name, values[index]]]);
}

/** Address of the form that applies a change; afterwards the page offers to revert it. */
export function applyHref(query: InsightQuery, change: InsightChange, undo: InsightChange): string {
  const back = insightHref(query, [
    [`${PREFIX}vmId`, undo.input.vmId],
    ...fieldsOf(undo).map(([name, value]) => [PREFIX + name, String(value)] as const),
  ]);
  return changeHref(change.input.vmId, fieldsOf(change), back, insightHref(query));
}

const changeHref = (vmId: string, fields: readonly [string, number][], to: string, from: string) =>
  formHref("update_vm", { vmId, ...Object.fromEntries(fields), nextBootOnly: true }, to, from);

/** A change that was just applied, and can be taken back. */
export interface InsightUndo {
  readonly vmId: string;
  /** Fields of update_vm with what they were. */
  readonly fields: readonly [string, number][];
  /** Address of the form that reverts it. */
  readonly href: string;
}

/** Change in an address that can be reverted; undefined without a valid one. */
export function undoIn(url: URL, query: InsightQuery): InsightUndo | undefined {
  const vmId = url.searchParams.get(`${PREFIX}vmId`);
  const fields = FIELDS.flatMap((name): [string, number][] => {
    const value = url.searchParams.get(PREFIX + name);
    return value !== null && /^[1-9]\d{0,8}$/.test(value) ? [[name, Number(value)]] : [];
  });
  if (vmId === null || fields.length === 0) return undefined;
  return { vmId, fields, href: changeHref(vmId, fields, insightHref(query), insightHref(query)) };
}
