/**
 * Words after a verb, as options and positionals in the way of getopt_long(3). Not Node's `parseArgs`: that loads
 * several milliseconds of Node, knows no optional values, and its errors name no option that is near.
 */
import { translated } from "../lib/i18n/locale.ts";
import { message } from "../lib/i18n/message.ts";
import { BOOLEANS } from "../lib/text/values.ts";
import { UsageError } from "./verb/values.ts";
import { didYouMean } from "./suggestion.ts";

/** Whether help is asked for. What follows `--` are names, whatever they look like. */
export function asksForHelp(args: readonly string[]): boolean {
  const end = args.indexOf("--");
  return args.slice(0, end === -1 ? undefined : end).some((arg) => arg === "--help" || arg === "-h");
}

/** An option. */
export interface ArgumentOption {
  readonly type: "boolean" | "string";
  readonly short?: string;
  /** May be given several times; the last one counts otherwise. */
  readonly multiple?: boolean;
  /** Its value may be left out; these words are one although they stand apart: `--wait agent`. */
  readonly optional?: readonly string[];
}
/** Options by their long names. */
export type ArgumentOptions = Readonly<Record<string, ArgumentOption>>;

/** Type of an option's value. */
type ValueOf<O extends ArgumentOption> = O["type"] extends "boolean" ? boolean
  : O extends { readonly multiple: true } ? string[]
  : O extends { readonly optional: readonly string[] } ? string | true
  : string;

/** A parsed command line. */
export interface Parsed<O extends ArgumentOptions> {
  readonly positionals: string[];
  readonly values: { [N in keyof O]?: ValueOf<O[N]> };
}

class Reader {
  readonly positionals: string[] = [];
  readonly values: Record<string, boolean | string | string[]> = {};
  #at = 0;

  constructor(
    private readonly args: readonly string[],
    private readonly options: ArgumentOptions,
    private readonly elsewhere: Readonly<Record<string, string>>,
  ) {}

  read(): void {
    while (this.#at < this.args.length) {
      const word = this.args[this.#at++]!;
      if (word === "--") {
        this.positionals.push(...this.args.slice(this.#at));
        return;
      }
      if (word.startsWith("--")) this.#long(word.slice(2));
      else if (word.startsWith("-") && word !== "-") this.#shorts(word.slice(1));
      else this.positionals.push(word);
    }
  }

  #optionNamed(name: string): ArgumentOption | undefined {
    return Object.hasOwn(this.options, name) ? this.options[name] : undefined;
  }

  #long(text: string): void {
    const equals = text.indexOf("=");
    const name = equals < 0 ? text : text.slice(0, equals);
    const value = equals < 0 ? undefined : text.slice(equals + 1);
    const option = this.#optionNamed(name);
    if (option) return this.#take(name, option, value);
    const negated = name.startsWith("no-") ? name.slice(3) : "";
    if (value === undefined && this.#optionNamed(negated)?.type === "boolean") {
      this.values[negated] = false;
      return;
    }
    const here = Object.hasOwn(this.elsewhere, name) ? ` ${translated(this.elsewhere[name]!)}` : "";
    const near = here || didYouMean(name, Object.keys(this.options), (each) => `--${each}`);
    throw new UsageError(message`unknown option --${name}${near && `.${near}`}`);
  }

  /** `-o json`, `-ojson`, `-wy`. */
  #shorts(letters: string): void {
    const [letter = "", rest] = [letters[0], letters.slice(1)];
    const found = Object.entries(this.options).find(([, { short }]) => short === letter);
    if (!found) throw new UsageError(message`unknown option -${letter}`);
    const [name, option] = found;
    if (option.type === "boolean") {
      this.#take(name, option, undefined);
      if (rest !== "") this.#shorts(rest);
    } else this.#take(name, option, rest === "" ? undefined : rest);
  }

  #take(name: string, option: ArgumentOption, given: string | undefined): void {
    if (option.type === "boolean") {
      this.values[name] = given === undefined ? true : this.#boolean(name, given);
      return;
    }
    if (option.optional) {
      const next = this.args[this.#at];
      const isValue = given === undefined && next !== undefined && option.optional.includes(next);
      if (isValue) this.#at++;
      this.values[name] = given ?? (isValue ? next : true);
      return;
    }
    const value = given ?? this.#next(name);
    if (option.multiple) this.values[name] = [...(this.values[name] as string[] | undefined) ?? [], value];
    else this.values[name] = value;
  }

  #boolean(name: string, given: string): boolean {
    const value = Object.hasOwn(BOOLEANS, given.toLowerCase()) ? BOOLEANS[given.toLowerCase()] : undefined;
    if (value === undefined) {
      throw new UsageError(message`--${name} must be yes or no, not ${JSON.stringify(given)}`);
    }
    return value;
  }

  #next(name: string): string {
    const value = this.args[this.#at++];
    if (value === undefined) throw new UsageError(message`--${name} needs a value`);
    // What looks like an option is one that was meant as such: the value is missing.
    if (value.startsWith("-") && value !== "-" && !/^-\d/.test(value)) {
      throw new UsageError(
        message`--${name} needs a value, and ${value} looks like an option. A value with a dash in front is written --${name}=${value}`,
      );
    }
    return value;
  }
}

/**
 * Reads words.
 *
 * @param elsewhere options that other tools have, with what does that here
 * @throws {UsageError} for an unknown option, or one without its value
 */
export function parsed<const O extends ArgumentOptions>(
  args: readonly string[],
  options: O,
  elsewhere: Readonly<Record<string, string>> = {},
): Parsed<O> {
  const reader = new Reader(args, options, elsewhere);
  reader.read();
  return { positionals: reader.positionals, values: reader.values as Parsed<O>["values"] };
}

/** The options of a line that has nothing else. @throws {UsageError} for a word that is none */
export function optionsAlone<const O extends ArgumentOptions>(
  args: readonly string[],
  options: O,
): Parsed<O>["values"] {
  const { positionals: [word], values } = parsed(args, options);
  if (word !== undefined) throw new UsageError(message`${word} is one word too many`);
  return values;
}
