/** What a schema says no to, as errors of the contract that name the field. Pure. */
import type { TSchema } from "typebox";
import type { TLocalizedValidationError } from "typebox/error";
import { ContractError, type ErrorCode } from "./errors.ts";
import { message, type Sentence } from "../i18n/message.ts";

/** Words of JSON Schema that bound a value. */
type Bound = "minimum" | "maximum" | "minLength" | "maxLength" | "pattern" | "enum";
/** Bound → the error that has the contract's own text for it, filled with the value as `{n}`. */
type Refusals = Readonly<Partial<Record<Bound, ErrorCode>>>;

const KEYWORD = "x-refusal";

/** Gives bounds of a field an error of their own; without one they are `InvalidInput`. */
export function refusedAs(refusals: Refusals): { readonly [KEYWORD]: Refusals } {
  return { [KEYWORD]: refusals };
}

/** Something a schema says no to. */
export interface SchemaRefusal {
  /** `disks.0.sizeGb`; empty for the input as a whole. */
  readonly field: string;
  readonly error: ContractError;
}

interface Node {
  readonly additionalProperties?: unknown;
  readonly anyOf?: readonly Node[];
  readonly [KEYWORD]?: Refusals;
  readonly "x-secret"?: boolean;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly items?: Node;
  readonly enum?: readonly unknown[];
  readonly description?: string;
}

/** Steps of a JSON pointer. */
const steps = (pointer: string) =>
  pointer.split("/").slice(1).map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));

function own(record: unknown, key: string): unknown {
  return typeof record === "object" && record !== null && Object.hasOwn(record, key)
    ? (record as Record<string, unknown>)[key]
    : undefined;
}

function at(schema: TSchema, path: readonly string[]): Node | undefined {
  let node: Node | undefined = schema as Node;
  for (const step of path) node = own(node?.properties, step) as Node | undefined ?? node?.items;
  return node;
}

const invalid = (reason: Sentence) => new ContractError("InvalidInput", { reason });

/** Longest text whose fault is looked for. */
const MOST_EXAMINED = 1000;

/** What keeps a text from matching a pattern, in words; undefined where only the pattern itself tells. */
export function patternFault(pattern: string, value: unknown): string | undefined {
  if (typeof value !== "string" || value.length > MOST_EXAMINED) return undefined;
  const fits = new RegExp(pattern, "u");
  if (fits.test(value)) return undefined;
  if (value !== value.trim()) return "begins or ends with a blank: remove it";
  // A character that none of these texts may have beside it is none of those allowed.
  const plain = ["aa", "00"].filter((text) => fits.test(text));
  const wrong = [...new Set(value)].filter((char) =>
    plain.length > 0 && plain.every((text) => !fits.test(`${text[0]}${char}${text[1]}`))
  );
  if (wrong.length === 0) return undefined;
  return `must not contain ${wrong.slice(0, 8).map((char) => JSON.stringify(char)).join(", ")}`;
}

/** A figure as people write it: the contract's texts are English. */
const figure = (value: unknown) => Number(value).toLocaleString("en");

/** What a keyword of JSON Schema was given: `{ limit: 5 }`, `{ type: "integer" }`. */
type Params = Readonly<Record<string, unknown>>;

/** So many of them: `1 character`, `2,000 items`. */
const several = ({ limit }: Params, one: string) =>
  `${figure(limit)} ${one}${Number(limit) === 1 ? "" : "s"}`;
const least = (params: Params, one: string) =>
  Number(params.limit) === 1 ? "must not be empty" : `must have at least ${several(params, one)}`;
const most = (params: Params, one: string) => `must have at most ${several(params, one)}`;

/** Type of JSON → what a value has to be. */
const TYPES: Readonly<Record<string, string>> = {
  integer: "a whole number",
  number: "a number",
  string: "a text",
  boolean: "true or false",
  array: "a list",
  object: "an object with fields",
  null: "null",
};

/** What a field's name says of its unit. */
const UNITS: readonly (readonly [ends: RegExp, unit: string])[] = [
  [/Mb$/, "MiB"],
  [/Gb$/, "GiB"],
  [/MibPerSecond$/, "MiB/s"],
  [/bytes$/i, "bytes"],
  [/seconds$/i, "seconds"],
  [/minutes$/i, "minutes"],
  [/days$/i, "days"],
  [/percent$/i, "percent"],
];

/** The unit of a bound, after it: one of one thing is singular. */
function unitOf(field: string, limit: unknown): string {
  const unit = UNITS.find(([ends]) => ends.test(field))?.[1];
  return unit === undefined ? "" : ` ${limit === 1 ? unit.replace(/s$/, "") : unit}`;
}

/** Word of JSON Schema → the end of a sentence that begins with the field. */
const WORDS: Readonly<Record<string, (params: Params, node: Node | undefined, field: string) => string>> = {
  minimum: ({ limit }, _node, field) => `must be at least ${figure(limit)}${unitOf(field, limit)}`,
  maximum: ({ limit }, _node, field) => `must be at most ${figure(limit)}${unitOf(field, limit)}`,
  exclusiveMinimum: ({ limit }) => `must be more than ${figure(limit)}`,
  exclusiveMaximum: ({ limit }) => `must be less than ${figure(limit)}`,
  multipleOf: ({ multipleOf }) => `must be a multiple of ${figure(multipleOf)}`,
  minLength: (params) => least(params, "character"),
  maxLength: (params) => most(params, "character"),
  minItems: (params) => least(params, "item"),
  maxItems: (params) => most(params, "item"),
  minProperties: (params) => least(params, "field"),
  maxProperties: (params) => most(params, "field"),
  uniqueItems: () => "must not have the same item twice",
  type: ({ type }) => `must be ${[type].flat().map((each) => TYPES[String(each)] ?? each).join(" or ")}`,
  const: ({ allowedValue }) => `must be ${allowedValue}`,
  enum: (_params, node) => `must be one of ${(node?.enum ?? []).join(", ")}`,
  anyOf: () => "has none of the forms that it may have",
  oneOf: () => "has none of the forms that it may have",
  propertyNames: () => "has a field whose name is not allowed",
  pattern: (_params, node) =>
    node?.description === undefined
      ? "has characters that are not allowed here"
      : `is not written as it has to be: ${node.description}`,
};

/** What a bound of a field says in words for a person: the end of a sentence that begins with the field. */
function told(
  node: Node | undefined,
  { keyword, message, params }: TLocalizedValidationError,
  value: unknown,
  field: string,
): string {
  const given = params as Params;
  const fault = keyword === "pattern" && !node?.["x-secret"]
    ? patternFault(String(given.pattern), value)
    : undefined;
  if (fault !== undefined) return fault;
  return Object.hasOwn(WORDS, keyword) ? WORDS[keyword]!(given, node, field) : message;
}

/** What is said of a value that is not as it should be; a text of any length must not make it long. */
const short = (value: unknown) => typeof value === "string" ? value.slice(0, 64) : value;

function refusalOf(schema: TSchema, error: TLocalizedValidationError, input: unknown): SchemaRefusal[] {
  const path = steps(error.instancePath);
  const field = path.join(".");
  const within = (name: string) => field === "" ? name : `${field}.${name}`;
  if (error.keyword === "additionalProperties") {
    const { additionalProperties: names } = error.params as { additionalProperties: string[] };
    const shown = names.slice(0, 8).map((name) => name.slice(0, 64));
    const reason = `unknown field ${shown.map((name) => JSON.stringify(within(name))).join(", ")}`;
    return shown.map((name) => ({ field: within(name), error: invalid(reason) }));
  }
  if (error.keyword === "required") {
    const { requiredProperties: names } = error.params as { requiredProperties: string[] };
    const reason = `missing field ${names.map(within).join(", ")}`;
    return names.map((name) => ({ field: within(name), error: invalid(reason) }));
  }
  const node = at(schema, path), code = own(node?.[KEYWORD], error.keyword) as ErrorCode | undefined;
  if (code !== undefined) {
    const value = short(path.reduce<unknown>(own, input));
    // The contract's own texts are shorter than the rules of a text
    const allowed = error.keyword === "pattern" && node?.description !== undefined &&
      { allowed: node.description };
    return [{ field, error: new ContractError(code, { n: value, field, ...allowed }) }];
  }
  const subject = field === "" ? "the input" : field;
  const message = told(at(schema, path), error, path.reduce<unknown>(own, input), field);
  return [{ field, error: invalid(`${subject} ${message}`) }];
}

/** Most refusals that are told; one who sends more wrong than this has not filled in a form. */
const MOST = 100;

/** The forms that a value may have. */
const formsOf = (node: Node): readonly Node[] => node.anyOf ?? [node];

/** Paths of the fields that no schema has, in the input's order. One pass over the input. */
function* unknownFields(nodes: readonly Node[], value: unknown, path: string): Generator<string> {
  if (typeof value !== "object" || value === null) return;
  const forms = nodes.flatMap(formsOf);
  if (Array.isArray(value)) {
    const items = forms.flatMap(({ items }) => items ?? []);
    if (items.length === 0) return;
    for (let index = 0; index < value.length; index++) {
      yield* unknownFields(items, value[index], `${path}${index}.`);
    }
    return;
  }
  const objects = forms.filter(({ properties }) => properties !== undefined);
  // A map takes any name, and what is no object at all is wrong in another way.
  if (objects.length === 0 || objects.some((node) => node.additionalProperties !== false)) return;
  for (const name of Object.keys(value)) {
    const known = objects.flatMap(({ properties }) => own(properties, name) as Node | undefined ?? []);
    if (known.length === 0) yield path + name.slice(0, 64);
    else yield* unknownFields(known, (value as Record<string, unknown>)[name], `${path}${name}.`);
  }
}

/** Refuses an input with more unknown fields than are told: the schema's own search takes long for each. */
function flooded(schema: TSchema, input: unknown): SchemaRefusal[] | undefined {
  const names = unknownFields([schema as Node], input, "").take(MOST + 1).toArray();
  if (names.length <= MOST) return undefined;
  const shown = names.slice(0, 5);
  const error = invalid(message`unknown field ${shown.map((name) => JSON.stringify(name)).join(", ")}`);
  return shown.map((field) => ({ field, error }));
}

/**
 * Everything a schema says no to, the clearest first: unknown fields, then missing ones, then the rest in the
 * schema's order.
 *
 * @param validator of that schema
 */
export function schemaRefusals(
  schema: TSchema,
  validator: { Errors(input: unknown): readonly TLocalizedValidationError[] },
  input: unknown,
): SchemaRefusal[] {
  const flood = flooded(schema, input);
  if (flood !== undefined) return flood;
  const errors = validator.Errors(input);
  const rank = ({ keyword }: TLocalizedValidationError) =>
    keyword === "additionalProperties" ? 0 : keyword === "required" ? 1 : 2;
  // An unknown field is told twice: by its object, and as a `false` schema of its own.
  const found = errors.filter(({ keyword }) => keyword !== "boolean").slice(0, MOST).sort((a, b) =>
    rank(a) - rank(b)
  )
    .flatMap((error) => refusalOf(schema, error, input));
  return found.length > 0 ? found : [{ field: "", error: invalid("it does not match the command's schema") }];
}
