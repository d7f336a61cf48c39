/** Calls that are made again while they are carried out: the second joins the first. Pure. */

/** Calls under way, by what they are. */
export class InFlight<T> {
  readonly #running = new Map<string, Promise<T>>();

  /** Carries work out, or gives the result of the same work that is under way. @throws what the work throws */
  join(what: readonly unknown[], work: () => Promise<T>): Promise<T> {
    const key = JSON.stringify(what), running = this.#running.get(key);
    if (running !== undefined) return running;
    const result = work().finally(() => this.#running.delete(key));
    this.#running.set(key, result);
    return result;
  }
}
