/** How fast something goes, by what it did lately. */

/** Milliseconds looked back: shorter jumps, longer is blind to a change. */
const WINDOW_MS = 15_000;
/** Milliseconds before which nothing is said: the first numbers mean nothing. */
const FIRST_MS = 2000;
/** Most points kept; nearer ones replace the last. */
const STEP_MS = 500;

export class JobPace {
  #points: { readonly at: number; readonly done: number }[] = [];

  /** Takes note that so much is done. @param at milliseconds, any origin */
  add(at: number, done: number): void {
    const points = this.#points, last = points.at(-1), before = points.at(-2);
    // Less than before: it began again.
    if (last !== undefined && done < last.done) this.#points = [];
    else if (last !== undefined && before !== undefined && at - before.at < STEP_MS) points.pop();
    this.#points.push({ at, done });
    while (this.#points.length > 2 && this.#points[0]!.at < at - WINDOW_MS) this.#points.shift();
  }

  /** Whole seconds that the rest takes at this pace; null while that cannot be told. */
  secondsLeft(rest: number): number | null {
    const first = this.#points[0], last = this.#points.at(-1);
    if (
      first === undefined || last === undefined || last.at - first.at < FIRST_MS || last.done <= first.done
    ) {
      return null;
    }
    const perMs = (last.done - first.done) / (last.at - first.at);
    return Math.max(0, Math.ceil(rest / perMs / 1000));
  }
}
