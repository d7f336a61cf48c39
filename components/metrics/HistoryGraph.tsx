import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useMemo, useRef } from "preact/hooks";
import type { HistoryPlot, PlotData, PlotLine } from "../../lib/client/history_plot.ts";
import { type OpenGraph, openGraph } from "../../lib/client/open_graph.ts";
import { reportFailure } from "../../lib/client/toasts.ts";
import type { ChartLine } from "../../lib/metrics/chart_data.ts";
import type { MetricUnit } from "../../lib/contract/metric_series.ts";
import { areaPath, linePath, PICTURE } from "../../lib/metrics/picture.ts";
import { ceilingOf } from "../../lib/metrics/scale.ts";
import { formatFigure } from "../../lib/text/figure.ts";
import { formatMoment } from "../../lib/text/time.ts";
import { monitoring } from "../../lib/i18n/en/monitoring.ts";
import { textsOf } from "../../lib/i18n/mod.ts";

const texts = textsOf(monitoring);

/** Places at the end of a line that may have no figure yet. */
const PENDING = 3;

/** The figure that a line ends with; undefined where it has ended before: what was then is not so now. */
const lastKnown = (figures: ChartLine["avg"]) => figures.slice(-PENDING).findLast((each) => each !== null);

/** A line and what it is called. */
export interface NamedLine extends PlotLine {
  readonly label: string;
}

/** Props of {@link HistoryGraph}. */
export interface HistoryGraphProps {
  /** Tells it from the others of its page. */
  id: string;
  title: string;
  unit: MetricUnit;
  lines: readonly NamedLine[];
  data: PlotData;
  ceiling?: number;
  /** The one graph of its page. */
  tall?: boolean;
  /** Next to the title, where no place is pointed at: what sums it up. */
  about?: string;
  /** Below the head: which part it is of. */
  children?: ComponentChildren;
  /** Milliseconds since 1970. */
  onZoom: (from: number, to: number) => void;
  onBack: () => void;
  /** File name of a picture of it. */
  fileName: string;
}

/** Pixels, as in the stylesheet. */
const HEIGHT = 150, TALL = 340;
/** Places that Page Up and Page Down move the cursor by. */
const FAR = 10;
/** Keys that move the cursor, and by how many places. */
const KEYS: Readonly<Record<string, number>> = {
  ArrowLeft: -1,
  ArrowRight: 1,
  PageUp: -FAR,
  PageDown: FAR,
  Home: -Infinity,
  End: Infinity,
};

/** The first picture: from the server, before there is script, and where there is none. */
function Picture({ data: { lines }, plotted, ceiling, hasArea }: {
  data: PlotData;
  plotted: readonly NamedLine[];
  ceiling: number;
  hasArea: boolean;
}) {
  const { width, height } = PICTURE;
  return (
    <svg
      class="history-picture"
      viewBox={`0 0 ${width} ${height}`}
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      <path class="history-grid" d={`M0 0H${width}M0 ${height / 2}H${width}M0 ${height}H${width}`} />
      {lines.map((line, index) => (
        <g key={index} data-series={plotted[index]?.token}>
          {index === 0 && hasArea && <path class="history-area" d={areaPath(line, ceiling)} />}
          <path
            class="history-line"
            data-dashed={plotted[index]?.dashed ? "" : undefined}
            d={linePath(line, ceiling)}
          />
        </g>
      ))}
    </svg>
  );
}

/** The highest figure of a graph; null where there is none. */
function highestOf({ lines }: PlotData): number | null {
  let highest: number | null = null;
  for (const { avg, max = avg } of lines) {
    for (const value of max) if (value !== null && (highest === null || value > highest)) highest = value;
  }
  return highest;
}

/** The lines by their colours, each with a figure. @param figure text of the line at a place */
function Legend({ lines, figure }: Pick<HistoryGraphProps, "lines"> & { figure: (index: number) => string }) {
  return (
    <div class="history-legend">
      {lines.map(({ label, token, dashed }, index) => (
        <span key={index} class="graph-figure">
          <span
            class="graph-key"
            data-series={token}
            data-dashed={dashed ? "" : undefined}
            aria-hidden="true"
          />
          <span class="graph-label">
            <bdi>{label}</bdi>
          </span>
          <b>{figure(index)}</b>
        </span>
      ))}
    </div>
  );
}

/** Lines over a range of time. What they say is text, too: next to the title and in the page's table. */
export function HistoryGraph(props: HistoryGraphProps) {
  const { id, title, unit, lines, data, ceiling, tall = false, about, children, fileName } = props;
  const box = useRef<HTMLDivElement>(null);
  const graph = useRef<OpenGraph<PlotData> | undefined>(undefined);
  const plot = useRef<HistoryPlot | undefined>(undefined);
  const isDrawn = useSignal(false);
  const hovered = useSignal<number | null>(null);
  const acts = useRef(props);
  acts.current = props;
  // The same lines are the same graph: it is drawn again only for others
  const height = tall ? TALL : HEIGHT;
  // Below the first of equals it would say that this one is special
  const hasArea = !tall && lines.length <= 2;
  const look = JSON.stringify([unit, ceiling, height, lines.map(({ token, dashed }) => [token, dashed])]);

  useEffect(() => {
    const into = box.current;
    if (into === null) return;
    graph.current = openGraph<PlotData, HistoryPlot>(into, async () => {
      const { drawHistory } = await import("../../lib/client/history_plot.ts");
      return () =>
        drawHistory(into, {
          lines,
          unit,
          height,
          hasArea,
          ...(ceiling !== undefined && { ceiling }),
          onHover: (index) => hovered.value = index,
          onZoom: (from, to) => acts.current.onZoom(from * 1000, to * 1000),
          onBack: () => acts.current.onBack(),
        });
    }, (drawn) => {
      plot.current = drawn;
      isDrawn.value = true;
    });
    return () => {
      plot.current = undefined;
      isDrawn.value = false;
      graph.current?.close();
    };
  }, [look]);
  useEffect(() => graph.current?.show(data), [data, look]);

  const top = useMemo(() => ceiling ?? ceilingOf(unit, highestOf(data)), [data, unit, ceiling]);
  const at = hovered.value, { first, step } = data.grid;
  const figure = (index: number) => {
    const line = data.lines[index];
    if (line === undefined) return "–";
    const value = at === null ? lastKnown(line.avg) : line.avg[at];
    const low = at === null ? undefined : line.min?.[at], high = at === null ? undefined : line.max?.[at];
    const mean = formatFigure(unit, value);
    return typeof low === "number" && typeof high === "number" && value !== null
      ? texts.t("monitoring.figure", { mean, low: formatFigure(unit, low), high: formatFigure(unit, high) })
      : mean;
  };
  const save = () => {
    if (plot.current === undefined) return;
    import("../../lib/client/save_picture.ts").then(({ savePicture }) =>
      savePicture(`${fileName}.png`, plot.current!.canvas, {
        title,
        legend: lines.map(({ token, label }) => ({ token, text: label })),
      })
    ).catch((error) => reportFailure({ sentence: texts.t("monitoring.png_failed") }, error));
  };
  return (
    <figure class="panel history" data-graph={id}>
      <figcaption class="history-head">
        <h2>{title}</h2>
        <span class="history-about">
          {at === null ? about : formatMoment((first + at * step) * 1000)}
        </span>
        <button
          type="button"
          class="button ghost small needs-script"
          aria-label={texts.t("monitoring.png_long", { what: title })}
          title={texts.t("monitoring.png_long", { what: title })}
          disabled={!isDrawn.value}
          onClick={save}
        >
          {texts.t("monitoring.png")}
        </button>
        <Legend lines={lines} figure={figure} />
      </figcaption>
      {children}
      <div
        class="history-box"
        data-tall={tall ? "" : undefined}
        role="img"
        tabIndex={0}
        aria-label={texts.t("monitoring.graph_of", { title })}
        onKeyDown={(event) => {
          const places = KEYS[event.key];
          if (places === undefined || plot.current === undefined) return;
          event.preventDefault();
          plot.current.move(places);
        }}
      >
        {!isDrawn.value && (
          <>
            <span class="history-scale" data-end="top">{formatFigure(unit, top)}</span>
            <span class="history-scale" data-end="bottom">{formatFigure(unit, 0)}</span>
            <Picture data={data} plotted={lines} ceiling={top} hasArea={hasArea} />
          </>
        )}
        <div ref={box} class="history-plot" />
      </div>
    </figure>
  );
}
