/** Fields of `--file` and `--input` by the words of the options: `memory: 8G` as well as `memoryMb: 8192`. */
import { message } from "../../lib/i18n/message.ts";
import { type FieldSchema, unwrappedSchema } from "../../lib/text/values.ts";
import type { Given, InputDraft } from "./verb_extras.ts";
import type { Verb } from "./find.ts";
import { type Option, optionsOf, put } from "./options.ts";
import { positionalsOf } from "./places.ts";
import { UsageError, valueOf } from "./values.ts";

/** Input fields in a file, and its options that are no fields. */
export interface FileWords {
  readonly input: InputDraft;
  readonly given: Given;
}

type Scalar = string | number | boolean;
const isScalar = (value: unknown): value is Scalar => ["string", "number", "boolean"].includes(typeof value);
const isPlain = (value: unknown): value is Scalar | Scalar[] =>
  isScalar(value) || Array.isArray(value) && value.every(isScalar);

/** A value as its option reads it; what has parts of its own stays. @throws {UsageError} */
function read({ path, kind }: Pick<Option, "path" | "kind">, value: unknown, word: string): unknown {
  const one = (each: Scalar) => valueOf(path.at(-1)!, kind, String(each), word);
  if (typeof value === "string") {
    return kind === "strings" ? value.split(",").map((each) => each.trim()) : one(value);
  }
  if (kind === "size" && typeof value === "number") return one(value);
  if (kind === "grants" && Array.isArray(value)) {
    return value.map((each) => typeof each === "string" ? one(each) : each);
  }
  return value;
}

/** Whether a field of the contract takes a value as it stands; a size in words, or a word for an object, it does not. */
function takes(schema: FieldSchema, value: unknown): boolean {
  const { type, enum: choices } = unwrappedSchema(schema);
  if (type === "integer" || type === "number" || type === "boolean") return typeof value !== "string";
  return choices !== undefined || type === undefined || type === "string" || !isScalar(value);
}

/** Value of an option without a field, from a file. */
function shorthandOf(value: Scalar | Scalar[], multiple: boolean): string | readonly string[] | boolean {
  if (typeof value === "boolean") return value;
  const texts = [value].flat().map(String);
  return multiple ? texts : texts.join(",");
}

/**
 * The fields of a file whose names are the contract's or the options'.
 *
 * @param from how the file was given: `--file`
 * @throws {UsageError} for a value that the option cannot have, and a field under two names
 */
export function fileWords(verb: Verb, fields: Readonly<Record<string, unknown>>, from: string): FileWords {
  const { properties = {} } = verb.command.input as FieldSchema;
  const places = positionalsOf(verb).map(({ field, flag, kind }) => ({
    path: [field],
    flag,
    others: [],
    kind,
  }));
  const options = [...optionsOf(verb), ...places];
  const shorthands = verb.extras.shorthands ?? {};
  const input: InputDraft = {}, given: Record<string, Given[string]> = {}, words = new Map<string, string>();
  const once = (path: string, word: string) => {
    const other = words.get(path);
    if (other !== undefined) {
      throw new UsageError(message`${from}: ${other} and ${word} are the same: say one of them`);
    }
    words.set(path, word);
  };
  for (const [word, value] of Object.entries(fields)) {
    const shorthand = Object.hasOwn(shorthands, word) ? shorthands[word] : undefined;
    if (shorthand !== undefined && isPlain(value)) {
      given[word] = shorthandOf(value, shorthand.multiple === true);
      continue;
    }
    const schema = Object.hasOwn(properties, word) ? properties[word] : undefined;
    const option = options.find(({ flag, others }) =>
      flag === word || (others as readonly string[]).includes(word)
    ) ??
      (schema === undefined ? undefined : options.find(({ path }) => path.join(".") === word));
    if (option === undefined || (schema !== undefined && takes(schema, value))) {
      once(word, word);
      input[word] = value;
    } else {
      once(option.path.join("."), word);
      put(input, option.path, read(option, value, `${from}: ${word}`));
    }
  }
  return { input, given };
}
