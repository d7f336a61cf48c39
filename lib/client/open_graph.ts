/**
 * Opening a graph. What draws it (uPlot) weighs more than the page around it, so it is fetched when a graph first comes
 * into view: the figures, which are text, never wait for it.
 */
import type { GraphOptions } from "./graph.ts";
import type { Columns } from "./samples.ts";

/** A graph that is drawn now, or will be once it is seen. */
export interface OpenGraph {
  /** Shows these columns: at once, or as soon as it is drawn. */
  readonly show: (columns: Columns) => void;
  readonly close: () => void;
}

/** Draws into a box as soon as that is in view. */
export function openGraph(box: HTMLElement, options: GraphOptions): OpenGraph {
  let drawn: { readonly show: (columns: Columns) => void; readonly destroy: () => void } | undefined;
  let latest: Columns | undefined;
  let closed = false;

  async function draw(): Promise<void> {
    const { drawGraph } = await import("./graph.ts");
    if (closed) return;
    drawn = drawGraph(box, options);
    if (latest !== undefined) drawn.show(latest);
  }

  const seen = new IntersectionObserver((entries) => {
    if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
    seen.disconnect();
    draw().catch((error) => {
      // The picture adds to figures that are there as text: without it the page says all it knows.
      if (!closed) console.warn("A graph cannot be drawn:", error);
    });
  });
  seen.observe(box);
  return {
    show: (columns) => {
      latest = columns;
      drawn?.show(columns);
    },
    close: () => {
      closed = true;
      seen.disconnect();
      drawn?.destroy();
    },
  };
}
