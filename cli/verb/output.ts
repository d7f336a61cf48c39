/** Answers as people and programs read them: a table, JSON or YAML. */
import { stringify } from "yaml";

/** Ways to print an answer. */
export const OUTPUTS = ["table", "json", "yaml"] as const;
export type OutputFormat = typeof OUTPUTS[number];

/** Characters that steer a terminal: a machine's name must not move its cursor or write its clipboard. */
// deno-lint-ignore no-control-regex -- these are the very characters
const STEERING = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** A text that cannot steer a terminal. */
export const harmless = (text: string) => text.replace(STEERING, "\ufffd");
/** The same for JSON and YAML, where a reader must get the text back whole. */
const escaped = (text: string) =>
  text.replace(
    STEERING,
    (character) =>
      character === "\n" ? character : `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** One value in one cell. */
function cell(value: unknown): string {
  if (value === null || value === undefined) return "-";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (Array.isArray(value) && value.every((each) => !isRecord(each))) {
    return value.length === 0 ? "-" : harmless(value.join(","));
  }
  return harmless(typeof value === "object" ? JSON.stringify(value) : String(value));
}

/** `memoryMb` → `MEMORY MB`. */
const heading = (field: string) => field.replace(/[A-Z]/g, (letter) => ` ${letter}`).toUpperCase();

/** Columns padded to the widest of their cells. */
function columns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) => row.map((text, column) => text.padEnd(widths[column]!)).join("  ").trimEnd()).join(
    "\n",
  );
}

/** Fields of a list worth a column when nobody says which: those that hold one plain value in some row. */
function plainFields(rows: readonly Record<string, unknown>[]): string[] {
  const fields = new Set(rows.flatMap((row) => Object.keys(row)));
  return [...fields].filter((field) =>
    rows.some((row) => row[field] !== null && typeof row[field] !== "object")
  );
}

function table(answer: unknown, fields: readonly string[] | undefined): string {
  if (answer === null) return "";
  if (Array.isArray(answer) && answer.every(isRecord)) {
    const shown = fields ?? plainFields(answer);
    if (answer.length === 0) return "";
    return columns([shown.map(heading), ...answer.map((row) => shown.map((field) => cell(row[field])))]);
  }
  if (isRecord(answer)) {
    // One long text (a machine's XML) is the answer itself, with its lines.
    const [only, ...others] = Object.values(answer);
    if (others.length === 0 && typeof only === "string") {
      return only.split("\n").map(harmless).join("\n").trimEnd();
    }
    return columns(Object.entries(answer).map(([field, value]) => [heading(field), cell(value)]));
  }
  return cell(answer);
}

/** What is printed for an answer; an empty text for none. @param fields columns of a list's table */
export function rendered(answer: unknown, format: OutputFormat, fields?: readonly string[]): string {
  switch (format) {
    case "json":
      return escaped(JSON.stringify(answer, null, 2));
    case "yaml": {
      // Escapes are understood between double quotes alone.
      const quoted = [...JSON.stringify(answer).matchAll(STEERING)].length > 0;
      return escaped(stringify(answer, quoted ? { defaultStringType: "QUOTE_DOUBLE" } : {}).trimEnd());
    }
    case "table":
      return table(answer, fields);
  }
}
