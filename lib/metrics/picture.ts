/** A line of figures as the path of an SVG: the first picture of a graph, before any script, and a sparkline. Pure. */
import type { ChartLine, Figures } from "./chart_data.ts";

/** Width and height that paths are drawn in; an SVG stretches them. */
export const PICTURE = { width: 600, height: 100 } as const;

const place = (value: number) => Number(value.toFixed(1));

/** Runs of figures without a gap, as places in the picture: one of a single figure is a short stroke. */
function runs(figures: Figures, ceiling: number): [x: number, y: number][][] {
  const found: [number, number][][] = [];
  const width = PICTURE.width / Math.max(1, figures.length - 1);
  let isOpen = false;
  figures.forEach((value, at) => {
    if (value === null) {
      isOpen = false;
      return;
    }
    if (!isOpen) found.push([]);
    isOpen = true;
    const share = Math.min(1, Math.max(0, value / ceiling));
    found.at(-1)!.push([place(at * width), place(PICTURE.height * (1 - share))]);
  });
  return found.map((run) => run.length > 1 ? run : [run[0]!, [place(run[0]![0] + 1), run[0]![1]]]);
}

const path = (points: readonly (readonly [number, number])[]) =>
  points.map(([x, y], index) => `${index === 0 ? "M" : "L"}${x} ${y}`).join("");

/** The path of a line, in {@link PICTURE}; a gap is a gap. @param ceiling figure at the top */
export function linePath({ avg }: Pick<ChartLine, "avg">, ceiling: number): string {
  return runs(avg, ceiling).map(path).join("");
}

/** The area below a line, in {@link PICTURE}. */
export function areaPath({ avg }: Pick<ChartLine, "avg">, ceiling: number): string {
  return runs(avg, ceiling).map((run) =>
    `${path(run)}L${run.at(-1)![0]} ${PICTURE.height}L${run[0]![0]} ${PICTURE.height}Z`
  ).join("");
}
