/**
 * Island props on their way to the browser: JSON, and signals.
 *
 * A signal becomes `{ "$signal": n }`, a place in a table, so that a signal given to two islands stays one signal.
 * A key of the page's own that begins with `$` gets one more, so that nothing can be mistaken for it.
 */
import { Signal } from "@preact/signals";
import { isValidElement } from "preact";

/** A value of JSON. */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** Collects the props of one page's islands. */
export class PropsWriter {
  /** Props of each island instance, in the order they were rendered. */
  readonly props: Json[] = [];
  /** Values of the signals they share. */
  readonly signals: Json[] = [];
  readonly #places = new Map<Signal, number>();

  /**
   * Adds an island instance.
   *
   * @returns Its place in `props`.
   * @throws {TypeError} naming island and prop, for what JSON cannot carry.
   */
  add(island: string, props: Readonly<Record<string, unknown>>): number {
    const { children, ...rest } = props;
    if (children !== undefined && children !== null && children !== false) {
      throw new TypeError(`Island "${island}" was given children. Render them inside the island instead.`);
    }
    return this.props.push(this.#write(rest, island, [], [])) - 1;
  }

  #write(value: unknown, island: string, path: string[], parents: object[]): Json {
    const refuse = (what: string): never => {
      throw new TypeError(
        `Island "${island}" was given ${what} as "${path.join(".")}". Its props must be JSON or signals.`,
      );
    };
    if (value === null || typeof value === "string" || typeof value === "boolean") return value;
    if (typeof value === "number") return Number.isFinite(value) ? value : refuse(String(value));
    if (typeof value !== "object") return refuse(`a value of type ${typeof value}`);
    if (value instanceof Signal) return { $signal: this.#place(value, island, path) };
    if (isValidElement(value)) return refuse("JSX");
    if (parents.includes(value)) return refuse("an object that contains itself");

    const within = [...parents, value];
    if (Array.isArray(value)) {
      return Array.from(value, (item, index) => this.#write(item, island, [...path, `${index}`], within));
    }
    const prototype = Object.getPrototypeOf(value);
    if (prototype !== Object.prototype && prototype !== null) {
      return refuse(`an instance of ${prototype.constructor?.name ?? "a class"}`);
    }
    if (Object.getOwnPropertySymbols(value).length > 0) return refuse("an object with a symbol for a key");
    return Object.fromEntries(
      Object.entries(value)
        .filter(([, item]) => item !== undefined)
        .map(([key, item]) => [
          key.startsWith("$") ? `$${key}` : key,
          this.#write(item, island, [...path, key], within),
        ]),
    );
  }

  #place(signal: Signal, island: string, path: string[]): number {
    const known = this.#places.get(signal);
    if (known !== undefined) return known;
    const place = this.signals.push(null) - 1;
    this.#places.set(signal, place); // before its value: a signal may hold itself
    this.signals[place] = this.#write(signal.peek(), island, path, []);
    return place;
  }
}

/** JSON that may stand in a `<script>` element: no character of it ends the element or begins another. */
export function scriptJson(value: Json): string {
  return JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (character) => "\\u" + character.charCodeAt(0).toString(16).padStart(4, "0"),
  );
}
