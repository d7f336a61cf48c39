/** Editing XML in a text area: what Tab and Enter do. */

/** A text with its selection. */
export interface Edit {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** libvirt's own indentation. */
const STEP = "  ";

/** Replaces part of a text; the caret goes behind it. */
export interface Replacement {
  readonly from: number;
  readonly to: number;
  readonly by: string;
}

/** Change that Tab (or Shift+Tab: `back`) makes: blanks at the caret, or at the start of every selected line. */
export function indent({ text, start, end }: Edit, back: boolean): Replacement | null {
  const first = text.lastIndexOf("\n", start - 1) + 1;
  if (!back && start === end) return { from: start, to: end, by: STEP };
  const lines = text.slice(first, end).split("\n");
  const by = lines.map((line) => back ? line.replace(/^ {1,2}|^\t/, "") : STEP + line).join("\n");
  return by === text.slice(first, end) ? null : { from: first, to: end, by };
}

/** Text that Enter inserts: a line break, and the blanks the line began with. */
export function lineBreak({ text, start, end }: Edit): Replacement {
  const first = text.lastIndexOf("\n", start - 1) + 1;
  const blanks = /^[ \t]*/.exec(text.slice(first, start))![0];
  return { from: start, to: end, by: `\n${blanks}` };
}

/** Offsets of the start and the end of a line, counted from 1. */
export function lineRange(text: string, line: number): { start: number; end: number } {
  let start = 0;
  for (let at = 1; at < line; at++) {
    const next = text.indexOf("\n", start);
    if (next < 0) break;
    start = next + 1;
  }
  const end = text.indexOf("\n", start);
  return { start, end: end < 0 ? text.length : end };
}
