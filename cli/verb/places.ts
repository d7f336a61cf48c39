/** Fields of a verb that are given by their place on the line. */
import type { Command } from "../../lib/contract/mod.ts";
import { choicesOf, type FieldSchema, type Kind, unwrappedSchema, valueKind } from "../../lib/text/values.ts";
import { listSchema } from "./common.ts";
import type { Verb } from "./find.ts";

/** A field given by its place instead of by name. */
export interface Positional {
  readonly field: string;
  /** The same argument as an option: `--mode nat`. */
  readonly flag: string;
  readonly kind: Kind;
  /** Takes all that are left. */
  readonly many: boolean;
  /** It is one in the input: the command is carried out for each that is given. */
  readonly each: boolean;
  readonly optional: boolean;
  readonly choices: readonly string[] | undefined;
  readonly description: string | undefined;
}

export const inputSchemaOf = (command: Command): FieldSchema => command.input;

export const describe = (schema: FieldSchema) => schema.description ?? unwrappedSchema(schema).description;

/** The fields that the contract gives a place. */
export const placedByContract = ({ cli }: Command) => cli.filter((part) => part.startsWith("<"));

export const kebab = (field: string) => field.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** The fields a verb takes by place. */
export function positionalsOf({ command }: Pick<Verb, "command">): Positional[] {
  return (command.places ?? placedByContract(command)).flatMap((part) => {
    const [, open, field, many] = /^([<[])(\w+)(\.\.\.)?[>\]]$/.exec(part) ?? [];
    if (field === undefined) return [];
    const schema = inputSchemaOf(command).properties?.[field] ?? {};
    const kind = valueKind(field, schema);
    return [{
      field,
      flag: kebab(field),
      kind,
      many: many !== undefined,
      each: many !== undefined && unwrappedSchema(schema).type !== "array",
      optional: open === "[",
      choices: choicesOf(schema),
      description: describe(schema),
    }];
  });
}

/** The column by which rows of a verb's list are named behind it; undefined where nothing is. */
export function namedBy(verb: Verb): string | undefined {
  const { command } = verb, { lookup } = command;
  const isList = command.readOnly && listSchema(verb)?.type === "object" && positionalsOf(verb).length === 0;
  return isList && lookup !== undefined && lookup.in === undefined ? lookup.by : undefined;
}
