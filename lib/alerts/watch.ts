/** How a watched thing goes from well to firing and back, as one table. Pure. */

/**
 * Results of a check. `between`: back at the threshold, not yet beyond the clear threshold. `gone`: the object does not
 * exist any more.
 */
export const OBSERVATIONS = ["bad", "between", "good", "unknown", "gone"] as const;
export type Observation = typeof OBSERVATIONS[number];

/** `well` is not kept: what is not watched is well. */
export const WATCH_STATES = ["well", "pending", "firing", "acknowledged"] as const;
export type WatchState = typeof WATCH_STATES[number];

/** State of one watched object between checks. */
export interface Watch {
  readonly state: WatchState;
  /** Checks in a row: bad ones while pending, good ones while firing. */
  readonly count: number;
}

export const WELL: Watch = { state: "well", count: 0 };

/**
 * Effect of a check. rise: one more bad check, and it fires at enough. fall: one more good check, and it is over at
 * enough. hold: the good checks were not in a row. stay: no change. drop: forgotten. end: over.
 */
type Move = "rise" | "fall" | "hold" | "stay" | "drop" | "end";

const OPEN: Readonly<Record<Observation, Move>> = {
  bad: "hold",
  between: "hold",
  good: "fall",
  unknown: "stay",
  gone: "end",
};

/** State and observation → move. A gap (`unknown`) is no zero: it neither counts nor breaks the row. */
export const MOVES: Readonly<Record<WatchState, Readonly<Record<Observation, Move>>>> = {
  well: { bad: "rise", between: "stay", good: "stay", unknown: "stay", gone: "stay" },
  pending: { bad: "rise", between: "drop", good: "drop", unknown: "stay", gone: "drop" },
  firing: OPEN,
  acknowledged: OPEN,
};

/** New state after a check, and whether an alert began or ended. */
export interface WatchStep {
  readonly watch: Watch;
  readonly became?: "firing" | "cleared" | "gone";
}

/** One check. @param checks how many in a row it takes, both ways: at least 1 */
export function check(watch: Watch, seen: Observation, checks: number): WatchStep {
  const { state, count } = watch;
  switch (MOVES[state][seen]) {
    case "rise":
      return count + 1 >= checks
        ? { watch: { state: "firing", count: 0 }, became: "firing" }
        : { watch: { state: "pending", count: count + 1 } };
    case "fall":
      return count + 1 >= checks
        ? { watch: WELL, became: "cleared" }
        : { watch: { state, count: count + 1 } };
    case "hold":
      return { watch: count === 0 ? watch : { state, count: 0 } };
    case "drop":
      return { watch: WELL };
    case "end":
      return { watch: WELL, became: "gone" };
    case "stay":
      return { watch };
  }
}

/** A threshold, and where it is over again. */
export interface Threshold {
  readonly comparison: "above" | "below";
  readonly threshold?: number;
  readonly clearThreshold?: number;
}

/** Compares a figure with the thresholds. One that is not a number is `unknown`. */
export function observe(
  value: number,
  { comparison, threshold = 0, clearThreshold = threshold }: Threshold,
): Observation {
  if (Number.isNaN(value)) return "unknown";
  const sign = comparison === "above" ? 1 : -1;
  if (value * sign > threshold * sign) return "bad";
  return value * sign > clearThreshold * sign ? "between" : "good";
}
