/** Lines as what is written to a terminal (ECMA-48). Pure. Nothing of a text reaches the terminal but by {@link paint}. */
import type { Glyphs } from "./glyphs.ts";
import type { Span, Style, StyledLine } from "./line.ts";
import { fit } from "./width.ts";

/** Abilities of a terminal. */
export interface Look {
  readonly colours: boolean;
  readonly glyphs: Glyphs;
}

const ESCAPE = "\x1b[";
const RESET = `${ESCAPE}0m`;

/** Style → SGR parameters without and with colours: reverse and bold are none. */
const SGR: Readonly<Record<Style, readonly [plain: string, coloured: string]>> = {
  plain: ["", ""],
  dim: ["", "90"],
  strong: ["1", "1"],
  title: ["1;7", "1;37;44"],
  ok: ["", "32"],
  warn: ["1", "33"],
  bad: ["1", "1;31"],
  info: ["", "36"],
  key: ["1", "1;36"],
  selected: ["7", "7"],
  cursor: ["7", "7"],
};

const styled = (text: string, style: Style, { colours }: Look) => {
  const parameters = SGR[style][colours ? 1 : 0];
  return parameters === "" || text === "" ? text : `${ESCAPE}${parameters}m${text}${RESET}`;
};

// deno-lint-ignore no-control-regex -- all of ASCII
const ASCII_ONLY = /^[\x00-\x7f]*$/;

/** A span in the columns that are left. */
function inColumns(
  { text, width, right }: Span,
  left: number,
  { glyphs }: Look,
): { text: string; columns: number } {
  const most = Math.min(left, width ?? left);
  const found = fit(text, most, glyphs);
  if (width === undefined) return found;
  const blanks = " ".repeat(most - found.columns);
  return { text: right ? blanks + found.text : found.text + blanks, columns: most };
}

/** A line as it is written over another, never wider than the terminal. */
export function paint(line: StyledLine, columns: number, look: Look): string {
  let painted = "", at = 0;
  for (const span of line) {
    const part = inColumns(span, columns - at, look);
    if (part.columns === 0 && part.text === "") continue;
    at += part.columns;
    painted += styled(part.text, span.style ?? "plain", look);
    // Terminals disagree on the width of some characters: what follows begins at its own column all the same.
    if (!ASCII_ONLY.test(part.text) && at < columns) painted += `${ESCAPE}${at + 1}G`;
  }
  // Cleared after it is written: what was there never shows through, and nothing flickers. At the edge it would be the
  // last character that is cleared, as the cursor stays on it.
  return at < columns ? `${painted}${ESCAPE}K` : painted;
}

/** The `press` of the span at a column of a line. */
export function pressedAt(line: StyledLine, column: number, columns: number, look: Look): string | undefined {
  let at = 0;
  for (const span of line) {
    at += inColumns(span, columns - at, look).columns;
    if (column < at) return span.press;
  }
  return line.at(-1)?.press?.startsWith("row:") ? line.at(-1)!.press : undefined;
}

/**
 * Escape sequences that turn the frame before into this one: rows that are equal are left alone.
 *
 * @param before painted rows of the screen; null if they are unknown
 */
export function difference(before: readonly string[] | null, now: readonly string[]): string {
  let text = "";
  now.forEach((row, index) => {
    if (before?.[index] !== row) text += `${ESCAPE}${index + 1};1H${row}`;
  });
  // What draws at once needs no half frames (mode 2026); who does not know the mode leaves it alone.
  return text === "" ? "" : `${ESCAPE}?2026h${text}${ESCAPE}?2026l`;
}
