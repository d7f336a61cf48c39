/**
 * The part of typebox that the contract uses, under typebox's own names: `import Type from "typebox"` comes here
 * through the import map. The types are typebox's; what is made are plain JSON Schemas, the same that typebox writes.
 * Typebox's own builders copy each schema and give it hidden fields. For the whole contract that takes as long as the
 * start of the runtime, and every verb of the command line begins with it. What is missing here is added with one line.
 */
import type * as Whole from "npm-typebox";
import type { TRecord, TSchema, TString } from "npm-typebox";

export type { Static, TNull, TOptional, TProperties, TSchema, TString, TUnion, TUnsafe } from "npm-typebox";

/** Schemas of fields that may be left out: their object's `required` says so, not they themselves. */
const optional = new WeakSet<object>();

/** Builds a schema of a type without parts. */
const plain = (type: string) => (options: object = {}) => ({ type, ...options });

function object(properties: Record<string, object>, options: object = {}) {
  const required = Object.keys(properties).filter((name) => !optional.has(properties[name]!));
  return { type: "object", ...(required.length > 0 && { required }), properties, ...options };
}

/** A copy: the schema itself may be needed elsewhere. */
function optionally(schema: object) {
  const copy = { ...schema };
  optional.add(copy);
  return copy;
}

/** An object with keys that a text's pattern allows. */
function record<V extends TSchema>(keys: TString & { pattern?: string }, values: V, options: object = {}) {
  const patternProperties = { [keys.pattern ?? "^.*$"]: values };
  return { type: "object", patternProperties, ...options } as unknown as TRecord<"^.*$", V>;
}

const Type = {
  Array: ((items: object, options: object = {}) => ({
    type: "array",
    items,
    ...options,
  })) as unknown as typeof Whole.Array,
  Boolean: plain("boolean") as typeof Whole.Boolean,
  Integer: plain("integer") as typeof Whole.Integer,
  Literal: ((value: unknown, options: object = {}) => ({
    type: typeof value,
    const: value,
    ...options,
  })) as unknown as typeof Whole.Literal,
  Null: plain("null") as typeof Whole.Null,
  Number: plain("number") as typeof Whole.Number,
  Object: object as unknown as typeof Whole.Object,
  Optional: optionally as unknown as typeof Whole.Optional,
  Record: record,
  String: plain("string") as typeof Whole.String,
  Union: ((anyOf: readonly object[], options: object = {}) => ({
    anyOf,
    ...options,
  })) as unknown as typeof Whole.Union,
  Unknown: ((options: object = {}) => ({ ...options })) as typeof Whole.Unknown,
  Unsafe: ((schema: object) => ({ ...schema })) as typeof Whole.Unsafe,
};
export default Type;
