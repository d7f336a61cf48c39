/** A line of the result: our figure, compared with a peer's. */
import { differences, median, ratios } from "./measure.ts";

/** Target of a figure. */
export interface Aim {
  /** Ours over theirs, at most. */
  readonly ratio?: number;
  /** Our figure, at most. */
  readonly most?: number;
}

/** A line of the result. */
export interface Row {
  readonly what: string;
  readonly ours: number;
  readonly theirs: number | null;
  /** Name of the program that "theirs" stands for. */
  readonly peer: string | null;
  /** Ours over theirs: the median of the rounds' own ratios. */
  readonly ratio: number | null;
  readonly unit: Unit;
  readonly runs: number;
  readonly aim: Aim | null;
}

/** Units, and the digits after the point that mean something. */
export const UNITS = { ms: 1, µs: 1, MB: 1, KB: 1, B: 2, calls: 2, "%": 2 } as const;
export type Unit = keyof typeof UNITS;

interface Ours {
  readonly what: string;
  readonly ours: readonly number[];
  readonly unit?: Unit;
  readonly aim?: Aim;
}

interface Both extends Ours {
  readonly theirs: readonly number[];
  readonly peer: string;
}

/** A figure of ours without a peer. */
export function alone({ what, ours, unit = "ms", aim }: Ours): Row {
  return {
    what,
    ours: median(ours),
    theirs: null,
    peer: null,
    ratio: null,
    unit,
    runs: ours.length,
    aim: aim ?? null,
  };
}

/** Ours compared with theirs, taken in the same rounds. */
export function comparison(both: Both): Row {
  const { theirs, peer, ours } = both;
  return { ...alone(both), theirs: median(theirs), peer, ratio: median(ratios(ours, theirs)) };
}

/** Ours compared with a figure that was taken once, on the same machine (PERFORMANCE.md). */
export function recordedComparison(both: Ours & { readonly recorded: number; readonly peer: string }): Row {
  const row = alone(both);
  return {
    ...row,
    theirs: both.recorded,
    peer: `${both.peer} (recorded)`,
    ratio: row.ours / both.recorded,
  };
}

/** How much longer ours takes: the median of the rounds' own differences. */
export function longer(both: Both): Row {
  return { ...alone({ ...both, ours: differences(both.ours, both.theirs) }), peer: `over ${both.peer}` };
}

/** Whether a line holds its aim; null without one. */
export function holds({ aim, ratio, ours }: Row): boolean | null {
  if (aim === null) return null;
  return (aim.most === undefined || ours <= aim.most) &&
    (aim.ratio === undefined || (ratio !== null && ratio <= aim.ratio));
}
