/** Work that runs one after the other. Pure. */
export class Mutex {
  #last: Promise<unknown> = Promise.resolve();

  /** Runs work once all that came before is over, whether that failed or not. @throws what the work throws */
  run<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(work);
    this.#last = mine.catch(() => {/* thrown to who asked for it; the next one begins again */});
    return mine;
  }
}
