/** A posted form as the input of a command, read by the command's schema as the command line reads its words. Pure. */
import type { Command } from "../contract/command.ts";
import { ContractError } from "../contract/errors.ts";
import { NO_OUTER_BLANK } from "../contract/schema.ts";
import { countedFields, fieldPath, lastText, type PostedField } from "./form_names.ts";
import { type FieldSchema, readValue, unwrappedSchema, valueKind } from "./values.ts";
import { splitWords } from "./words.ts";
import { message, type Sentence } from "../i18n/message.ts";

/** Most entries of a list that a form can have a row for. */
const MOST_ROWS = 100;
/** Most fields of a form, and characters of a field's name and levels in it: a long list has about a thousand boxes. */
const MOST_FIELDS = 5000, MOST_NAME = 256, MOST_STEPS = 16;
/** Separators of a list's values; those that a value can contain are not used. */
const SEPARATORS = ["\n", ",", " "];

type Fields = Record<string, unknown>;

const refused = (field: string, reason: Sentence) =>
  new ContractError("InvalidInput", { reason: message`${field} ${reason}`, field });

/** The schema of a part: of an object's field, or of a list's entry. */
function partOf(schema: FieldSchema, step: string): FieldSchema | undefined {
  const { type, properties = {}, items } = unwrappedSchema(schema);
  if (type === "array") return /^\d{1,2}$/.test(step) && Number(step) < MOST_ROWS ? items : undefined;
  return Object.hasOwn(properties, step) ? properties[step] : undefined;
}

/** Field of a form, by its path. */
export interface FormField {
  /** Undefined where a form can have no such field. */
  readonly schema: FieldSchema | undefined;
  /** Whether what stands in it, or in a part that it is in, is a secret that is not sent back. */
  readonly isSecret: boolean;
}

/** The field with this path: one walk down the schema, which ends where that does. */
export function formField(input: FieldSchema, path: string): FormField {
  const steps = path.split(".", MOST_STEPS + 1);
  // What no form may have is not shown.
  if (steps.length > MOST_STEPS) return { schema: undefined, isSecret: true };
  let schema: FieldSchema | undefined = input, isSecret = false;
  for (const step of steps) {
    schema = partOf(schema, step);
    if (schema === undefined) break;
    const { "x-secret": secret = false, "x-one-time": isOnce = false } = unwrappedSchema(schema);
    isSecret ||= secret && !isOnce;
  }
  return { schema, isSecret };
}

/**
 * Refuses a form that is beyond all bounds, before anything is made of it.
 *
 * @throws {ContractError} InvalidInput
 */
export function requireBounded(names: Iterable<string>): void {
  let count = 0;
  for (const name of names) {
    if (++count > MOST_FIELDS) {
      throw new ContractError("InvalidInput", {
        reason: message`the form has more than ${MOST_FIELDS} fields`,
      });
    }
    if (name.length > MOST_NAME) {
      throw refused(name.slice(0, 64), message`… is longer than ${MOST_NAME} characters`);
    }
    let steps = 1;
    for (let at = name.indexOf("."); at >= 0; at = name.indexOf(".", at + 1)) steps++;
    if (steps > MOST_STEPS) throw refused(name.slice(0, 64), message`… has more than ${MOST_STEPS} parts`);
  }
}

const isRequired = ({ required = [] }: FieldSchema, field: string) => required.includes(field);

/** The values that a text may have several of, where its pattern allows none of what is between them. */
function separated(text: string, { pattern }: FieldSchema): string[] {
  const allows = (value: string) => pattern === undefined || new RegExp(pattern, "u").test(value);
  const between = SEPARATORS.filter((each) => allows("a") && !allows(`a${each}a`));
  let parts = [text.replaceAll("\r\n", "\n")];
  for (const each of between) parts = parts.flatMap((part) => part.split(each));
  return (between.length > 0 ? parts.map((part) => part.trim()) : [text]).filter((part) => part !== "");
}

/** A text as it was typed; blanks around it are left out where they only make it wrong. A name with some is refused. */
function typed(text: string, { pattern }: FieldSchema): string {
  if (pattern === undefined || pattern.startsWith(NO_OUTER_BLANK)) return text;
  const fits = new RegExp(pattern, "u");
  return !fits.test(text) && fits.test(text.trim()) ? text.trim() : text;
}

/** The value of one field; of an empty one what its schema says it means, else undefined: as if it were not there. */
function valueOf(name: string, schema: FieldSchema, isNeeded: boolean, given: readonly string[]): unknown {
  const { path, unit } = fieldPath(name);
  const field = path.slice(path.lastIndexOf(".") + 1);
  const own = unwrappedSchema(schema), kind = valueKind(field, schema);
  const read = (text: string) => {
    const isBare = (kind === "size" || kind === "bitrate") && /^[\d.,]+$/.test(text);
    const found = readValue(field, kind, isBare ? text + unit : text);
    if ("fault" in found) throw refused(path, found.fault);
    return found.value;
  };
  if (own.type === "array") {
    const texts = kind === "strings" ? given.flatMap((text) => separated(text, own.items ?? {})) : given;
    return [...new Set(texts.filter((text) => text !== ""))].flatMap(read);
  }
  const text = lastText(given);
  if (kind === "string" && text !== "") return typed(text, own);
  if (text.trim() !== "" || isNeeded) return kind === "string" ? text : read(text.trim());
  return own["x-empty"];
}

/** Makes lists of their numbered rows. */
function listed(value: unknown, schema: FieldSchema): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const { type, items = {}, properties = {} } = unwrappedSchema(schema);
  if (type === "array") {
    return Object.values(value).map((row) => listed(row, items));
  }
  return Object.fromEntries(
    Object.entries(value).map(([field, part]) => [field, listed(part, properties[field] ?? {})]),
  );
}

/** A range; its ends are separated by a dash of any kind, or a colon. */
const RANGE = /^\s*(\d+)\s*[-–:]\s*(\d+)\s*$/;

/** A range that was typed in one field, as its two. */
function cutRanges(fields: readonly PostedField[], { properties = {} }: FieldSchema): PostedField[] {
  return fields.flatMap(([name, value]): PostedField[] => {
    const last = Object.hasOwn(properties, name) ? properties[name]!["x-last"] : undefined;
    const [, from, to] = last === undefined ? [] : RANGE.exec(String(value)) ?? [];
    if (last === undefined || from === undefined || to === undefined) return [[name, value]];
    return [[name, from], ...Number(to) === Number(from) ? [] : [[last, to] as const]];
  });
}

/** Cuts a program that was typed in one line with its arguments. @throws {ContractError} InvalidInput */
function cutLines(result: Fields, { properties = {} }: FieldSchema): void {
  for (const [field, { "x-words": list }] of Object.entries(properties)) {
    const line = result[field];
    if (list === undefined || typeof line !== "string" || list in result) continue;
    const words = splitWords(line);
    if (words === null) throw refused(field, "has a quote that is not closed");
    const [program = "", ...others] = words;
    result[field] = program;
    if (others.length > 0) result[list] = others;
  }
}

/** Puts a text that several fields have in one where it fits: by its first word, as tools print a file's name behind a sum. */
function placeTexts(result: Fields, { properties = {} }: FieldSchema): void {
  for (const [field, { "x-or": others }] of Object.entries(properties)) {
    const text = result[field];
    if (others === undefined || typeof text !== "string") continue;
    const [word = ""] = text.trim().split(/\s/);
    const fits = (each: string) => new RegExp(unwrappedSchema(properties[each]!).pattern!, "u").test(word);
    delete result[field];
    // What fits none is refused by the name of its field.
    result[[field, ...others].find(fits) ?? field] = word;
  }
}

/**
 * The input that a form describes, by the names of its fields (`form_names.ts`): `name`, `bandwidth.inbound.averageKib`,
 * `add.0.ip`. What was left empty is left out, unless its schema says what that means; boxes that must be told of and are not
 * ticked are no, and lists of such boxes are empty.
 *
 * @throws {ContractError} InvalidInput, naming the field: one that the command does not have, or a text that cannot be it
 */
export function formInput(
  command: Pick<Command, "input">,
  form: Iterable<PostedField>,
): Record<string, unknown> {
  const given = new Map<string, string[]>(), posted = [...form];
  requireBounded(posted.map(([name]) => name));
  const input: FieldSchema = command.input;
  const all = cutRanges(countedFields(posted), input);
  requireBounded(all.map(([name]) => name));
  for (const [name, value] of all) {
    if (typeof value === "string") given.getOrInsertComputed(name, () => []).push(value);
  }
  const result: Fields = {};
  for (const [name, texts] of given) {
    const steps = fieldPath(name).path.split("."), field = steps.pop()!;
    let schema: FieldSchema | undefined = input, isOptional = false, at = result;
    for (const step of steps) {
      isOptional ||= schema !== undefined && unwrappedSchema(schema).type === "object" &&
        !isRequired(unwrappedSchema(schema), step);
      schema = schema && partOf(schema, step);
    }
    const own = schema && partOf(schema, field);
    if (schema === undefined || own === undefined) throw refused(name.slice(0, 64), "is no field of it");
    const isNeeded = isRequired(unwrappedSchema(schema), field);
    const isRow = steps.some((step) => /^\d+$/.test(step));
    // Of a part that may be left out, nothing was typed.
    if (isNeeded && isOptional && !isRow && texts.every((text) => text === "")) continue;
    for (const step of steps) at = (at[step] ??= {}) as Fields;
    const value = valueOf(name, own, isNeeded, texts);
    if (value !== undefined) at[field] = value;
  }
  for (const field of input.required ?? []) {
    const { type } = unwrappedSchema(input.properties?.[field] ?? {});
    if (type === "boolean") result[field] ??= false;
    if (type === "array") result[field] ??= [];
  }
  cutLines(result, input);
  placeTexts(result, input);
  return listed(result, input) as Record<string, unknown>;
}
