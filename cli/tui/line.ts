/** Lines that the terminal UI draws: spans with styles. */

/** Meaning of a text; its look is up to the terminal (`paint.ts`). */
export type Style =
  | "plain"
  | "dim"
  | "strong"
  | "title"
  | "ok"
  | "warn"
  | "bad"
  | "info"
  | "key"
  | "selected"
  | "cursor";

/** A text in one style. It may come from anywhere: it is escaped when it is painted. */
export interface Span {
  readonly text: string;
  readonly style?: Style;
  /** Columns that it takes: cut or filled up. As many as its text without it. */
  readonly width?: number;
  /** Ends at its last column instead of beginning at its first. */
  readonly right?: true;
  /** Target of a click on it: a key (`enter`), or a row (`row:3`). */
  readonly press?: string;
}

/** A line of the screen. */
export type StyledLine = readonly Span[];

/** A span. */
export const span = (text: string, style: Style = "plain"): Span => ({ text, style });
/** A line with one text. */
export const line = (text: string, style: Style = "plain"): StyledLine => [span(text, style)];
