/** Takes back what was done when a later part of the work fails. */
import { log } from "./log.ts";

/** What could not be taken back, and why. */
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
   * Takes every part back, the last first, and goes on after one that cannot be. It throws nothing: the error that led
   * here is the one to tell.
   *
   * @returns what could not be taken back
   */
  async run(): Promise<readonly NotTakenBack[]> {
    const stack = this.#stack;
    this.#stack = new AsyncDisposableStack();
    await stack.disposeAsync();
    return this.#left.splice(0);
  }
}
