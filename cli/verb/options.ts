/** A command's input schema ⇄ the options of its verb. */
import { parseArgs, type ParseArgsConfig } from "node:util";
import type { Command } from "../../lib/contract/mod.ts";

/** What is wrong with a command line. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** How a field's value is written: JSON for what has parts of its own. */
type Kind = "boolean" | "string" | "number" | "strings" | "json";

/** A field of the input as an option. */
export interface Option {
  readonly field: string;
  /** `deleteDisks` → `delete-disks`. */
  readonly flag: string;
  readonly kind: Kind;
  readonly required: boolean;
  /** One word of these. */
  readonly choices: readonly string[] | undefined;
  readonly description: string | undefined;
}

/** A field given by its place instead of by name. */
export interface Positional {
  readonly field: string;
  /** Takes all that follow. */
  readonly many: boolean;
}

/** The parts of JSON Schema that options are made of. */
interface Schema {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly items?: Schema;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
}

function kindOf({ type, items }: Schema): Kind {
  switch (type) {
    case "boolean":
    case "string":
      return type;
    case "integer":
    case "number":
      return "number";
    case "array":
      return items?.type === "string" ? "strings" : "json";
    default:
      return "json";
  }
}

/** The fields a verb takes by place. */
export function positionalsOf(command: Command): Positional[] {
  return command.cli.flatMap((part) => {
    const match = /^<(\w+)(\.\.\.)?>$/.exec(part);
    return match ? [{ field: match[1]!, many: match[2] !== undefined }] : [];
  });
}

/** The other fields, by name. */
export function optionsOf(command: Command): Option[] {
  const { properties = {}, required = [] }: Schema = command.input;
  const placed = new Set(positionalsOf(command).map(({ field }) => field));
  return Object.entries(properties).filter(([field]) => !placed.has(field)).map(([field, schema]) => ({
    field,
    flag: field.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`),
    kind: kindOf(schema),
    required: required.includes(field),
    choices: schema.enum?.map(String),
    description: schema.description,
  }));
}

function valueOf({ flag, kind }: Option, given: string): unknown {
  if (kind === "number") {
    const number = Number(given);
    if (given.trim() === "" || Number.isNaN(number)) throw new UsageError(`--${flag} must be a number`);
    return number;
  }
  if (kind !== "json") return given;
  try {
    return JSON.parse(given);
  } catch (error) {
    throw new UsageError(`--${flag} must be JSON: ${error instanceof Error ? error.message : error}`);
  }
}

/** Options every verb has. */
export const COMMON_OPTIONS = {
  output: { type: "string", short: "o" },
  watch: { type: "boolean", short: "w" },
  yes: { type: "boolean", short: "y" },
  input: { type: "string" },
  socket: { type: "string" },
  "runtime-dir": { type: "string" },
} as const satisfies ParseArgsConfig["options"];

/** What the common options were given. */
export interface CommonValues {
  output?: string;
  watch?: boolean;
  yes?: boolean;
  input?: string;
  socket?: string;
  "runtime-dir"?: string;
}

/**
 * Reads the arguments after a verb's words.
 *
 * @returns the command's input as far as it was given: the server checks it against the schema
 * @throws {UsageError}
 */
export function readArguments(
  command: Command,
  args: readonly string[],
): { input: Record<string, unknown>; common: CommonValues } {
  const options = optionsOf(command);
  const config: NonNullable<ParseArgsConfig["options"]> = { ...COMMON_OPTIONS };
  for (const { flag, kind } of options) {
    config[flag] = kind === "boolean"
      ? { type: "boolean" }
      : { type: "string", multiple: kind === "strings" };
  }
  let positionals: string[], values: Record<string, unknown>;
  try {
    ({ positionals, values } = parseArgs({
      args: [...args],
      options: config,
      allowPositionals: true,
      allowNegative: true,
    }));
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
  const input: Record<string, unknown> = {};
  for (const { field, many } of positionalsOf(command)) {
    if (positionals.length === 0) continue; // the input may come from --input; the server names what is missing
    input[field] = many ? positionals.splice(0) : positionals.shift();
  }
  if (positionals.length > 0) throw new UsageError(`${JSON.stringify(positionals[0])} is one too many`);
  for (const option of options) {
    const given = values[option.flag];
    if (given === undefined) continue;
    input[option.field] = typeof given === "string" ? valueOf(option, given) : given;
  }
  return { input, common: values as CommonValues };
}
