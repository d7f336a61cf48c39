/** Calls that are made again while they are carried out: the second joins the first. Pure. */

/** Texts of the same value are the same: keys of objects stand in order. */
function keyOf(value: unknown): string {
  return JSON.stringify(
    value,
    (_key, each: unknown) =>
      typeof each === "object" && each !== null && !Array.isArray(each)
        ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => a < b ? -1 : 1))
        : each,
  ) ?? "";
}

/** Calls under way, by what they are. */
export class InFlight<T> {
  readonly #running = new Map<string, Promise<T>>();

  /** Carries work out, or gives the result of the same work that is under way. @throws what the work throws */
  join(what: readonly unknown[], work: () => Promise<T>): Promise<T> {
    const key = keyOf(what), running = this.#running.get(key);
    if (running !== undefined) return running;
    const result = work().finally(() => this.#running.delete(key));
    this.#running.set(key, result);
    return result;
  }
}
