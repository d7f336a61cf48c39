/** The difference of two texts, line by line. Source: E. Myers, "An O(ND) Difference Algorithm" (1986). */

/** A line of a difference. `old` and `new` are its numbers, from 1, in the text that has it. */
export interface DiffLine {
  readonly kind: "same" | "removed" | "added";
  readonly text: string;
  readonly old: number | undefined;
  readonly new: number | undefined;
}

/** Lines beyond this many edits are not paired up any more: all is shown as removed and added. */
const MOST_EDITS = 2000;

const linesOf = (text: string) => text.replace(/\r\n?/g, "\n").replace(/\n$/, "").split("\n");

/** For each number of edits, how far each diagonal gets; undefined beyond {@link MOST_EDITS}. */
function search(a: readonly string[], b: readonly string[]): Map<number, number>[] | undefined {
  const trace: Map<number, number>[] = [];
  const reach = new Map<number, number>([[1, 0]]);
  for (let edits = 0; edits <= Math.min(MOST_EDITS, a.length + b.length); edits++) {
    trace.push(new Map(reach));
    for (let diagonal = -edits; diagonal <= edits; diagonal += 2) {
      const down = reach.get(diagonal + 1) ?? -1, right = reach.get(diagonal - 1) ?? -1;
      let x = diagonal === -edits || (diagonal !== edits && right < down) ? down : right + 1;
      while (x < a.length && x - diagonal < b.length && a[x] === b[x - diagonal]) x++;
      reach.set(diagonal, x);
      if (x >= a.length && x - diagonal >= b.length) return trace;
    }
  }
  return undefined;
}

/** Every line of both texts, in order: what stayed, what went, what came. */
export function diffLines(before: string, after: string): DiffLine[] {
  const a = linesOf(before), b = linesOf(after);
  const trace = search(a, b);
  const removed = (x: number): DiffLine => ({ kind: "removed", text: a[x]!, old: x + 1, new: undefined });
  const added = (y: number): DiffLine => ({ kind: "added", text: b[y]!, old: undefined, new: y + 1 });
  if (trace === undefined) return [...a.map((_, x) => removed(x)), ...b.map((_, y) => added(y))];
  const lines: DiffLine[] = [];
  let x = a.length, y = b.length;
  for (let edits = trace.length - 1; edits >= 0; edits--) {
    const reach = trace[edits]!;
    const diagonal = x - y;
    const down = reach.get(diagonal + 1) ?? -1, right = reach.get(diagonal - 1) ?? -1;
    const cameDown = diagonal === -edits || (diagonal !== edits && right < down);
    const fromX = cameDown ? down : right;
    const fromY = fromX - (cameDown ? diagonal + 1 : diagonal - 1);
    while (x > fromX && y > fromY && x > 0 && y > 0) {
      lines.push({ kind: "same", text: a[--x]!, old: x + 1, new: y-- });
    }
    if (edits === 0) break;
    if (cameDown) lines.push(added(--y));
    else lines.push(removed(--x));
  }
  return lines.reverse();
}

/** A run of lines to show, or how many unchanged ones are left out. */
export type DiffPart = { readonly lines: readonly DiffLine[] } | { readonly skipped: number };

/** The changes with a few lines around them; long runs of unchanged lines are counted instead. */
export function diffParts(lines: readonly DiffLine[], around = 3): DiffPart[] {
  const near = lines.map(() => false);
  lines.forEach(({ kind }, index) => {
    if (kind === "same") return;
    for (let at = Math.max(0, index - around); at <= index + around && at < lines.length; at++) {
      near[at] = true;
    }
  });
  const parts: DiffPart[] = [];
  for (let at = 0; at < lines.length;) {
    const start = at;
    while (at < lines.length && near[at] === near[start]) at++;
    parts.push(near[start] ? { lines: lines.slice(start, at) } : { skipped: at - start });
  }
  return parts;
}
