/** The list's measures, as the stylesheet has them for the width there is. */
import { useSignal } from "@preact/signals";
import { type RefObject } from "preact";
import { useLayoutEffect } from "preact/hooks";
import type { LineHeights } from "../vm/list_lines.ts";

/** Measurements that the layout of the list depends on. */
export interface Metrics {
  readonly heights: LineHeights;
  /** Cards that fit next to each other. */
  readonly columns: number;
}

/** Measures the list, and again when its width changes; null before the first time, and on the server. */
export function useListLayout(list: RefObject<HTMLElement>): Metrics | null {
  const metrics = useSignal<Metrics | null>(null);
  useLayoutEffect(() => {
    const element = list.current;
    if (element === null) return;
    const measure = () => {
      const style = getComputedStyle(element);
      const length = (name: string) => Number.parseFloat(style.getPropertyValue(name));
      const gap = length("--card-gap");
      const columns = Math.max(1, Math.floor((element.clientWidth + gap) / (length("--card-min") + gap)));
      const heights = {
        row: length("--row-height"),
        group: length("--group-height"),
        cards: length("--card-height") + gap,
      };
      const now = metrics.peek();
      if (now?.columns === columns && now.heights.row === heights.row) return;
      metrics.value = { columns, heights };
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return metrics.value;
}
