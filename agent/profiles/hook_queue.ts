/** Runs of one hook, one after the other. Projects take turns: none waits for all that another has caused. */
export class HookQueue {
  /** By project; the one whose turn is next is first. */
  readonly #waiting = new Map<string, (() => Promise<void>)[]>();
  #isRunning = false;

  /** @param mostOfOne runs of one project that may wait */
  constructor(private readonly mostOfOne: number) {}

  /**
   * Adds a run.
   *
   * @param run must not throw
   * @returns false where too many of the project wait already: it is not run
   */
  add(project: string, run: () => Promise<void>): boolean {
    const own = this.#waiting.get(project) ?? [];
    if (own.length >= this.mostOfOne) return false;
    own.push(run);
    this.#waiting.set(project, own);
    if (!this.#isRunning) void this.#drain();
    return true;
  }

  async #drain(): Promise<void> {
    this.#isRunning = true;
    for (let next = this.#next(); next !== undefined; next = this.#next()) await next();
    this.#isRunning = false;
  }

  /** Takes the run whose turn it is; its project is the last one then. */
  #next(): (() => Promise<void>) | undefined {
    const [first] = this.#waiting;
    if (first === undefined) return undefined;
    const [project, own] = first, run = own.shift();
    this.#waiting.delete(project);
    if (own.length > 0) this.#waiting.set(project, own);
    return run;
  }
}
