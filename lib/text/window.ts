/** Finds the lines of a long list that are on the screen. */

/** Offsets of all lines, and, last, of the end of the list; for lines of these heights in pixels. */
export function lineOffsets(heights: readonly number[]): number[] {
  const offsets = [0];
  let end = 0;
  for (const height of heights) offsets.push(end += height);
  return offsets;
}

/** Part of a list: the lines `[from, to)`, and the pixels left out before and after. */
export interface Window {
  readonly from: number;
  readonly to: number;
  readonly before: number;
  readonly after: number;
}

/** Index of the last line that begins at or above `y`. */
export function lineAt(offsets: readonly number[], y: number): number {
  let low = 0;
  let high = offsets.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (offsets[middle]! <= y) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** The lines between two heights of the list, and `margin` pixels around, so that scrolling finds them drawn. */
export function windowOf(offsets: readonly number[], top: number, bottom: number, margin: number): Window {
  const count = offsets.length - 1;
  const end = offsets[count] ?? 0;
  const from = Math.min(lineAt(offsets, Math.max(0, top - margin)), count);
  const to = Math.min(count, lineAt(offsets, Math.max(0, bottom + margin)) + 1);
  return { from, to, before: offsets[from] ?? 0, after: end - (offsets[to] ?? end) };
}
