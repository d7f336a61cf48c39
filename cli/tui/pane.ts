/** Parts of the terminal UI: what is shown, and which keys it has. The app puts them upon each other. */
import type { Look } from "./paint.ts";
import type { StyledLine } from "./line.ts";

/** Area that a pane is drawn in. */
export interface PaneArea {
  readonly columns: number;
  readonly rows: number;
  readonly look: Look;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** A key and what it does: the help line, the page of keys and clicks are made of these. */
export interface Binding {
  readonly keys: readonly string[];
  /** How it is shown: `Enter`. Its first key when left out. */
  readonly shown?: string;
  readonly label: string;
  readonly run: () => void;
  /** Stands on the page of keys alone. */
  readonly isMinor?: true;
}

/** A part. */
export interface Pane {
  readonly title: string;
  /** As many lines as there are rows, or fewer. */
  lines(place: PaneArea): readonly StyledLine[];
  /** The keys that mean something now. */
  bindings(): readonly Binding[];
  /** A key without a binding: a character of a text. */
  type?(key: string): void;
  paste?(text: string): void;
  /** A click on a span with this `press`, that is no key. */
  click?(press: string): void;
}

/** A key as people write it: `Ctrl+p`, `Esc`, `y`. */
export function keyName(key: string): string {
  if (key === " ") return "Space";
  return key.replace(/^[a-z][a-z-]+/, (word) => word[0]!.toUpperCase() + word.slice(1));
}

/** How the keys of a binding are shown. */
export const shownKey = ({ keys: [first = ""], shown }: Binding): string => shown ?? keyName(first);
