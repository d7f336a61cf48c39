/** Lines that were typed, and how they are brought back, as a shell does. Pure. */

/** Lines, the oldest first, and which of them is shown; the number of lines is what is being typed. */
export interface Recall {
  readonly lines: readonly string[];
  readonly at: number;
  /** Text that was typed before one was brought back. */
  readonly draft: string;
}

/** Lines that are kept. */
const MOST = 100;

export const NO_LINES: Recall = { lines: [], at: 0, draft: "" };

/** Keeps a line; the same one twice in a row is kept once. */
export function remember({ lines }: Recall, line: string): Recall {
  const kept = lines.at(-1) === line ? lines : [...lines, line].slice(-MOST);
  return { lines: kept, at: kept.length, draft: "" };
}

/**
 * Goes to the line before, or after.
 *
 * @param typed what stands in the field now
 * @returns undefined where there is none
 */
export function recall(
  { lines, at, draft }: Recall,
  typed: string,
  step: -1 | 1,
): { readonly recall: Recall; readonly line: string } | undefined {
  const next = at + step;
  if (next < 0 || next > lines.length) return undefined;
  const kept = at === lines.length ? typed : draft;
  return { recall: { lines, at: next, draft: kept }, line: lines[next] ?? kept };
}
