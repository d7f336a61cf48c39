/** Data of a page of graphs of a VM or the host: read by its route first, then by its island. */
import type { AlertIncident } from "../contract/alerts.ts";
import type { MetricSummary } from "../contract/metrics.ts";
import type { MetricPart } from "../contract/metric_series.ts";
import { METRIC_PARTS } from "../contract/metric_series.ts";
import { type ChartSet, chartSet, type ChosenParts } from "../metrics/chart_data.ts";
import { type Chart, HOST_CHARTS, seriesNames, VM_CHARTS } from "../metrics/charts.ts";
import { LIVE_CHARTS, type LiveSeed, liveSeed } from "../metrics/live_seed.ts";
import {
  firedAsActivity,
  type Mark,
  type MarkedCommands,
  markKinds,
  marksOf,
  MOST_MARKS,
} from "../metrics/marks.ts";
import { type PageRange, rangeInput, rangeQuery } from "../metrics/ranges.ts";
import { failureOf } from "../text/failure.ts";
import type { Api } from "../contract/api.ts";

/** Subject of graphs: a VM or a host. */
export type MonitoredSubject = { readonly vmId: string } | { readonly vmId?: never; readonly hostId: string };

/** Time range and parts to read. */
export interface MonitoringQuery {
  readonly range: PageRange;
  readonly parts: ChosenParts;
}

/** Data of a page of graphs. */
export interface MonitoringData {
  readonly set: ChartSet;
  /** Rows of all parts, in the order of the contract's table. */
  readonly summary: MetricSummary["series"];
  readonly marks: readonly Mark[];
  /** There were more in the range than are marked: these are the newest. */
  readonly moreMarks: boolean;
}

/** The graphs of a subject. */
export const chartsOf = ({ vmId }: { readonly vmId?: string }): readonly Chart[] =>
  vmId === undefined ? HOST_CHARTS : VM_CHARTS;

/**
 * Reads all that a page of graphs shows.
 *
 * @param marked the commands that are marked
 * @param now milliseconds since 1970
 * @throws what the commands throw
 */
export async function readMonitoring(
  api: Api,
  subject: MonitoredSubject,
  { range, parts }: MonitoringQuery,
  marked: MarkedCommands,
  now: number,
): Promise<MonitoringData> {
  const kinds = markKinds(marked);
  const { vmId } = subject, asked = rangeInput(range, now);
  const ofVm = { series: seriesNames(VM_CHARTS), ...asked },
    ofHost = { series: seriesNames(HOST_CHARTS), ...asked };
  const [history, summary] = await Promise.all([
    vmId === undefined ? api.getHostMetrics(ofHost) : api.getHistoricalMetrics({ vmId, ...ofVm }),
    vmId === undefined ? api.getHostMetricSummary(ofHost) : api.getMetricSummary({ vmId, ...ofVm }),
  ]);
  const when = { since: history.from, until: history.to };
  const [happened, fired] = await Promise.all([
    api.getActivity({
      ...when,
      limit: MOST_MARKS + 1,
      actions: [...kinds.keys()],
      succeeded: true,
      ...(vmId !== undefined && { vmId }),
    }),
    api.getAlertHistory({ ...subject, ...when, limit: MOST_MARKS }).catch((error): AlertIncident[] => {
      if (failureOf(error).status !== 403) throw error;
      return []; // who may not see alerts sees the graphs all the same
    }),
  ]);
  return {
    set: chartSet(history, chartsOf(subject), parts),
    summary: summary.series,
    marks: marksOf([...happened, ...firedAsActivity(fired)], kinds, history.from, history.to),
    moreMarks: happened.length > MOST_MARKS,
  };
}

const isLiveChart = ({ id }: Pick<Chart, "id">) => LIVE_CHARTS.some((live) => live === id);

/** Stored samples of the last minutes, which live graphs begin with. @throws errors of the commands */
export async function readLiveSeed(
  api: Api,
  subject: { readonly vmId?: string },
  now: number,
): Promise<LiveSeed[]> {
  const { vmId } = subject, asked = rangeInput({ window: "live" }, now);
  const history = vmId === undefined
    ? await api.getHostMetrics({ series: seriesNames(HOST_CHARTS.filter(isLiveChart)), ...asked })
    : await api.getHistoricalMetrics({ vmId, series: seriesNames(VM_CHARTS.filter(isLiveChart)), ...asked });
  return liveSeed(chartSet(history, chartsOf(subject).filter(isLiveChart), {}));
}

/** The parts that an address chooses. */
export function partsIn(query: URLSearchParams): ChosenParts {
  const chosen: Partial<Record<MetricPart, string>> = {};
  for (const part of METRIC_PARTS) {
    const label = query.get(part);
    if (label !== null && label !== "") chosen[part] = label.slice(0, 64);
  }
  return chosen;
}

/** The address of a page with this range and these parts. Others of its query stay. */
export function monitoringHref(
  path: string,
  { range, parts }: MonitoringQuery,
  more: readonly (readonly [string, string])[] = [],
): string {
  const query = new URLSearchParams([...more.map(([name, value]) => [name, value])]);
  for (const [name, value] of Object.entries({ ...rangeQuery(range), ...parts })) query.set(name, value);
  return `${path}?${query}`;
}
