/** Rows of a list, their order and columns: `--state`, `--filter`, `--sort`, `--columns`. Pure. */
import { message, render } from "../../lib/i18n/message.ts";
import { didYouMean } from "../suggestion.ts";
import { at, cell, heading, NO_RESPONSE, type Row, shownAt, shownHeading } from "./cells.ts";
import type { CommonValues } from "./common.ts";
import { hasLabel } from "../../lib/text/labels.ts";
import { matcher } from "../../lib/text/pattern.ts";
import { type Layout, textOf } from "./output.ts";
import { momentFields } from "../../lib/contract/moments.ts";
import { valueKind } from "../../lib/text/values.ts";
import { UsageError, valueOf } from "./values.ts";
import { wordHere } from "./words.ts";

/** How columns are called: the field, the field in words, the heading in English and in the shell's language. */
const namesOf = (path: string) => [
  path,
  path.replace(/[A-Z]/g, (letter) => `-${letter}`).toLowerCase(),
  heading(path).toLowerCase().replaceAll(" ", "-"),
  shownHeading(path).toLowerCase().replaceAll(" ", "-"),
];

/** How a number is compared with a bound. */
const OPERATORS = {
  ">=": (value: number, bound: number) => value >= bound,
  "<=": (value: number, bound: number) => value <= bound,
  ">": (value: number, bound: number) => value > bound,
  "<": (value: number, bound: number) => value < bound,
} as const;
type Operator = keyof typeof OPERATORS;

/** A list, and how it is laid out. */
export class ListView {
  /** Fields by each of their names. The layout's columns win over fields that are called like them. */
  readonly #fields = new Map<string, string>();

  /** @param states what `--state` may say, where the contract says which states there are */
  constructor(
    private readonly rows: readonly Row[],
    private readonly layout: Layout,
    fields: readonly string[],
    private readonly states: readonly string[] | undefined,
  ) {
    for (const path of [...layout.columns ?? [], ...layout.wide ?? [], ...fields]) {
      for (const name of namesOf(path)) if (!this.#fields.has(name)) this.#fields.set(name, path);
    }
  }

  /** The field of a column. @throws {UsageError} */
  #field(name: string, flag: string): string {
    const path = this.#fields.get(name) ?? this.#fields.get(name.toLowerCase());
    if (path !== undefined) return path;
    const shown = [...this.layout.columns ?? [], ...this.layout.wide ?? []].map((each) => namesOf(each)[2]!);
    const near = didYouMean(name, this.#fields.keys()) ||
      ` ${render(message`There are ${shown.join(", ")}`)}`;
    throw new UsageError(message`--${flag}: no column ${JSON.stringify(name)}.${near}`);
  }

  /** @throws {UsageError} for a value that is none */
  #comparison(name: string, operator: Operator, given: string): (row: Row) => boolean {
    const path = this.#field(name, "filter"), field = path.split(/[.|]/).at(-1)!;
    const kind = momentFields().has(field) ? "time" : valueKind(field, { type: "number" });
    const bound = valueOf(field, kind, given, `--filter ${name}`) as number;
    return (row) => {
      const value = at(row, path);
      return typeof value === "number" && OPERATORS[operator](value, bound);
    };
  }

  #filter(text: string): (row: Row) => boolean {
    const [, compared, operator, bound] = /^([A-Za-z][\w.-]*)\s*(>=|<=|>|<)\s*(.+)$/s.exec(text) ?? [];
    if (compared !== undefined) return this.#comparison(compared, operator as Operator, bound!);
    const [, name, not, pattern] = /^([A-Za-z][\w.-]*)(!)?=(.*)$/s.exec(text) ?? [];
    if (name !== undefined && pattern !== undefined) {
      const path = this.#field(name, "filter"), fits = matcher(pattern);
      const holds = (row: Row) => {
        const value = at(row, path);
        const each = Array.isArray(value) ? value : [value];
        return each.some((one) => fits.test(textOf(one)) || fits.test(cell(path, one))) ||
          fits.test(cell(path, value)) || fits.test(cell(path, shownAt(row, path)));
      };
      return not === undefined ? holds : (row) => !holds(row);
    }
    const shown = [...this.layout.columns ?? this.#fields.values(), ...this.layout.wide ?? []];
    const fits = matcher(`*${text}*`);
    return (row) => shown.some((path) => fits.test(cell(path, shownAt(row, path))));
  }

  /** @throws {UsageError} for a state there is not: an empty list would say that nothing is in it */
  #requireState(state: string): void {
    const fits = matcher(state);
    if (this.states === undefined) return;
    const states = this.#fields.has("responsive") ? [...this.states, NO_RESPONSE] : this.states;
    if (states.some((each) => fits.test(each) || fits.test(wordHere(each)))) return;
    const near = didYouMean(state, states) || ` ${render(message`There are ${states.join(", ")}`)}`;
    throw new UsageError(message`--state: no state ${JSON.stringify(state)}.${near}`);
  }

  /** The rows that are wanted, in their order. @throws {UsageError} for a column or a state there is not */
  selected({ state, filter = [], label = [], sort, reverse = false }: CommonValues): Row[] {
    if (state !== undefined) this.#requireState(state);
    const filters = [...state === undefined ? [] : [`state=${state}`], ...filter].map((each) =>
      this.#filter(each)
    );
    const found = this.rows.filter((row) =>
      filters.every((fits) => fits(row)) && label.every((each) => hasLabel(row.tags, each))
    );
    if (sort !== undefined) {
      const path = this.#field(sort, "sort"), collator = new Intl.Collator(undefined, { numeric: true });
      found.sort((a, b) => compared(at(a, path), at(b, path), collator));
    }
    return reverse ? found.reverse() : found;
  }

  /** The layout with the columns that are wanted. @throws {UsageError} for a column there is not */
  layoutOf({ columns }: CommonValues): Layout {
    if (columns === undefined) return this.layout;
    const names = columns.split(",").map((name) => name.trim()).filter((name) => name !== "");
    if (names.length === 0) throw new UsageError("--columns names none");
    const chosen = names.map((name) => this.#field(name, "columns"));
    return { ...this.layout, columns: chosen, wide: [], ifTold: [], ifVaried: [] };
  }
}

/** Numbers by size, texts as people order them (`vm2` before `vm10`), what is not known last. */
function compared(a: unknown, b: unknown, collator: Intl.Collator): number {
  const isNone = (value: unknown) => value === undefined || value === null || value === "";
  if (isNone(a) || isNone(b)) return Number(isNone(a)) - Number(isNone(b));
  return typeof a === "number" && typeof b === "number" ? a - b : collator.compare(textOf(a), textOf(b));
}
