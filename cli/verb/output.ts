/** Answers as people and programs read them: tables, JSON, YAML, names. Pure. */
import {
  at,
  cell,
  coloured,
  escapeControlCharacters,
  isRow,
  type Row,
  shownAt,
  shownHeading,
  STEERING,
} from "./cells.ts";
import { locale, SOURCE_LOCALE } from "../../lib/i18n/locale.ts";

/** Ways to print an answer. */
export const OUTPUTS = ["table", "wide", "json", "yaml", "name"] as const;
export type OutputFormat = typeof OUTPUTS[number];
/** … of what is no list. */
export const PLAIN_OUTPUTS = ["table", "json", "yaml"] as const satisfies readonly OutputFormat[];

/** How a command's answer is laid out: its declaration in the contract. */
export interface Layout {
  /** Columns of its list. */
  readonly columns?: readonly string[];
  /** … that only the wide table has, behind those. */
  readonly wide?: readonly string[];
  /** Of its columns, those that are left out where no row has something there. */
  readonly ifTold?: readonly string[];
  /** … and those where all rows have the same. */
  readonly ifVaried?: readonly string[];
  /** Field with the list, if the answer has other fields as well. */
  readonly rows?: string;
  /** How other commands name what is in the list. */
  readonly lookup?: { readonly by: string; readonly in?: string };
}

/** For JSON and YAML, where a reader must get the text back whole. */
const escaped = (text: string) =>
  text.replace(
    STEERING,
    (character) =>
      character === "\n" ? character : `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );

/** Columns that a text takes in a terminal. */
type Width = (text: string) => number;

/** How a table is printed. */
interface Look {
  readonly colours: boolean;
  readonly width: Width;
}

/**
 * The library is loaded where a text has more than ASCII, of which each character takes one column: in an answer, or in
 * headings of another language.
 */
async function widthFor(answer: unknown): Promise<Width> {
  // deno-lint-ignore no-control-regex -- all of ASCII
  if (locale() === SOURCE_LOCALE && !/[^\x00-\x7f]/.test(JSON.stringify(answer))) {
    return (text) => text.length;
  }
  const { default: stringWidth } = await import("string-width");
  return stringWidth;
}

/** Columns padded to the widest of their cells. */
function grid(
  rows: readonly (readonly string[])[],
  width: Width,
  paint: (cell: string, row: number) => string,
): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => width(row[column]!))));
  const padded = (text: string, column: number) => text + " ".repeat(widths[column]! - width(text));
  return rows.map((row, index) =>
    row.map((text, column) => paint(column < row.length - 1 ? padded(text, column) : text, index))
      .join("  ").trimEnd()
  ).join("\n");
}

/** Fields of a list that are columns if none are named: those that hold one plain value in some row. */
function plainFields(rows: readonly Row[]): string[] {
  const fields = new Set(rows.flatMap((row) => Object.keys(row)));
  return [...fields].filter((field) =>
    rows.some((row) => row[field] !== null && typeof row[field] !== "object")
  );
}

/** Blanks at its ends are part of a name: without quotes "twin " looks like "twin". */
const visible = (text: string) => text === text.trim() ? text : JSON.stringify(text);

function list(
  rows: readonly Row[],
  fields: readonly string[] | undefined,
  { colours, width }: Look,
): string {
  const shown = fields ?? plainFields(rows);
  const cells = rows.map((row) => shown.map((field) => visible(cell(field, shownAt(row, field)))));
  const paint = (text: string, row: number) =>
    !colours ? text : row === 0 ? `\x1b[1m${text}\x1b[0m` : coloured(text);
  return grid([shown.map(shownHeading), ...cells], width, paint);
}

const indented = (text: string) => text.split("\n").map((line) => `  ${line}`.trimEnd()).join("\n");
const isRows = (value: unknown): value is readonly Row[] =>
  Array.isArray(value) && value.length > 0 && value.every(isRow);

/** One thing: its plain values in two columns, what has parts of its own below them. */
function thing(value: Row, look: Look): string {
  const entries = Object.entries(value);
  const isPart = (part: unknown) => isRows(part) || (isRow(part) && Object.keys(part).length > 0);
  const isText = (part: unknown) => typeof part === "string" && part.trim().includes("\n");
  const plain = entries.filter(([, part]) => !isPart(part) && !isText(part));
  const parts = entries.filter(([, part]) => isPart(part)).map(([field, part]) => {
    const below = isRows(part) ? list(part, undefined, look) : thing(part as Row, look);
    return `${shownHeading(field)}\n${indented(below)}`;
  });
  const texts = entries.filter(([, part]) => isText(part))
    .map(([field, part]) => `${shownHeading(field)}\n${indented(lines(part as string))}`);
  const paint = (text: string) => look.colours ? coloured(text) : text;
  // A thing of a VM has an id of its own in addition to the VM's.
  const named = (field: string) => field === "vmId" && "id" in value ? "VM ID" : shownHeading(field);
  const own = grid(
    plain.map(([field]) => [named(field), cell(field, shownAt(value, field))]),
    look.width,
    paint,
  );
  return [own, ...parts, ...texts].filter((each) => each !== "").join("\n");
}

const lines = (text: string) => text.split("\n").map(escapeControlCharacters).join("\n").trimEnd();

function table(answer: unknown, layout: Layout, wide: boolean, look: Look): string {
  const rows = layout.rows === undefined ? answer : at(answer, layout.rows);
  if (answer === null || (Array.isArray(rows) && rows.length === 0)) return "";
  if (isRows(rows)) {
    const isTold = (field: string) => rows.some((row) => (at(row, field) ?? null) !== null);
    const isVaried = (field: string) => new Set(rows.map((row) => at(row, field))).size > 1;
    const fields = layout.columns?.filter((field) =>
      (layout.ifTold?.includes(field) !== true || isTold(field)) &&
      (layout.ifVaried?.includes(field) !== true || isVaried(field))
    );
    return list(rows, fields && [...fields, ...wide ? layout.wide ?? [] : []], look);
  }
  if (isRow(answer)) {
    // One long text (a VM's XML) is the answer itself, with its lines.
    const [only, ...others] = Object.values(answer);
    return others.length === 0 && typeof only === "string" ? lines(only) : thing(answer, look);
  }
  return Array.isArray(answer) ? answer.map((each) => cell("", each)).join("\n") : cell("", answer);
}

/** Fields that a thing may be called by, the best first. */
const CALLED_BY = ["name", "id", "vmId", "jobId", "role", "permission", "ip", "target"];

/**
 * Fields that the things of a list are called by, the best first: what commands take for them (a port forward is removed
 * by its own id, not its VM's), what its table begins with where that is a name, and anything rather than nothing.
 */
function calledBy({ lookup, columns: [first = ""] = [] }: Layout): readonly string[] {
  const known = lookup !== undefined && lookup.in === undefined ? [lookup.by] : [];
  return [...known, ...CALLED_BY.includes(first) ? [first] : [], ...CALLED_BY, first];
}

/** Output for scripts: one line per entry, its name or id. */
function names(answer: unknown, layout: Layout): string {
  const { rows } = layout, fields = calledBy(layout);
  const found = rows === undefined ? answer : at(answer, rows);
  const nameOf = (value: unknown): string[] => {
    if (!isRow(value)) return value === null ? [] : [cell("", value)];
    const name = fields.map((field) => value[field]).find((each) => typeof each === "string");
    return typeof name === "string"
      ? [escapeControlCharacters(name)]
      : Object.values(value).filter(isRow).slice(0, 1).flatMap(nameOf);
  };
  return (Array.isArray(found) ? found : [found]).flatMap(nameOf).join("\n");
}

/** A value as a text that is searched and sorted by. */
export const textOf = (value: unknown): string =>
  value === null || value === undefined
    ? ""
    : typeof value === "object"
    ? JSON.stringify(value)
    : String(value);

/** YAML that says the same. The library is loaded when it is asked for. */
async function yaml(answer: unknown): Promise<string> {
  const { stringify } = await import("./yaml.ts");
  // Escapes are understood between double quotes alone.
  const quoted = [...JSON.stringify(answer).matchAll(STEERING)].length > 0;
  return escaped(stringify(answer, quoted ? { defaultStringType: "QUOTE_DOUBLE" } : {}).trimEnd());
}

/** Printed text of an answer; empty if there is none. */
export async function formatAnswer(
  answer: unknown,
  format: OutputFormat,
  layout: Layout = {},
  colours = false,
): Promise<string> {
  switch (format) {
    case "json":
      return escaped(JSON.stringify(answer, null, 2));
    case "yaml":
      return await yaml(answer);
    case "name":
      return names(answer, layout);
    case "table":
    case "wide":
      return table(answer, layout, format === "wide", { colours, width: await widthFor(answer) });
  }
}
