/** Drawing a graph with uPlot, in the colours of the stylesheet. */
import uPlot from "uplot";
import { formatClock } from "../text/time.ts";
import { type PlainKey, t } from "../i18n/mod.ts";
import { axisOf, colourOf, dimmed, followBox } from "./plot.ts";
import { tzDate } from "./zone_date.ts";
import { type Columns, GRAPH_SECONDS } from "./samples.ts";

/** Colours a series may have: the names the stylesheet knows. */
export type SeriesToken = "cpu" | "memory" | "read" | "write" | "rx" | "tx";

/** One line of a graph. */
export interface GraphSeries {
  readonly label: PlainKey;
  readonly token: SeriesToken;
}

/** How a graph is drawn. */
export interface GraphOptions {
  readonly series: readonly GraphSeries[];
  readonly format: (value: number) => string;
  readonly max?: number;
  /** The place under the pointer: an index into the columns; null when it left. */
  readonly onHover: (index: number | null) => void;
}

const HEIGHT = 112;
const AXIS_WIDTH = 64;
const AXIS_HEIGHT = 22;

/** Highest value of a scale that grows: never so low that a murmur fills the graph. */
function ceiling(highest: number | null): number {
  return Math.max(1024, (highest ?? 0) * 1.15);
}

/** Draws a graph into a box and keeps it as wide as the box, in the colours of the theme. */
export function drawGraph(
  box: HTMLElement,
  options: GraphOptions,
): { show: (columns: Columns) => void; destroy: () => void } {
  const { series, format, max, onHover } = options;
  const ink = (token: string) => () => colourOf(box, "data-series", token);
  const axis = axisOf(box);
  const plot = new uPlot(
    {
      tzDate,
      width: Math.max(1, box.clientWidth),
      height: HEIGHT,
      padding: [6, 16, 0, 0],
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, points: { size: 6 } },
      scales: {
        x: { time: true, range: (_plot, _low, high) => [high - GRAPH_SECONDS, high] },
        y: { range: (_plot, _low, high) => [0, max ?? ceiling(high)] },
      },
      axes: [
        {
          ...axis,
          size: AXIS_HEIGHT,
          space: 90,
          grid: { show: false },
          values: (_plot, times) => times.map((time) => formatClock(time * 1000).slice(0, 5)),
          incrs: [60, 120, 300],
        },
        {
          ...axis,
          size: AXIS_WIDTH,
          // Nothing, half and all say more than round numbers of a scale that ends at 251 GiB.
          splits: (_plot, _axis, low, high) => [low, (low + high) / 2, high],
          values: (_plot, values) => values.map(format),
        },
      ],
      series: [
        {},
        ...series.map(({ label, token }, index) => ({
          label: t(label),
          stroke: ink(token),
          width: 1.5,
          points: { show: false },
          // Two areas over each other make a third colour that means nothing.
          ...(index === 0 && { fill: () => dimmed(ink(token)()) }),
        })),
      ],
      hooks: { setCursor: [(graph) => onHover(graph.cursor.idx ?? null)] },
    },
    [[], ...series.map(() => [])],
    box,
  );

  const stop = followBox(box, plot, HEIGHT);
  return {
    show: (columns) => plot.setData(columns),
    destroy: () => {
      stop();
      plot.destroy();
    },
  };
}
