/** Drawing a graph of the past with uPlot: lines with their bands, gaps, marks, one cursor over all graphs of a page. */
import uPlot from "uplot";
import type { MetricUnit } from "../contract/metric_series.ts";
import { type ChartLine, type Grid, isolatedPoints, timesOf } from "../metrics/chart_data.ts";
import type { LineToken } from "../metrics/charts.ts";
import type { MarkKind } from "../metrics/marks.ts";
import { ceilingOf } from "../metrics/scale.ts";
import { formatFigure } from "../text/figure.ts";
import { formatClock, formatDay, isMidnight } from "../text/time.ts";
import type { DrawnGraph } from "./open_graph.ts";
import { axisOf, colourOf, dimmed, followBox } from "./plot.ts";
import { tzDate } from "./zone_date.ts";
import { DAY_S } from "../metrics/resolutions.ts";

/** How a line looks. */
export interface PlotLine {
  readonly token: LineToken;
  /** Told from another of the same colour. */
  readonly dashed?: boolean;
}

/** A mark, as it is drawn. */
export interface PlotMark {
  /** Seconds since 1970. */
  readonly at: number;
  readonly kind: MarkKind;
  readonly text: string;
}

/** Lines and marks of a graph, on their time axis. */
export interface PlotData {
  readonly grid: Grid;
  readonly lines: readonly ChartLine[];
  readonly marks: readonly PlotMark[];
}

/** How a graph is drawn. */
export interface PlotOptions {
  readonly lines: readonly PlotLine[];
  readonly unit: MetricUnit;
  readonly ceiling?: number;
  readonly height: number;
  /** Fills below the first line. Two areas over each other make a third colour that means nothing. */
  readonly hasArea: boolean;
  /** The place under the cursor, of this graph or another of the page; null when it left. */
  readonly onHover: (index: number | null) => void;
  /** A range was dragged over: seconds since 1970. */
  readonly onZoom: (from: number, to: number) => void;
  /** It was double-clicked. */
  readonly onBack: () => void;
}

/** A graph of the past. */
export interface HistoryPlot extends DrawnGraph<PlotData> {
  /** Moves the cursor by so many places, of all graphs of the page. */
  readonly move: (places: number) => void;
  readonly canvas: HTMLCanvasElement;
}

const AXIS_WIDTH = 68;
const AXIS_HEIGHT = 22;
/** Pixels that a drag is long at least: a click is none. */
const LEAST_DRAG = 6;
/** Pixels between two texts of marks, and their share of them. */
const MARK_SPACE = 132, MARK_TEXT = 22;
/** Cursors of all graphs with this key move together. */
const SYNC = "monitoring";

/** The text of a time on the axis: the time of day, and the day where one begins or where days are all there is. */
function tickText(time: number, step: number): string {
  const isDay = step >= DAY_S || isMidnight(time * 1000);
  return isDay ? formatDay(time * 1000) : formatClock(time * 1000).slice(0, 5);
}

/** Data as uPlot takes it: the times, the lines, then the bounds of their bands. */
function columnsOf({ grid, lines }: PlotData): uPlot.AlignedData {
  const gaps = new Array(grid.count).fill(null);
  return [
    timesOf(grid),
    ...lines.map(({ avg }) => avg),
    ...lines.flatMap(({ min, max }) => [max ?? gaps, min ?? gaps]),
  ] as uPlot.AlignedData;
}

/** Draws the marks as lines from top to bottom, with what happened where there is room for it. */
function drawMarks(plot: uPlot, box: HTMLElement, marks: readonly PlotMark[]): void {
  const { ctx, bbox: { left, top, width, height } } = plot, ratio = uPlot.pxRatio;
  ctx.save();
  ctx.font = `${10.5 * ratio}px ${getComputedStyle(box).fontFamily}`;
  ctx.textBaseline = "top";
  let free = -Infinity;
  for (const { at, kind, text } of [...marks].sort((a, b) => a.at - b.at)) {
    const x = Math.round(plot.valToPos(at, "x", true));
    if (x < left || x > left + width) continue;
    ctx.strokeStyle = colourOf(box, "data-mark", kind);
    ctx.lineWidth = ratio;
    ctx.setLineDash([3 * ratio, 3 * ratio]);
    ctx.beginPath();
    ctx.moveTo(x, top);
    ctx.lineTo(x, top + height);
    ctx.stroke();
    if (x < free || x + MARK_SPACE * ratio > left + width) continue;
    ctx.fillStyle = colourOf(box, "data-ink", "axis");
    ctx.fillText(text.length > MARK_TEXT ? `${text.slice(0, MARK_TEXT - 1)}…` : text, x + 5 * ratio, top);
    free = x + MARK_SPACE * ratio;
  }
  ctx.restore();
}

/** Draws a graph into a box and keeps it as wide as the box, in the colours of the theme. */
export function drawHistory(box: HTMLElement, options: PlotOptions): HistoryPlot {
  const { lines, unit, ceiling, height, hasArea, onHover, onZoom, onBack } = options;
  const ink = (token: string) => colourOf(box, "data-series", token);
  const axis = axisOf(box);
  let shown: PlotData | undefined;
  const highest = () => {
    const values = shown?.lines.flatMap(({ avg, max = avg }) => max).filter((value) => value !== null) ?? [];
    return values.reduce<number | null>((most, value) => most === null ? value : Math.max(most, value), null);
  };
  const plot = new uPlot(
    {
      tzDate,
      width: Math.max(1, box.clientWidth),
      height,
      padding: [8, 16, 0, 0],
      legend: { show: false },
      cursor: {
        y: false,
        drag: { x: true, y: false, setScale: false, dist: LEAST_DRAG },
        points: { size: 6 },
        sync: { key: SYNC, filters: { pub: (type) => type === "mousemove" || type === "mouseleave" } },
        // uPlot would show all it has
        bind: { dblclick: () => () => (onBack(), null) },
      },
      scales: {
        x: { time: true, range: () => shown ? [shown.grid.from / 1000, shown.grid.to / 1000] : [0, 1] },
        y: { range: () => [0, ceiling ?? ceilingOf(unit, highest())] },
      },
      axes: [
        {
          ...axis,
          size: AXIS_HEIGHT,
          space: 72,
          grid: { show: false },
          values: (_plot, times, _axis, _space, step) => times.map((time) => tickText(time, step)),
        },
        {
          ...axis,
          size: AXIS_WIDTH,
          splits: (_plot, _axis, low, high) => [low, (low + high) / 2, high],
          values: (_plot, values) => values.map((value) => formatFigure(unit, value)),
        },
      ],
      bands: lines.map(({ token }, index) => {
        const bound = 1 + lines.length + 2 * index;
        return { series: [bound, bound + 1], fill: () => dimmed(ink(token), 0.22) };
      }),
      series: [
        {},
        ...lines.map(({ token, dashed }, index): uPlot.Series => ({
          stroke: () => ink(token),
          width: 1.5,
          ...(dashed && { dash: [6, 4] }),
          points: {
            show: true,
            size: 4,
            fill: () => ink(token),
            filter: (_plot, place) => isolatedPoints(shown?.lines[place - 1]?.avg ?? []),
          },
          ...(index === 0 && hasArea && { fill: () => dimmed(ink(token)) }),
        })),
        ...lines.flatMap((): uPlot.Series[] => [0, 1].map(() => ({ width: 0, points: { show: false } }))),
      ],
      hooks: {
        setCursor: [(graph) => onHover(graph.cursor.idx ?? null)],
        draw: [(graph) => drawMarks(graph, box, shown?.marks ?? [])],
        setSelect: [({ select, posToVal }) => {
          if (select.width < LEAST_DRAG) return;
          const from = posToVal(select.left, "x"), to = posToVal(select.left + select.width, "x");
          plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          onZoom(from, to);
        }],
      },
    },
    [[], ...lines.map(() => []), ...lines.flatMap(() => [[], []])],
    box,
  );
  const stop = followBox(box, plot, height);
  return {
    show: (data) => {
      shown = data;
      plot.setData(columnsOf(data));
    },
    move: (places) => {
      const last = (shown?.grid.count ?? 0) - 1;
      if (last < 0) return;
      const at = Math.min(last, Math.max(0, (plot.cursor.idx ?? (places > 0 ? -1 : last + 1)) + places));
      const time = plot.data[0][at]!;
      for (const each of uPlot.sync(SYNC).plots) each.setCursor({ left: each.valToPos(time, "x"), top: 1 });
    },
    canvas: plot.ctx.canvas,
    destroy: () => {
      stop();
      plot.destroy();
    },
  };
}
