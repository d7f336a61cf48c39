/**
 * A value that one feature provides and others use. The features do not know each other: the application
 * holds it between them.
 */
export class Provided<T> {
  #value: { readonly given: T } | undefined;

  /** @param name for the error of a use before it was given */
  constructor(private readonly name: string) {}

  /** @throws {Error} when it was given before */
  give(value: T): void {
    if (this.#value !== undefined) throw new Error(`${this.name} are provided twice`);
    this.#value = { given: value };
  }

  /** @throws {Error} while features are being opened, before one has given it */
  get(): T {
    if (this.#value === undefined) throw new Error(`no feature provides ${this.name}`);
    return this.#value.given;
  }
}
