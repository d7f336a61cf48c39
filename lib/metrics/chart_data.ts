/** Figures over time → the lines of graphs: as many times as can be seen, parts together, gaps as gaps. Pure. */
import type { MetricHistory, MetricResolution } from "../contract/metrics.ts";
import { METRIC_PARTS, type MetricPart } from "../contract/metric_series.ts";
import type { Chart } from "./charts.ts";
import { floorTo } from "./resolutions.ts";

/** Most times of a line: more than these cannot be told apart on a screen, and weigh. */
export const MOST_DRAWN = 360;

/** A figure at each time; null is a gap. */
export type Figures = readonly (number | null)[];

/** A line of a graph. */
export interface ChartLine {
  /** Its series. */
  readonly name: string;
  readonly avg: Figures;
  /** Least and greatest; missing where each figure is one reading, or parts were put together. */
  readonly min?: Figures;
  readonly max?: Figures;
}

/** A graph's lines, in the order of its chart. */
export interface ChartLines {
  readonly id: string;
  readonly lines: readonly ChartLine[];
  /** The part that is shown; missing where it is all of them together, or there are none. */
  readonly part?: string;
}

/** Common axis of all graphs of a page. */
export interface Grid {
  /** Milliseconds since 1970. */
  readonly from: number;
  readonly to: number;
  readonly resolution: MetricResolution;
  /** Seconds since 1970 of the first time, from one to the next, and how many there are. */
  readonly first: number;
  readonly step: number;
  readonly count: number;
}

/** The graphs of a page: JSON, as small as it can be. */
export interface ChartSet extends Grid {
  readonly charts: readonly ChartLines[];
  /** Names of the parts there are, by what they are. */
  readonly parts: Readonly<Partial<Record<MetricPart, readonly string[]>>>;
  /** When something is known last, in milliseconds since 1970; null where nothing is. */
  readonly last: number | null;
}

/** Parts that somebody chose, by what they are. */
export type ChosenParts = Readonly<Partial<Record<MetricPart, string>>>;

type Series = MetricHistory["series"][number];
type Values = (number | null)[];

/** Four digits: a graph shows no more, and they take up a third of what a float does. */
const short = (value: number) => Number(value.toPrecision(4));

/** The times of graphs, of a history that may have more than can be drawn. */
export function gridOf({ from, to, resolution, stepSeconds, times }: MetricHistory): Grid {
  const step = stepSeconds * Math.max(1, Math.ceil(times.length / MOST_DRAWN));
  const first = floorTo((times[0] ?? from) / 1000, step);
  const end = (times.at(-1) ?? to) / 1000;
  return {
    from,
    to,
    resolution,
    first,
    step,
    count: times.length === 0 ? 0 : Math.floor((end - first) / step) + 1,
  };
}

/** Figures at the times of a grid; of several that meet, what `of` makes of them. */
function onGrid(
  times: readonly number[],
  values: Figures,
  { first, step, count }: Grid,
  of: (sum: number, least: number, most: number, n: number) => number,
): Values {
  const sums = new Float64Array(count), counts = new Uint16Array(count);
  const least = new Float64Array(count).fill(Infinity), most = new Float64Array(count).fill(-Infinity);
  for (let index = 0; index < times.length; index++) {
    const value = values[index];
    const at = Math.floor((times[index]! / 1000 - first) / step);
    if (value === null || value === undefined || at < 0 || at >= count) continue;
    sums[at]! += value;
    counts[at]!++;
    least[at] = Math.min(least[at]!, value);
    most[at] = Math.max(most[at]!, value);
  }
  return Array.from(counts, (n, at) => n === 0 ? null : short(of(sums[at]!, least[at]!, most[at]!, n)));
}

/** A series on a grid. Least and greatest are left out where they say nothing that the mean does not. */
export function chartLineOf(series: Series, times: readonly number[], grid: Grid): ChartLine {
  const avg = onGrid(times, series.avg, grid, (sum, _least, _most, n) => sum / n);
  const min = onGrid(times, series.min, grid, (_sum, least) => least);
  const max = onGrid(times, series.max, grid, (_sum, _least, most) => most);
  const isBand = avg.some((value, at) => value !== min[at] || value !== max[at]);
  return { name: series.name, avg, ...(isBand && { min, max }) };
}

/** Functions that combine the figures of several parts at one time. */
const TOGETHER = {
  sum: (values: number[]) => values.reduce((a, b) => a + b, 0),
  max: (values: number[]) => Math.max(...values),
} as const;

/** One of what is compared, and what its line is made by. */
export interface ComparedPast {
  readonly history: MetricHistory;
  readonly chart: Chart;
}

/** Lines of several subjects over the same times: one graph, a line each, in their order. */
export function comparedSet(pasts: readonly ComparedPast[]): ChartSet | null {
  const grids = pasts.map(({ history }) => gridOf(history));
  // Readings may be taken more rarely than they were: the coarsest has room for all
  const grid = grids.toSorted((a, b) => b.step - a.step)[0];
  if (grid === undefined) return null;
  const lines = pasts.flatMap(({ history, chart }) =>
    linesOf(chart, history.series, history.times, grid, undefined)
  );
  const lasts = lines.map(({ avg }) => avg.findLastIndex((value) => value !== null)).filter((at) => at >= 0);
  return {
    ...grid,
    charts: [{ id: pasts[0]!.chart.id, lines }],
    parts: {},
    last: lasts.length === 0 ? null : (grid.first + Math.max(...lasts) * grid.step) * 1000,
  };
}

/** Several parts as one line. A part that is not known at a time is left out of it; a gap is where none is. */
function together(
  name: string,
  lines: readonly ChartLine[],
  as: keyof typeof TOGETHER,
  count: number,
): ChartLine {
  const avg = Array.from({ length: count }, (_, at) => {
    const known = lines.map(({ avg }) => avg[at]).filter((value) => typeof value === "number");
    return known.length === 0 ? null : short(TOGETHER[as](known));
  });
  return { name, avg };
}

const total = (figures: Figures) => figures.reduce<number>((sum, value) => sum + (value ?? 0), 0);

/** The part with the most of all that a chart shows. */
function busiest(chart: Chart, series: readonly Series[], labels: readonly string[]): string | undefined {
  const names = new Set(chart.series.map(({ name }) => name));
  const traffic = (label: string) =>
    series.filter((each) => each.label === label && names.has(each.name))
      .reduce((sum, { avg }) => sum + total(avg), 0);
  return labels.map((label) => ({ label, traffic: traffic(label) })).sort((a, b) => b.traffic - a.traffic)[0]
    ?.label;
}

/** The part that a chart shows; undefined: all of them together. */
function partOf(chart: Chart, series: readonly Series[], labels: readonly string[], chosen: ChosenParts) {
  if (chart.parts === undefined) return undefined;
  const wanted = chosen[chart.parts.of];
  if (wanted !== undefined && labels.includes(wanted)) return wanted;
  if (labels.length === 1) return labels[0];
  return chart.parts.as === "busiest" ? busiest(chart, series, labels) : undefined;
}

function linesOf(
  chart: Chart,
  series: readonly Series[],
  times: readonly number[],
  grid: Grid,
  part: string | undefined,
): ChartLine[] {
  const empty: Figures = new Array(grid.count).fill(null);
  return chart.series.map(({ name }) => {
    const found = series.filter((each) =>
      each.name === name && (chart.parts === undefined || part === undefined || each.label === part)
    );
    const lines = found.map((each) => chartLineOf(each, times, grid));
    if (lines.length <= 1) return lines[0] ?? { name, avg: empty };
    return together(name, lines, chart.parts?.as === "max" ? "max" : "sum", grid.count);
  });
}

/** Whether there is anything in a rare chart. */
const isSomething = (lines: readonly ChartLine[]) =>
  lines.some(({ avg, max = avg }) => max.some((value) => value));

/** The lines of charts from a history. @param chosen parts that are shown alone */
export function chartSet(
  history: MetricHistory,
  charts: readonly Chart[],
  chosen: ChosenParts = {},
): ChartSet {
  const grid = gridOf(history), { series, times } = history;
  const parts: Partial<Record<MetricPart, string[]>> = {};
  for (const of of METRIC_PARTS) {
    const names = new Set(
      charts.filter((chart) => chart.parts?.of === of).flatMap((chart) => chart.series)
        .map(({ name }) => name),
    );
    const labels = new Set(series.filter(({ name }) => names.has(name)).map(({ label = "" }) => label));
    if (labels.size > 0) parts[of] = [...labels];
  }
  const drawn = charts.map((chart) => {
    const part = partOf(chart, series, chart.parts === undefined ? [] : parts[chart.parts.of] ?? [], chosen);
    return {
      chart,
      lines: {
        id: chart.id,
        lines: linesOf(chart, series, times, grid, part),
        ...(part !== undefined && { part }),
      },
    };
  });
  const last = times.findLast((_, at) => series.some(({ avg }) => avg[at] !== null));
  return {
    ...grid,
    charts: drawn.filter(({ chart, lines }) => !chart.isRare || isSomething(lines.lines)).map(({ lines }) =>
      lines
    ),
    parts,
    last: last ?? null,
  };
}

/** Times of a grid in seconds since 1970. */
export function timesOf({ first, step, count }: Grid): number[] {
  return Array.from({ length: count }, (_, at) => first + at * step);
}

/** Places that have a figure, and none on either side: drawn as points, for a line would not show them. */
export function isolatedPoints(figures: Figures): number[] {
  return figures.flatMap((value, at) =>
    value !== null && (figures[at - 1] ?? null) === null && (figures[at + 1] ?? null) === null ? [at] : []
  );
}
