/** A command's input schema ⇄ the options of its verb. */
import type { ParseArgsConfig } from "node:util";
import type { Command } from "../../lib/contract/mod.ts";
import { TARGET_OPTIONS, type TargetValues } from "../connect/target.ts";
import { parsed } from "../arguments.ts";
import { bare, type Kind, kindOf, type Schema, UsageError, valueOf } from "./values.ts";

/** A field of the input as an option. */
export interface Option {
  /** Where it is in the input: `["cpu", "count"]`. */
  readonly path: readonly string[];
  /** `deleteDisks` → `delete-disks`; of a part `cpu.count`. */
  readonly flag: string;
  readonly kind: Kind;
  readonly required: boolean;
  /** One word of these. */
  readonly choices: readonly string[] | undefined;
  readonly description: string | undefined;
  /** Not on the command line, where every process can read it: `-` reads it, `--FLAG-file` has it in a file. */
  readonly secret: boolean;
}

/** A field given by its place instead of by name. */
export interface Positional {
  readonly field: string;
  readonly kind: Kind;
  /** Takes all that follow. */
  readonly many: boolean;
  readonly choices: readonly string[] | undefined;
}

const inputOf = (command: Command): Schema => command.input;
const choicesOf = (schema: Schema) => (bare(schema).enum ?? bare(schema).items?.enum)?.map(String);

/** The fields a verb takes by place. */
export function positionalsOf(command: Command): Positional[] {
  return command.cli.flatMap((part) => {
    const [, field, many] = /^<(\w+)(\.\.\.)?>$/.exec(part) ?? [];
    if (field === undefined) return [];
    const schema = inputOf(command).properties?.[field] ?? {};
    return [{ field, kind: kindOf(field, schema), many: many !== undefined, choices: choicesOf(schema) }];
  });
}

const kebab = (field: string) => field.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** Options of an object's fields, those of its parts behind a dot. */
function fieldsOf({ properties = {}, required = [] }: Schema, above: readonly string[] = []): Option[] {
  return Object.entries(properties).flatMap(([field, schema]) => {
    const path = [...above, field];
    const own: Option = {
      path,
      flag: path.map(kebab).join("."),
      kind: kindOf(field, schema),
      required: above.length === 0 && required.includes(field),
      choices: choicesOf(schema),
      description: schema.description ?? bare(schema).description,
      secret: schema["x-secret"] === true,
    };
    const parts = bare(schema);
    return parts.type === "object" && parts.properties ? [own, ...fieldsOf(parts, path)] : [own];
  });
}

/** The fields without a place, by name. */
export function optionsOf(command: Command): Option[] {
  const placed = new Set(positionalsOf(command).map(({ field }) => field));
  return fieldsOf(inputOf(command)).filter(({ path }) => !placed.has(path[0]!));
}

/** Whether a command is long work that others can look at. */
export function isLong({ errors, content }: Command): boolean {
  return content === undefined && errors.includes("JobCancelled");
}

/** Options every verb has; some are for some verbs alone (`run.ts` says no elsewhere). */
export const COMMON_OPTIONS = {
  output: { type: "string", short: "o" },
  file: { type: "string", short: "f" },
  input: { type: "string" },
  watch: { type: "boolean", short: "w" },
  yes: { type: "boolean", short: "y" },
  wait: { type: "boolean" },
  from: { type: "string" },
  to: { type: "string" },
  ...TARGET_OPTIONS,
} as const satisfies ParseArgsConfig["options"];

/** What the common options were given. */
export interface CommonValues extends TargetValues {
  readonly output?: string;
  readonly file?: string;
  readonly input?: string;
  readonly watch?: boolean;
  readonly yes?: boolean;
  /** `--no-wait` makes it false. */
  readonly wait?: boolean;
  readonly from?: string;
  readonly to?: string;
}

/** A secret that is to be read: from a file, or standard input. */
export interface SecretSource {
  readonly option: Option;
  readonly file: string;
}

/** What a command line says. */
export interface Arguments {
  /** The input as far as it was given: the server checks it against the schema. */
  readonly input: Record<string, unknown>;
  readonly secrets: readonly SecretSource[];
  readonly common: CommonValues;
}

/** Puts a value to its place, making the objects on the way. */
export function put(input: Record<string, unknown>, path: readonly string[], value: unknown): void {
  let at = input;
  for (const step of path.slice(0, -1)) {
    if (typeof at[step] !== "object" || at[step] === null) at[step] = {};
    at = at[step] as Record<string, unknown>;
  }
  at[path.at(-1)!] = value;
}

function configOf(options: readonly Option[]): NonNullable<ParseArgsConfig["options"]> {
  const config: NonNullable<ParseArgsConfig["options"]> = { ...COMMON_OPTIONS };
  for (const { flag, kind, secret } of options) {
    if (secret) config[`${flag}-file`] = { type: "string" };
    config[flag] = kind === "boolean"
      ? { type: "boolean" }
      : { type: "string", multiple: kind === "strings" || kind === "grants" };
  }
  return config;
}

function secretSource(option: Option, given: unknown, file: unknown): SecretSource | undefined {
  if (typeof file === "string") return { option, file };
  if (given === undefined) return undefined;
  if (given === "-") return { option, file: "-" };
  throw new UsageError(
    `--${option.flag} on the command line can be read by everybody on this host. Say --${option.flag} - to give it on ` +
      `standard input, or --${option.flag}-file FILE`,
  );
}

/**
 * Reads the arguments after a verb's words.
 *
 * @throws {UsageError}
 */
export function readArguments(command: Command, args: readonly string[]): Arguments {
  const options = optionsOf(command);
  const { positionals, values }: { positionals: string[]; values: Record<string, unknown> } = parsed({
    args: [...args],
    options: configOf(options),
    allowPositionals: true,
    allowNegative: true,
  });
  const input: Record<string, unknown> = {};
  for (const { field, many, kind } of positionalsOf(command)) {
    if (positionals.length === 0) continue; // it may come from --file or --input; the server names what is missing
    input[field] = many
      ? positionals.splice(0)
      : valueOf(field, kind === "strings" ? "string" : kind, positionals.shift()!, `<${field}>`);
  }
  if (positionals.length > 0) throw new UsageError(`${JSON.stringify(positionals[0])} is one too many`);
  const secrets: SecretSource[] = [];
  for (const option of options) {
    const { path, flag, kind } = option, given = values[flag];
    if (option.secret) {
      const source = secretSource(option, given, values[`${flag}-file`]);
      if (source) secrets.push(source);
    } else if (given !== undefined) {
      const read = (text: string) => valueOf(path.at(-1)!, kind, text, `--${flag}`);
      const value = typeof given === "string"
        ? read(given)
        : Array.isArray(given)
        ? given.map(read).flat()
        : given;
      put(input, path, value);
    }
  }
  return { input, secrets, common: values as CommonValues };
}
