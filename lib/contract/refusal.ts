/** What a schema says no to, as errors of the contract that name the field. Pure. */
import type { TSchema } from "typebox";
import type { TLocalizedValidationError } from "typebox/error";
import { ContractError, type ErrorCode } from "./errors.ts";

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
  readonly [KEYWORD]?: Refusals;
  readonly "x-secret"?: boolean;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly items?: Node;
  readonly enum?: readonly unknown[];
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

const invalid = (reason: string) => new ContractError("InvalidInput", { reason });

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

/** What a bound of a field says in words for a person; the validator's own where there are none. */
function told(
  node: Node | undefined,
  { keyword, message, params }: TLocalizedValidationError,
  value: unknown,
): string {
  if (keyword === "enum" && node?.enum !== undefined) return `must be one of ${node.enum.join(", ")}`;
  if (keyword !== "pattern" || node?.["x-secret"]) return message;
  return patternFault((params as { pattern: string }).pattern, value) ?? message;
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
  const code = own(at(schema, path)?.[KEYWORD], error.keyword) as ErrorCode | undefined;
  if (code !== undefined) {
    const value = short(path.reduce<unknown>(own, input));
    return [{ field, error: new ContractError(code, { n: value, field }) }];
  }
  const subject = field === "" ? "the input" : field;
  const message = told(at(schema, path), error, path.reduce<unknown>(own, input));
  return [{ field, error: invalid(`${subject} ${message}`) }];
}

/** Most refusals that are told; one who sends more wrong than this has not filled in a form. */
const MOST = 100;

/**
 * Everything a schema says no to, the clearest first: unknown fields, then missing ones, then the rest in the
 * schema's order.
 */
export function schemaRefusals(
  schema: TSchema,
  errors: readonly TLocalizedValidationError[],
  input: unknown,
): SchemaRefusal[] {
  const rank = ({ keyword }: TLocalizedValidationError) =>
    keyword === "additionalProperties" ? 0 : keyword === "required" ? 1 : 2;
  // An unknown field is told twice: by its object, and as a `false` schema of its own.
  const found = errors.filter(({ keyword }) => keyword !== "boolean").slice(0, MOST).sort((a, b) =>
    rank(a) - rank(b)
  )
    .flatMap((error) => refusalOf(schema, error, input));
  return found.length > 0 ? found : [{ field: "", error: invalid("it does not match the command's schema") }];
}
