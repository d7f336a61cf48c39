/**
 * The part of typebox that the contract uses, under typebox's own names: `import Type from "typebox"` comes here
 * through the import map. All of it would be a third of the server's program (a compiler for a language of types),
 * held in memory for nothing. What is missing here is added with one word, if the bundle stays small with it.
 */
import {
  Array,
  Boolean,
  Integer,
  Literal,
  Null,
  Number,
  Object,
  Optional,
  String,
  Union,
  Unknown,
  Unsafe,
} from "npm-typebox";
import type { TRecord, TSchema, TString } from "npm-typebox";

export type { Static, TProperties, TSchema } from "npm-typebox";

/** An object with keys that a text's pattern allows. As typebox makes it, without the engine that also takes types as keys. */
function Record<V extends TSchema>(
  keys: TString & { pattern?: string },
  values: V,
  options: object = {},
): TRecord<"^.*$", V> {
  return Unsafe({
    type: "object",
    patternProperties: { [keys.pattern ?? "^.*$"]: values },
    ...options,
  }) as unknown as TRecord<
    "^.*$",
    V
  >;
}

const Type = {
  Array,
  Boolean,
  Integer,
  Literal,
  Null,
  Number,
  Object,
  Optional,
  Record,
  String,
  Union,
  Unknown,
  Unsafe,
};
export default Type;
