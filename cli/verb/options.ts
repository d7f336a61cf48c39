/** A command's input schema ⇄ the options and places of its verb. */
import { message } from "../../lib/i18n/message.ts";
import { TARGET_OPTIONS, type TargetValues } from "../connect/target.ts";
import { type ArgumentOption, parsed } from "../arguments.ts";
import { COMMON_OPTIONS, type CommonValues } from "./common.ts";
import type { Given, InputDraft } from "./verb_extras.ts";
import type { Verb } from "./find.ts";
import {
  describe,
  inputSchemaOf,
  kebab,
  namedBy,
  placedByContract,
  type Positional,
  positionalsOf,
} from "./places.ts";
import { usageOf } from "./usage.ts";
import { choicesOf, type FieldSchema, type Kind, unwrappedSchema, valueKind } from "../../lib/text/values.ts";
import { UsageError, valueOf } from "./values.ts";

/** A field of the input as an option. */
export interface Option {
  /** Path in the input: `["cpu", "count"]`. */
  readonly path: readonly string[];
  /** `deleteDisks` → `delete-disks`; of a part `cpu.count`; a better name where the verb has one. */
  readonly flag: string;
  /** Its further names: by its field where that is another one, and as other programs call it. */
  readonly others: readonly string[];
  readonly kind: Kind;
  readonly required: boolean;
  /** One word of these. */
  readonly choices: readonly string[] | undefined;
  readonly description: string | undefined;
  readonly default: unknown;
  /** Not on the command line, where every process can read it: `-` reads it, `--FLAG-file` has it in a file. */
  readonly secret: boolean;
  /** The field with which it is asked for, once that is given. */
  readonly askedWith: string | undefined;
}

/** Shape of a value that has parts; used if the option has no other description. */
function shapeOf(schema: FieldSchema): string | undefined {
  const { type, properties, items } = unwrappedSchema(schema);
  const named = (fields: object) => Object.keys(fields).join(", ");
  if (type === "object" && properties) return `an object with ${named(properties)}`;
  if (type !== "array" || items === undefined) return undefined;
  return items.properties ? `a list of objects with ${named(items.properties)}` : `a list of ${items.type}s`;
}

/** Options of an object's fields, those of its parts behind a dot. */
function fieldsOf(
  { properties = {}, required = [] }: FieldSchema,
  names: ReadonlyMap<string, readonly string[]>,
  above: readonly string[] = [],
): Option[] {
  return Object.entries(properties).flatMap(([field, schema]) => {
    const path = [...above, field];
    const own = path.map(kebab).join("."), [better, ...further] = names.get(path.join(".")) ?? [];
    const option: Option = {
      path,
      flag: better ?? own,
      others: better === undefined ? [] : [own, ...further],
      kind: valueKind(field, schema),
      required: above.length === 0 && required.includes(field),
      choices: choicesOf(schema),
      description: describe(schema) ?? shapeOf(schema),
      default: schema.default,
      secret: schema["x-secret"] === true,
      askedWith: schema["x-asked-with"],
    };
    const parts = unwrappedSchema(schema);
    return parts.type === "object" && parts.properties ? [option, ...fieldsOf(parts, names, path)] : [option];
  });
}

/** The fields without a place of the contract's, by name. What another option stands for has none. */
export function optionsOf({ command, extras }: Pick<Verb, "command" | "extras">): Option[] {
  const placed = new Set(placedByContract(command).map((part) => part.replace(/[<>.]/g, "")));
  const flags = Map.groupBy(Object.entries(command.flags ?? {}), ([, path]) => path);
  const names = new Map([...flags].map(([path, each]) => [path, each.map(([flag]) => flag)]));
  // A better name is not shared: `--memory 8G`, and the whole of `memory` as JSON by --input alone.
  const taken = new Set([...Object.keys(command.flags ?? {}), ...Object.keys(extras.shorthands ?? {})]);
  return fieldsOf(inputSchemaOf(command), names).filter(({ path, flag, others }) =>
    !placed.has(path[0]!) && (others.length > 0 || !taken.has(flag))
  );
}

/** A secret that is to be read: from a file, or standard input. */
export interface SecretSource {
  readonly option: Option;
  readonly file: string;
}

/** A parsed command line. */
export interface Arguments {
  /** The input as far as it was given: the server checks it against the schema. */
  readonly input: InputDraft;
  readonly secrets: readonly SecretSource[];
  readonly common: CommonValues;
  /** Values of options that are no fields. */
  readonly given: Given;
  /** Values of the argument that the command is repeated for. */
  readonly each: readonly string[] | undefined;
  /** Names and patterns of the rows that are wanted of a list. */
  readonly names: readonly string[];
}

/** Puts a value to its place, making the objects on the way. */
export function put(input: InputDraft, path: readonly string[], value: unknown): void {
  let at = input;
  for (const step of path.slice(0, -1)) {
    if (typeof at[step] !== "object" || at[step] === null) at[step] = {};
    at = at[step] as InputDraft;
  }
  at[path.at(-1)!] = value;
}

function configOf(verb: Verb, options: readonly Option[]): Record<string, ArgumentOption> {
  const config: Record<string, ArgumentOption> = { ...COMMON_OPTIONS, ...TARGET_OPTIONS };
  for (const { flag, others, kind, secret } of options) {
    for (const name of [flag, ...others]) {
      if (secret) config[`${name}-file`] = { type: "string" };
      config[name] = kind === "boolean"
        ? { type: "boolean" }
        : { type: "string", multiple: kind === "strings" || kind === "grants" };
    }
  }
  for (const [flag, { value, multiple = false }] of Object.entries(verb.extras.shorthands ?? {})) {
    config[flag] = value === undefined ? { type: "boolean" } : { type: "string", multiple };
  }
  return config;
}

function secretSource(option: Option, given: unknown, file: unknown): SecretSource | undefined {
  if (typeof file === "string") return { option, file };
  if (given === undefined) return undefined;
  if (given === "-") return { option, file: "-" };
  throw new UsageError(
    message`--${option.flag} on the command line can be read by everybody on this host. Say --${option.flag} - to give it on standard input, or --${option.flag}-file FILE`,
  );
}

/** Shares words out over places: one place may take several, those behind it have theirs first. */
function shared(
  verb: Verb,
  places: readonly Positional[],
  words: readonly string[],
): (readonly string[])[] {
  const left = [...words];
  const many = places.findIndex((place) => place.many);
  const before = many < 0 ? places.length : many, after = many < 0 ? 0 : places.length - many - 1;
  const head = places.slice(0, before).map(() => left.splice(0, 1));
  if (many < 0) {
    if (left.length > 0) {
      throw new UsageError(message`${JSON.stringify(left[0])} is one too many`, usageOf(verb));
    }
    return head;
  }
  // The one that takes several has at least one, unless it may be left out.
  const tail = left.splice(Math.max(places[many]!.optional ? 0 : 1, left.length - after));
  return [...head, left, ...Array.from({ length: after }, (_, index) => tail.slice(index, index + 1))];
}

/**
 * Puts what stands in places into the input; gives the words of the place that is carried out for each.
 *
 * @param named what is given by the name of a place instead: the words are shared out over the others
 */
function readPlaces(
  verb: Verb,
  words: readonly string[],
  named: ReadonlyMap<string, readonly string[]>,
  input: InputDraft,
): readonly string[] | undefined {
  const other = words.length > 0 ? verb.extras.otherPlaces?.read(words) : undefined;
  if (other !== undefined) {
    Object.assign(input, other);
    return undefined;
  }
  const places = positionalsOf(verb), left = places.filter(({ flag }) => !named.has(flag));
  const parts = new Map(shared(verb, left, words).map((part, index) => [left[index]!.flag, part]));
  let each: readonly string[] | undefined;
  for (const { field, flag, many, kind, ...place } of places) {
    const part = named.get(flag) ?? parts.get(flag)!;
    if (place.each && part.length > 0) each = part;
    else if (part.length === 0) continue; // it may come from --file or --input
    else if (many) input[field] = [...part];
    else if (verb.extras.growing?.field === field && part[0]!.startsWith("+")) input[field] = part[0];
    else input[field] = valueOf(field, kind === "strings" ? "string" : kind, part[0]!, `<${field}>`);
  }
  return each;
}

/** Options that lists of other tools have (virsh, kubectl), and what does that here. */
export const LIST_HABITS: Readonly<Record<string, string>> = {
  all: "It lists all of them, in any state; --state and --filter choose some",
  inactive: "Those that do not run: --state stopped, or --filter active=no",
};

/**
 * Reads the arguments after a verb's words.
 *
 * @throws {UsageError}
 */
export function readArguments(verb: Verb, args: readonly string[]): Arguments {
  const options = optionsOf(verb);
  const config = configOf(verb, options);
  // Who comes from virt-install says --name.
  const places = positionalsOf(verb).filter(({ flag }) => !Object.hasOwn(config, flag));
  const byName = places.map(({ flag, many }) => [flag, { type: "string", multiple: many }] as const);
  const { positionals, values } = parsed(
    args,
    { ...config, ...Object.fromEntries(byName) },
    { ...verb.command.columns === undefined ? {} : LIST_HABITS, ...verb.command.elsewhere },
  ) as { positionals: string[]; values: Record<string, string | string[] | undefined> };
  const input: InputDraft = {};
  const named = new Map(places.flatMap(({ flag }) => flag in values ? [[flag, [values[flag]!].flat()]] : []));
  // What is said as an option has no place any more: `--type dir lab /srv/lab`.
  for (const { path: [field = "", ...parts], flag, others } of options) {
    if (parts.length === 0 && [flag, ...others].some((name) => name in values)) named.set(kebab(field), []);
  }
  const names = namedBy(verb) === undefined ? [] : positionals;
  const each = readPlaces(verb, names.length > 0 ? [] : positionals, named, input);
  const secrets: SecretSource[] = [];
  for (const option of options) {
    const { path, kind } = option, names = [option.flag, ...option.others];
    const said = names.find((name) => values[name] !== undefined) ?? option.flag, given = values[said];
    if (option.secret) {
      const file = names.map((name) => values[`${name}-file`]).find((each) => each !== undefined);
      const source = secretSource(option, given, file);
      if (source) secrets.push(source);
    } else if (given !== undefined) {
      const read = (text: string) => valueOf(path.at(-1)!, kind, text, `--${said}`);
      // No choice has a comma in it
      const parts = (text: string) => option.choices === undefined ? [text] : text.split(",");
      const value = typeof given === "string"
        ? read(given)
        : Array.isArray(given)
        ? given.flatMap(parts).map(read).flat()
        : given;
      put(input, path, value);
    }
  }
  const own = new Set([
    ...options.flatMap(({ flag, others }) => [flag, ...others]),
    ...Object.keys(verb.extras.shorthands ?? {}),
  ]);
  const pick = (names: Iterable<string>) =>
    Object.fromEntries([...names].filter((name) => name in values).map((name) => [name, values[name]]));
  return {
    input,
    secrets,
    each,
    names,
    common: pick(
      Object.keys({ ...COMMON_OPTIONS, ...TARGET_OPTIONS }).filter((name) => !own.has(name)),
    ) as CommonValues & TargetValues,
    given: pick(Object.keys(verb.extras.shorthands ?? {})) as Given,
  };
}
