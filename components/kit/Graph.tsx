import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { GraphSeries } from "../../lib/client/graph.ts";
import { type OpenGraph, openGraph } from "../../lib/client/open_graph.ts";
import type { Columns } from "../../lib/client/samples.ts";
import { formatClock } from "../../lib/text/time.ts";
import { t } from "../../lib/i18n/mod.ts";

/** Props of {@link Graph}. */
export interface GraphProps {
  title: string;
  series: readonly GraphSeries[];
  columns: Columns;
  /** Highest value of the scale; it grows with the values where there is none. */
  max?: number;
  format: (value: number) => string;
  /** Total, behind the title. */
  of?: string;
  /** The newest values, before there is any history. */
  now: readonly (number | null)[];
}

/** One or two figures over the last minutes. The figures themselves are text: the picture adds the course. */
export function Graph({ title, series, columns, max, format, of, now }: GraphProps) {
  const box = useRef<HTMLDivElement>(null);
  const graph = useRef<OpenGraph<Columns> | undefined>(undefined);
  const hovered = useSignal<number | null>(null);

  useEffect(() => {
    if (box.current === null) return;
    const into = box.current;
    graph.current = openGraph(into, async () => {
      const { drawGraph } = await import("../../lib/client/graph.ts");
      return () =>
        drawGraph(into, {
          series,
          format,
          ...(max !== undefined && { max }),
          onHover: (index) => hovered.value = index,
        });
    });
    return graph.current.close;
  }, [max]);
  useEffect(() => graph.current?.show(columns), [columns, max]);

  const at = hovered.value;
  const values = at === null ? now : columns.slice(1).map((column) => column[at] ?? null);
  return (
    <figure class="graph">
      <figcaption class="graph-head">
        <span class="graph-title">{title}</span>
        {series.map(({ label, token }, index) => (
          <span key={token} class="graph-figure">
            {series.length > 1 && <span class="graph-key" data-series={token} aria-hidden="true" />}
            {series.length > 1 && <span class="graph-label">{t(label)}</span>}
            <b>{values[index] === null || values[index] === undefined ? "–" : format(values[index])}</b>
          </span>
        ))}
        {of && <span class="graph-of">{of}</span>}
        <span class="graph-time">{at !== null && formatClock((columns[0][at] ?? 0) * 1000)}</span>
      </figcaption>
      <div ref={box} class="graph-box needs-script" aria-hidden="true" />
    </figure>
  );
}
