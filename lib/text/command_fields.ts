/**
 * The fields of a command's input as a form draws them, made of its schema. Pure. Islands import them from modules named
 * `*.const.ts`, of which the build keeps the values alone: the contract is more than a page may load.
 */
import { type Command, type CommandName, COMMANDS, type Input } from "../contract/mod.ts";
import { choicesOf, type FieldSchema, type Kind, unwrappedSchema, valueKind } from "./values.ts";

/** A field, as its form needs it. */
export interface FieldSpec {
  readonly kind: Kind;
  /** The words that it takes; absent where any will do. */
  readonly choices?: readonly string[];
  readonly min?: number;
  readonly max?: number;
  readonly isWhole?: true;
  readonly maxLength?: number;
  /** Absent for a pattern that browsers do not support (flag `v`). */
  readonly pattern?: string;
  readonly isRequired?: true;
  readonly isSecret?: true;
  readonly default?: unknown;
  /** Value of an empty field; absent: as if it were not there. */
  readonly empty?: string | number;
}

/** Path of a field in an input: `create.sizeGb`. */
export type FieldPath<T> = {
  [K in keyof T & string]-?: NonNullable<T[K]> extends readonly unknown[] ? K
    : NonNullable<T[K]> extends object ? `${K}.${FieldPath<NonNullable<T[K]>>}`
    : K;
}[keyof T & string];

/** The fields of a command. */
export interface CommandFields<C extends CommandName> {
  readonly command: C;
  readonly fields: Readonly<Record<FieldPath<Input<C>>, FieldSpec>>;
}

interface Bounds {
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxLength?: number;
}

/** A pattern as an `<input>` takes it, which reads it with the flag v. */
function htmlPattern(pattern: string | undefined): string | undefined {
  if (pattern === undefined) return undefined;
  try {
    new RegExp(pattern, "v");
    return pattern;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function specOf(field: string, schema: FieldSchema & Bounds, isRequired: boolean): FieldSpec {
  const own: FieldSchema & Bounds = unwrappedSchema(schema), kind = valueKind(field, schema);
  // It has what is another field's, too.
  const isShared = own["x-or"] !== undefined || own["x-last"] !== undefined;
  const choices = choicesOf(schema), pattern = isShared ? undefined : htmlPattern(own.pattern);
  return {
    kind,
    ...(choices !== undefined && { choices }),
    ...(own.minimum !== undefined && !isShared && { min: own.minimum }),
    ...(own.maximum !== undefined && !isShared && { max: own.maximum }),
    ...(own.type === "integer" && { isWhole: true }),
    ...(own.maxLength !== undefined && !isShared && { maxLength: own.maxLength }),
    ...(choices === undefined && pattern !== undefined && { pattern }),
    ...(isRequired && { isRequired }),
    ...(own["x-secret"] === true && { isSecret: true }),
    ...(own.default !== undefined && { default: own.default }),
    ...(own["x-empty"] !== undefined && { empty: own["x-empty"] as string | number }),
  };
}

/** The fields of an object by their paths; those of parts that may be left out need not be filled. */
function specsOf(schema: FieldSchema, before: string, isNeeded: boolean): [path: string, spec: FieldSpec][] {
  const { properties = {}, required = [] } = unwrappedSchema(schema);
  return Object.entries(properties).flatMap(([field, part]) => {
    const isRequired = isNeeded && required.includes(field);
    return unwrappedSchema(part).properties !== undefined
      ? specsOf(part, `${before}${field}.`, isRequired)
      : [[`${before}${field}`, specOf(field, part, isRequired)]];
  });
}

/** The fields of a command's input, by their paths. */
export function commandFields<C extends CommandName>(command: C): CommandFields<C> {
  const { input }: Command = COMMANDS[command];
  return {
    command,
    fields: Object.fromEntries(specsOf(input, "", true)) as CommandFields<C>["fields"],
  };
}
