/** Columns of a table that fit into a terminal. Pure. */
import type { Glyphs } from "./glyphs.ts";
import type { Style } from "./line.ts";
import { columnsOf } from "./width.ts";

/** A column. */
export interface TextColumn<R> {
  readonly title: string;
  /** Columns of the terminal that it takes at least, and at most. */
  readonly least: number;
  readonly most: number;
  /** Columns that do not fit are left out, the highest order first. */
  readonly order: number;
  readonly right?: true;
  readonly cell: (row: R) => { readonly text: string; readonly style?: Style };
}

/** Columns of the widest of some texts: what a column of words takes at least, in any language. */
export const widest = (texts: readonly string[], glyphs: Glyphs): number =>
  Math.max(...texts.map((each) => columnsOf(each, glyphs)));

/** Blanks between two. */
const GAP = 1;

/** The columns that fit, in their places, with their widths. */
export function layout<R>(
  columns: readonly TextColumn<R>[],
  available: number,
): { readonly column: TextColumn<R>; readonly width: number }[] {
  const byOrder = [...columns].sort((a, b) => a.order - b.order);
  const widths = new Map<TextColumn<R>, number>();
  let left = available + GAP;
  for (const column of byOrder) {
    if (widths.size > 0 && column.least + GAP > left) break;
    widths.set(column, Math.min(column.least, left - GAP));
    left -= column.least + GAP;
  }
  for (const column of byOrder) {
    const width = widths.get(column);
    if (width === undefined || left <= 0) continue;
    const more = Math.min(left, column.most - width);
    widths.set(column, width + more);
    left -= more;
  }
  return columns.flatMap((column) => {
    const width = widths.get(column);
    return width === undefined ? [] : [{ column, width }];
  });
}
