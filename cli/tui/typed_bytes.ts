/** Bytes that are typed while a console has the terminal: handed in as they come, read one by one. */
export class TypedBytes implements AsyncIterable<Uint8Array> {
  #waiting: Uint8Array[] = [];
  #isOver = false;
  #wake = Promise.withResolvers<void>();

  push(bytes: Uint8Array): void {
    this.#waiting.push(bytes.slice());
    this.#wake.resolve();
  }

  /** No more come. */
  end(): void {
    this.#isOver = true;
    this.#wake.resolve();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (;;) {
      for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) yield next;
      if (this.#isOver) return;
      await this.#wake.promise;
      this.#wake = Promise.withResolvers();
    }
  }
}
