/**
 * Query parameters of lists in REST, in addition to the command's own fields: filters, pages, and choice of fields.
 * Pure.
 */
import Type, { type TSchema } from "typebox";
import { hasLabel } from "../text/labels.ts";
import { matcher } from "../text/pattern.ts";
import { longestList } from "../contract/lookups.ts";
import type { Command } from "../contract/command.ts";
import { ContractError } from "../contract/errors.ts";
import { inputFields, type RestRoute } from "../contract/rest.ts";
import { message, type Sentence } from "../i18n/message.ts";

/** Most entries of one page, and bytes of the longest text that a query may have here. */
const MOST_ENTRIES = 1000, LONGEST = 1024;
/** Most patterns, labels or fields that one query names. */
const MOST_NAMED = 64;

/** Query names that lists take, each where its entries have what it asks about. */
export const LIST_QUERY = {
  limit: Type.Integer({
    minimum: 1,
    maximum: MOST_ENTRIES,
    format: "int32",
    description:
      'at most so many entries; the answer\'s Link header (rel="next") has the address of the next ones',
  }),
  after: Type.String({
    maxLength: LONGEST,
    description:
      "where the page before ended, as its Link header says; entries come in the order of name and id",
  }),
  name: Type.String({ maxLength: LONGEST, description: "name or pattern: `web-*`, `db?`, `web[1-5]`" }),
  label: Type.String({
    maxLength: LONGEST,
    description:
      "tags that all must be there, parted by commas: `env=production`, `env` for any value of it, patterns",
  }),
  fields: Type.String({
    maxLength: LONGEST,
    description: "fields of the entries that are wanted, parted by commas",
  }),
} as const satisfies Record<string, TSchema>;
type ListField = keyof typeof LIST_QUERY;

/** Query parameters of a list. */
export type ListParameters = { readonly [field in ListField]?: string };

type Row = Readonly<Record<string, unknown>>;
type Schema = {
  type?: string;
  items?: Schema;
  properties?: Record<string, Schema>;
  anyOf?: Schema[];
  allOf?: Schema[];
};

/** Fields of an object, whichever of several shapes it has. */
const propertiesOf = (schema: Schema): Record<string, Schema> =>
  Object.assign({}, schema.properties, ...[...schema.anyOf ?? [], ...schema.allOf ?? []].map(propertiesOf));

/** Shape of a GET route's answer. */
interface Shape {
  readonly isList: boolean;
  /** Fields of the answer, or of a list's entries. */
  readonly fields: readonly string[];
  /** Field that `?name` asks about. */
  readonly by: string | undefined;
}

/** The shape of a command's answer; undefined where it has no fields to choose from. */
function shapeOf({ output, rows, lookup }: Command): Shape | undefined {
  const whole = output as Schema;
  const list = rows === undefined ? whole : propertiesOf(whole)[rows];
  const isList = list?.type === "array", known = propertiesOf(isList ? list.items ?? {} : whole);
  const fields = Object.keys(known);
  if (fields.length === 0) return undefined;
  const by = lookup !== undefined && lookup.in === undefined && lookup.by in known ? lookup.by : "name";
  return { isList, fields, by: by !== "id" && by in known ? by : undefined };
}

/** Query names of a route in addition to its command's own fields. */
export function listQueryOf(
  { command, method }: Pick<RestRoute, "command" | "method">,
): Record<string, (typeof LIST_QUERY)[ListField]> {
  const shape = method === "GET" && command.content === undefined ? shapeOf(command) : undefined;
  if (shape === undefined) return {};
  const own = inputFields(command);
  const isThere: Readonly<Record<ListField, boolean>> = {
    limit: shape.isList && !("limit" in own),
    after: shape.isList,
    name: shape.isList && shape.by !== undefined,
    label: shape.isList && shape.fields.includes("tags"),
    fields: true,
  };
  return Object.fromEntries(
    Object.entries(LIST_QUERY).filter(([name]) => isThere[name as ListField] && !Object.hasOwn(own, name)),
  );
}

const invalid = (field: ListField, reason: Sentence) => new ContractError("InvalidInput", { reason, field });

/** Parts between commas. @throws {ContractError} InvalidInput for too many */
function partsOf(field: ListField, text: string): string[] {
  const parts = text.split(",").map((part) => part.trim()).filter((part) => part !== "");
  if (parts.length === 0) throw invalid(field, message`${field} names nothing`);
  if (parts.length > MOST_NAMED) throw invalid(field, message`${field} names more than ${MOST_NAMED}`);
  return parts;
}

/** End of a page: the names and ids of its last entry, or how many entries were before the next. */
type Mark = readonly string[] | number;

const encoded = (mark: Mark) => JSON.stringify(mark);

/** @throws {ContractError} InvalidInput for what no page ended with */
function markOf(text: string): Mark {
  let mark: unknown;
  try {
    mark = JSON.parse(text);
  } catch {
    mark = undefined; // no mark of ours: said below
  }
  const isKey = Array.isArray(mark) && mark.length <= 3 && mark.every((part) => typeof part === "string");
  if (isKey || Number.isSafeInteger(mark) && (mark as number) >= 0) return mark as Mark;
  throw invalid(
    "after",
    "after is no mark of a page: take the address in the Link header of the page before",
  );
}

/** Key of an entry, of the fields that it has. */
const keyOf = (row: Row, by: string | undefined): readonly string[] =>
  [...new Set([by ?? "name", "id", "host"])].map((field) =>
    typeof row[field] === "string" ? row[field] as string : ""
  );
const hasKey = (row: Row, by: string | undefined) => keyOf(row, by).some((part) => part !== "");

function compareKeys(a: readonly string[], b: readonly string[]): number {
  for (const [index, part] of a.entries()) {
    const other = b[index] ?? "";
    if (part !== other) return part < other ? -1 : 1;
  }
  return 0;
}

/**
 * One page of a list, and the query value of the next.
 *
 * @param isOrdered the list has an order of its own, as the newest first
 */
function pageOf(
  all: readonly Row[],
  by: string | undefined,
  limit: number,
  after: Mark | undefined,
  isOrdered: boolean,
) {
  const hasKeys = !isOrdered && all.every((row) => hasKey(row, by));
  if (!hasKeys) {
    const from = typeof after === "number" ? after : 0;
    const rows = all.slice(from, from + limit);
    return { rows, next: from + limit < all.length ? encoded(from + limit) : undefined };
  }
  const sorted = all.toSorted((a, b) => compareKeys(keyOf(a, by), keyOf(b, by)));
  const left = typeof after === "object"
    ? sorted.filter((row) => compareKeys(keyOf(row, by), after) > 0)
    : sorted;
  const rows = left.slice(0, limit);
  return { rows, next: left.length > limit ? encoded(keyOf(rows.at(-1)!, by)) : undefined };
}

/** The fields that are wanted of an entry. @throws {ContractError} InvalidInput for one there is not */
function chooser(fields: string | undefined, known: readonly string[]): (row: Row) => Row {
  if (fields === undefined) return (row) => row;
  const wanted = partsOf("fields", fields);
  const unknown = wanted.find((field) => !known.includes(field));
  if (unknown !== undefined) {
    const reason = `fields names ${JSON.stringify(unknown.slice(0, 64))}, which is no field. There are ${
      known.join(", ")
    }`;
    throw invalid("fields", reason);
  }
  return (row) =>
    Object.fromEntries(
      wanted.filter((field) => Object.hasOwn(row, field)).map((field) => [field, row[field]]),
    );
}

/** @throws {ContractError} InvalidInput for what is no number of entries */
function limitOf(limit: string | undefined): number {
  const count = limit === undefined ? Infinity : /^\d{1,6}$/.test(limit) ? Number(limit) : NaN;
  if (count >= 1 && (count <= MOST_ENTRIES || count === Infinity)) return count;
  throw invalid("limit", message`limit must be a whole number from 1 to ${MOST_ENTRIES}`);
}

/** An answer as a query wants it. */
export interface Viewed {
  readonly answer: unknown;
  /** `after` of the next page; undefined for the last. */
  readonly next?: string | undefined;
  /** Entries that were looked at, where the list gives no more at once and there are others behind them. */
  readonly cutAt?: number | undefined;
}

/** How a query wants a command's answers. */
export interface AnswerView {
  /** Required `limit` of the command; undefined if it stays. */
  readonly ask?: number | undefined;
  readonly apply: (answer: unknown) => Viewed;
}

const isRow = (value: unknown): value is Row =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * Limit to ask a list for: one more entry, to see whether more follow; all of them if entries are filtered afterwards.
 *
 * @param longest most entries in one answer
 */
function askFor(
  longest: number | undefined,
  own: unknown,
  after: Mark | undefined,
  isChosen: boolean,
): number | undefined {
  const isAsked = Number.isInteger(own) && (own as number) >= 1 && (own as number) <= longest!;
  if (longest === undefined || own === undefined && after === undefined && !isChosen) return undefined;
  if (own !== undefined && !isAsked) return undefined; // the command refuses it
  return own === undefined || isChosen
    ? longest
    : Math.min(longest, (typeof after === "number" ? after : 0) + (own as number) + 1);
}

/** Reads what a query says of a list. @throws {ContractError} InvalidInput */
function listView(command: Command, { by, fields }: Shape, view: ListParameters, own: unknown): AnswerView {
  const { rows: at } = command, longest = longestList(command), choose = chooser(view.fields, fields);
  const after = view.after === undefined ? undefined : markOf(view.after);
  const limit = typeof own === "number" ? own : limitOf(view.limit);
  const fits = view.name === undefined ? undefined : matcher(view.name);
  const labels = view.label === undefined ? [] : partsOf("label", view.label);
  const apply = (answer: unknown): Viewed => {
    const list = at === undefined ? answer : isRow(answer) ? answer[at] : undefined;
    if (!Array.isArray(list)) return { answer };
    const isCut = list.length === longest && !(isRow(answer) && answer.hasMore === false);
    const found = (list as Row[]).filter((row) =>
      (fits === undefined || fits.test(String(row[by!]))) &&
      labels.every((label) => hasLabel(row.tags, label))
    );
    const { rows, next } = limit === Infinity && after === undefined
      ? { rows: found, next: undefined }
      : pageOf(found, by, limit, after, longest !== undefined);
    const chosen = rows.map(choose);
    return {
      answer: at === undefined ? chosen : { ...answer as Row, [at]: chosen },
      next,
      ...(isCut && { cutAt: longest }),
    };
  };
  return { ask: askFor(longest, own, after, fits !== undefined || labels.length > 0), apply };
}

/**
 * Reads what a query says of the answer.
 *
 * @param own the command's own `limit`, where its query gives one
 * @throws {ContractError} InvalidInput
 */
export function viewOf(command: Command, view: ListParameters, own?: unknown): AnswerView {
  const shape = shapeOf(command);
  for (const [name, text] of Object.entries(view)) {
    if (text.length > LONGEST) {
      throw invalid(name as ListField, message`${name} is longer than ${LONGEST} characters`);
    }
  }
  if (shape === undefined) return { apply: (answer) => ({ answer }) };
  if (shape.isList) return listView(command, shape, view, own);
  const choose = chooser(view.fields, shape.fields);
  return { apply: (answer) => ({ answer: isRow(answer) ? choose(answer) : answer }) };
}
