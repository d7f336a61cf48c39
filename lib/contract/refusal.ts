/** Turns violations of a schema into errors of the contract that name the field. Pure. */
import type { TSchema } from "typebox";
import type { TLocalizedValidationError } from "typebox/error";
import { ContractError, type ErrorCode } from "./errors.ts";
import { type Message, message, type Sentence } from "../i18n/message.ts";
import { number } from "../i18n/numbers.ts";

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

/** Reason why a text does not match a pattern, in words; undefined where only the pattern itself describes it. */
export function patternFault(pattern: string, value: unknown): Sentence | undefined {
  if (typeof value !== "string" || value.length > MOST_EXAMINED) return undefined;
  const fits = new RegExp(pattern, "u");
  if (fits.test(value)) return undefined;
  if (value !== value.trim()) return message`begins or ends with a blank: remove it`;
  // A character that none of these texts may have next to it is none of those allowed.
  const plain = ["aa", "00"].filter((text) => fits.test(text));
  const wrong = [...new Set(value)].filter((char) =>
    plain.length > 0 && plain.every((text) => !fits.test(`${text[0]}${char}${text[1]}`))
  );
  if (wrong.length === 0) return undefined;
  return message`must not contain ${wrong.slice(0, 8).map((char) => JSON.stringify(char)).join(", ")}`;
}

/** A figure as people write it. */
const figure = (value: unknown) => number(Number(value));

/** Parameters of a keyword of JSON Schema: `{ limit: 5 }`, `{ type: "integer" }`. */
type Params = Readonly<Record<string, unknown>>;

/** So many of something: `1 character`, `2,000 items`. */
interface Counted {
  readonly one: (n: string) => Message;
  readonly other: (n: string) => Message;
}
const CHARACTERS: Counted = { one: (n) => message`${n} character`, other: (n) => message`${n} characters` };
const ITEMS: Counted = { one: (n) => message`${n} item`, other: (n) => message`${n} items` };
const FIELDS: Counted = { one: (n) => message`${n} field`, other: (n) => message`${n} fields` };

const several = ({ limit }: Params, { one, other }: Counted) => (limit === 1 ? one : other)(figure(limit));
const least = (params: Params, of: Counted) =>
  Number(params.limit) === 1
    ? message`must not be empty`
    : message`must have at least ${several(params, of)}`;
const most = (params: Params, of: Counted) => message`must have at most ${several(params, of)}`;

/** Type of JSON → what a value has to be. */
const TYPES: Readonly<Record<string, Message>> = {
  integer: message`must be a whole number`,
  number: message`must be a number`,
  string: message`must be a text`,
  boolean: message`must be true or false`,
  array: message`must be a list`,
  object: message`must be an object with fields`,
  null: message`must be null`,
};

/** Message for a value that has none of the types that it may have. */
function typeFault(types: readonly unknown[]): Message {
  const faults = types.map((each) => TYPES[String(each)] ?? message`must be ${String(each)}`);
  return faults.slice(1).reduce((all, each) => message`${all} or ${each}`, faults[0]!);
}

/** Units by the ends of fields' names. */
const UNITS: readonly (readonly [ends: RegExp, unit: Counted])[] = [
  [/Mb$/, symbol("MiB")],
  [/Gb$/, symbol("GiB")],
  [/MibPerSecond$/, symbol("MiB/s")],
  [/bytes$/i, { one: (n) => message`${n} byte`, other: (n) => message`${n} bytes` }],
  [/seconds$/i, { one: (n) => message`${n} second`, other: (n) => message`${n} seconds` }],
  [/minutes$/i, { one: (n) => message`${n} minute`, other: (n) => message`${n} minutes` }],
  [/days$/i, { one: (n) => message`${n} day`, other: (n) => message`${n} days` }],
  [/percent$/i, { one: (n) => message`${n} percent`, other: (n) => message`${n} percent` }],
];

/** A unit that is written alike in every language. */
function symbol(unit: string): Counted {
  const one = (n: string) => message`${n} ${unit}`;
  return { one, other: one };
}

/** A bound with its unit. */
function bound(field: string, limit: unknown): Message | string {
  const unit = UNITS.find(([ends]) => ends.test(field))?.[1];
  return unit === undefined ? figure(limit) : (limit === 1 ? unit.one : unit.other)(figure(limit));
}

/** Word of JSON Schema → the end of a sentence that begins with the field. */
const WORDS: Readonly<Record<string, (params: Params, node: Node | undefined, field: string) => Sentence>> = {
  minimum: ({ limit }, _node, field) => message`must be at least ${bound(field, limit)}`,
  maximum: ({ limit }, _node, field) => message`must be at most ${bound(field, limit)}`,
  exclusiveMinimum: ({ limit }) => message`must be more than ${figure(limit)}`,
  exclusiveMaximum: ({ limit }) => message`must be less than ${figure(limit)}`,
  multipleOf: ({ multipleOf }) => message`must be a multiple of ${figure(multipleOf)}`,
  minLength: (params) => least(params, CHARACTERS),
  maxLength: (params) => most(params, CHARACTERS),
  minItems: (params) => least(params, ITEMS),
  maxItems: (params) => most(params, ITEMS),
  minProperties: (params) => least(params, FIELDS),
  maxProperties: (params) => most(params, FIELDS),
  uniqueItems: () => message`must not have the same item twice`,
  type: ({ type }) => typeFault([type].flat()),
  const: ({ allowedValue }) => message`must be ${String(allowedValue)}`,
  enum: (_params, node) => message`must be one of ${(node?.enum ?? []).join(", ")}`,
  anyOf: () => message`has none of the forms that it may have`,
  oneOf: () => message`has none of the forms that it may have`,
  propertyNames: () => message`has a field whose name is not allowed`,
  pattern: (_params, node) =>
    node?.description === undefined
      ? message`has characters that are not allowed here`
      : message`is not written as it has to be: ${node.description}`,
};

/** Message for a violated bound of a field: the end of a sentence that begins with the field. */
function told(
  node: Node | undefined,
  { keyword, message: unknown, params }: TLocalizedValidationError,
  value: unknown,
  field: string,
): Sentence {
  const given = params as Params;
  const fault = keyword === "pattern" && !node?.["x-secret"]
    ? patternFault(String(given.pattern), value)
    : undefined;
  if (fault !== undefined) return fault;
  return Object.hasOwn(WORDS, keyword) ? WORDS[keyword]!(given, node, field) : unknown;
}

/** A value as it is quoted in a message: texts are cut, so that the message stays short. */
const short = (value: unknown) => typeof value === "string" ? value.slice(0, 64) : value;

function refusalOf(schema: TSchema, error: TLocalizedValidationError, input: unknown): SchemaRefusal[] {
  const path = steps(error.instancePath);
  const field = path.join(".");
  const within = (name: string) => field === "" ? name : `${field}.${name}`;
  if (error.keyword === "additionalProperties") {
    const { additionalProperties: names } = error.params as { additionalProperties: string[] };
    const shown = names.slice(0, 8).map((name) => name.slice(0, 64));
    const reason = message`unknown field ${shown.map((name) => JSON.stringify(within(name))).join(", ")}`;
    return shown.map((name) => ({ field: within(name), error: invalid(reason) }));
  }
  if (error.keyword === "required") {
    const { requiredProperties: names } = error.params as { requiredProperties: string[] };
    const reason = message`missing field ${names.map(within).join(", ")}`;
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
  const fault = told(at(schema, path), error, path.reduce<unknown>(own, input), field);
  const reason = field === "" ? message`the input ${fault}` : message`${field} ${fault}`;
  return [{ field, error: invalid(reason) }];
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
