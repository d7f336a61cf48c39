/**
 * Configuration files of libvirt's daemons: `name = value`, where a value is a number, a text in quotes or a list of them.
 * They are changed in place: comments, order and all other lines stay. Source: virconf.c of libvirt. Pure.
 */

/** A value; texts in lists alone are read, since no list of numbers exists. */
export type ConfValue = number | string | readonly (number | string)[];

/** One setting, and where its parts stand in the text, in characters. */
export interface ConfEntry {
  readonly name: string;
  readonly value: ConfValue;
  /** Of its name, and the end of its value. */
  readonly from: number;
  readonly to: number;
  /** Offset of its value. */
  readonly valueFrom: number;
  /** Line of its name, from 1. */
  readonly line: number;
}

/** Something libvirt would not read either, and the line where it stands. */
export class ConfError extends Error {
  override readonly name = "ConfError";
  constructor(message: string, readonly line: number) {
    super(`line ${line}: ${message}`);
  }
}

const NAME = /[A-Za-z][A-Za-z0-9_-]*/y, NUMBER = /[-+]?\d+/y;

/** Reads a text from its beginning to its end. */
class Reader {
  at = 0;
  constructor(readonly text: string) {}

  get line(): number {
    let line = 1;
    for (let at = this.text.indexOf("\n"); at >= 0 && at < this.at; at = this.text.indexOf("\n", at + 1)) {
      line++;
    }
    return line;
  }

  fail(what: string): never {
    throw new ConfError(what, this.line);
  }

  /** Passes blanks, and with `lines` also line ends and comments. */
  skip(lines: boolean): void {
    for (;;) {
      const letter = this.text[this.at];
      if (letter === " " || letter === "\t" || lines && (letter === "\n" || letter === "\r")) this.at++;
      else if (lines && letter === "#") {
        const end = this.text.indexOf("\n", this.at);
        this.at = end < 0 ? this.text.length : end;
      } else return;
    }
  }

  match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0];
    if (found !== undefined) this.at += found.length;
    return found;
  }

  /** A text in quotes: on one line, but for `"""`. */
  #quoted(): string {
    const quote = this.text.startsWith('"""', this.at) ? '"""' : this.text[this.at]!;
    const begin = this.at + quote.length, end = this.text.indexOf(quote, begin);
    const value = end < 0 ? undefined : this.text.slice(begin, end);
    if (value === undefined || quote !== '"""' && value.includes("\n")) {
      this.fail("a text has no closing quote");
    }
    this.at = end + quote.length;
    return value;
  }

  #scalar(): number | string {
    const letter = this.text[this.at];
    if (letter === '"' || letter === "'") return this.#quoted();
    const number = this.match(NUMBER);
    if (number === undefined) this.fail("a value is neither a number nor a text in quotes");
    return Number(number);
  }

  value(): ConfValue {
    if (this.text[this.at] !== "[") return this.#scalar();
    this.at++;
    const list: (number | string)[] = [];
    for (;;) {
      this.skip(true);
      if (this.text[this.at] === "]") break;
      list.push(this.#scalar());
      this.skip(true);
      if (this.text[this.at] === ",") this.at++;
      else if (this.text[this.at] !== "]") this.fail("a list has no closing bracket");
    }
    this.at++;
    return list;
  }
}

/** All settings of a file, in its order. @throws {ConfError} */
export function readConf(text: string): ConfEntry[] {
  const reader = new Reader(text), entries: ConfEntry[] = [];
  for (;;) {
    reader.skip(true);
    if (reader.at >= text.length) return entries;
    const from = reader.at, line = reader.line;
    const name = reader.match(NAME) ?? reader.fail("no setting begins like this");
    reader.skip(false);
    if (text[reader.at] !== "=") reader.fail(`${name} has no =`);
    reader.at++;
    reader.skip(false);
    const valueFrom = reader.at, value = reader.value(), to = reader.at;
    reader.skip(false);
    const next = text[reader.at];
    if (next !== undefined && !"\n\r#".includes(next)) reader.fail(`something follows the value of ${name}`);
    entries.push({ name, value, from, to, valueFrom, line });
  }
}

/** The setting of a name; undefined where there is none. @throws {ConfError} where it is set twice: libvirt takes one */
export function settingOf(entries: readonly ConfEntry[], name: string): ConfEntry | undefined {
  const [first, second] = entries.filter((entry) => entry.name === name);
  if (second !== undefined) throw new ConfError(`${name} is set a second time`, second.line);
  return first;
}

/** A value as such a file has it. @throws {RangeError} for a text that it cannot hold */
function valueText(value: number | string): string {
  if (typeof value === "number") return String(value);
  // deno-lint-ignore no-control-regex -- a line end, or a quote, would begin something else
  if (/["\u0000-\u001f\u007f]/.test(value)) {
    throw new RangeError("the text holds a quote or a control character");
  }
  return `"${value}"`;
}

/** The line on which a character stands: its first and its end. */
function lineAround(text: string, from: number, to: number): { begin: number; end: number } {
  const end = text.indexOf("\n", to);
  return { begin: text.lastIndexOf("\n", from - 1) + 1, end: end < 0 ? text.length : end };
}

/** The line that packages have for a setting that is not made: `#lock_manager = "lockd"`. */
const commented = (name: string) => new RegExp(`^#[ \\t]*${name}[ \\t]*=.*$`, "m");

/**
 * Changes one setting. One that is not there yet takes the place of its commented line, else it comes at the end; what is
 * taken out becomes a comment.
 *
 * @param value null takes it out
 * @throws {ConfError} @throws {RangeError}
 */
export function changeConf(text: string, name: string, value: number | string | null): string {
  const entry = settingOf(readConf(text), name);
  if (value === null) {
    if (entry === undefined) return text;
    const { begin } = lineAround(text, entry.from, entry.to);
    const lines = text.slice(entry.from, entry.to).replaceAll("\n", "\n#");
    return text.slice(0, begin) + "#" + text.slice(begin, entry.from) + lines + text.slice(entry.to);
  }
  const written = valueText(value);
  if (entry !== undefined) return text.slice(0, entry.valueFrom) + written + text.slice(entry.to);
  const line = `${name} = ${written}`, place = commented(name).exec(text);
  if (place !== null) return text.slice(0, place.index) + line + text.slice(place.index + place[0].length);
  return text + (text === "" || text.endsWith("\n") ? "" : "\n") + line + "\n";
}
