/** Takes back what was done when a later part of the work fails. */
import { log } from "./log.ts";

/** A part that could not be undone, and the reason. */
export interface NotTakenBack {
  readonly what: string;
  readonly error: unknown;
}

/** How the parts of a work that were done are taken back. */
export class Rollback {
  #stack = new AsyncDisposableStack();
  #left: NotTakenBack[] = [];

  /** Remembers how to take a part back. @param what names the part, in the log and for a person */
  add(what: string, back: () => unknown): void {
    this.#stack.defer(async () => {
      try {
        await back();
      } catch (error) {
        log.error(`could not take back: ${what}`, { error });
        this.#left.push({ what, error });
      }
    });
  }

  /**
   * Undoes every part, the last first, and continues after one that fails. It throws nothing: the error that
   * led here is the one to report.
   *
   * @returns the parts that could not be undone
   */
  async run(): Promise<readonly NotTakenBack[]> {
    const stack = this.#stack;
    this.#stack = new AsyncDisposableStack();
    await stack.disposeAsync();
    return this.#left.splice(0);
  }
}
