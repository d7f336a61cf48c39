/** Candidates for the next word of a command line: verbs, options, values; names from the running server. */
import { translated } from "../../lib/i18n/locale.ts";
import { message, render } from "../../lib/i18n/message.ts";
import { ApiError } from "../../lib/client/api.ts";
import { type CommandName, COMMANDS, type Image } from "../../lib/contract/mod.ts";
import { leadingOptions } from "../leading_options.ts";
import { findOwn, type OwnVerb } from "../own_verb.ts";
import { didYouMean } from "../suggestion.ts";
import { at, escapeControlCharacters, heading, isRow } from "../verb/cells.ts";
import { findVerb, OTHER_WORDS, type Verb, verbOf, VERBS, verbsUnder } from "../verb/find.ts";
import { type Resource, resourceOf } from "../../lib/contract/lookups.ts";
import { resolveIds } from "../verb/resolve_ids.ts";
import { targetRows } from "../verb/help.ts";
import { commonOptionsOf, statesOf } from "../verb/common.ts";
import { type Option, optionsOf } from "../verb/options.ts";
import { type Positional, positionalsOf } from "../verb/places.ts";
import { WAITED_FOR } from "../verb/waited_for.ts";
import { OUTPUTS } from "../verb/output.ts";

/** A word, and what it means. */
export type Candidate = readonly [word: string, text: string];
/** Words; or `files`: the shell knows those better. */
export type Candidates = readonly Candidate[] | "files";

/** Asks the running server. */
export type Ask = (command: CommandName, input: Record<string, unknown>) => Promise<unknown>;

/**
 * Kind of resource that a field names. `name` is a new one nearly everywhere; the command's route shows whether it
 * exists.
 */
function resourceAt(field: string, { command }: Verb): Resource | undefined {
  if (field !== "name") return resourceOf(field, command.namedAs);
  if (/ \/networks\/\{name\}/.test(command.route)) return resourceOf("network");
  return command.content === "download" ? resourceOf("volume") : undefined;
}

async function live(
  field: string,
  verb: Verb,
  given: Readonly<Record<string, string>>,
  ask: Ask,
): Promise<readonly Candidate[]> {
  const resource = resourceAt(field, verb);
  if (!resource) return [];
  const { list, by, more: text, in: rows } = resource;
  const { properties = {} } = COMMANDS[list].input as { properties?: object };
  const input = Object.fromEntries(Object.entries(given).filter(([key]) => key in properties));
  const server = { call: ask as (command: string, input: unknown) => Promise<unknown> };
  const answer = await ask(list, await resolveIds(server, input));
  const found = rows === undefined ? answer : at(answer, rows);
  return (Array.isArray(found) ? found : []).filter(isRow).flatMap((row) => {
    const word = row[by], more = text === undefined ? "" : row[text];
    // What has signs of its own for shells and terminals is typed by hand.
    return typeof word === "string" && escapeControlCharacters(word) === word
      ? [[word, escapeControlCharacters(String(more ?? ""))] as const]
      : [];
  });
}

/**
 * "Did you mean …?", where a name that a command was given is near to one there is; empty otherwise. What the server
 * does not tell is no reason to hide the error it is asked about.
 */
export async function nearNames(
  verb: Verb,
  input: Readonly<Record<string, unknown>>,
  ask: Ask,
): Promise<string> {
  const texts = Object.entries(input).filter((entry): entry is [string, string] =>
    typeof entry[1] === "string"
  );
  for (const [field, given] of texts) {
    const known = await live(field, verb, Object.fromEntries(texts), ask).catch((error) => {
      if (error instanceof ApiError) return [];
      throw error;
    });
    if (known.some(([name]) => name === given)) continue;
    const near = didYouMean(given, known.map(([name]) => name));
    if (near !== "") return near;
  }
  return "";
}

const FILE_OPTION = /^(file|from|to|out|ca|token-file|socket|runtime-dir)$|-file$/;

/** Values of an option. */
async function valuesOf(
  flag: string,
  verb: Verb,
  given: Readonly<Record<string, string>>,
  ask: Ask,
): Promise<Candidates> {
  if (flag === "output") return OUTPUTS.map((each) => [each, ""]);
  if (FILE_OPTION.test(flag)) return "files";
  if (verb.extras.shorthands?.[flag]?.file) return "files";
  if (flag === "sort" || flag === "columns") return columnsOf(verb);
  if (flag === "image" || flag === "iso") return await imagesOf(flag, ask);
  if (flag === "state") return (statesOf(verb) ?? []).map((each) => [each, ""]);
  const option = optionsOf(verb).find((each) => each.flag === flag || each.others.includes(flag));
  if (option?.choices) return option.choices.map((each) => [each, ""]);
  const place = option === undefined && positionalsOf(verb).find((each) => each.flag === flag);
  if (place) return await valuesAt(place, verb, given, ask);
  return await live(option?.path.at(-1) ?? flag, verb, given, ask);
}

/** Columns by their headings. */
const columnsOf = ({ command: { columns = [], wide = [] } }: Verb): Candidates =>
  [...columns, ...wide].map((path) => [heading(path).toLowerCase().replaceAll(" ", "-"), path]);

/** Images of a kind, by name. */
async function imagesOf(flag: "image" | "iso", ask: Ask): Promise<Candidates> {
  const { images } = await ask("list_images", {}) as { images: readonly Image[] };
  return images.filter(({ kind, name }) =>
    (kind === "iso") === (flag === "iso") && escapeControlCharacters(name) === name
  )
    .map(({ name, pool }) => [name, pool]);
}

const flagOf = (row: readonly [string, string]) => /--[a-z][a-z-]*/.exec(row[0])![0];

function flagsOf(verb: Verb): Candidate[] {
  const options = optionsOf(verb);
  const own = [
    ...Object.entries(verb.extras.shorthands ?? {}).map(([flag, { text }]): Candidate => [
      `--${flag}`,
      translated(text),
    ]),
    ...options.flatMap(({ flag, secret, description = "" }): Candidate[] => {
      const text = translated(description);
      return [[`--${flag}`, text], ...(secret ? [[`--${flag}-file`, text] as const] : [])];
    }),
  ];
  const common = commonOptionsOf(verb, new Set(options.map(({ flag }) => flag)))
    .map(([name, { text }]): Candidate => [`--${name}`, translated(text)]);
  const target = targetRows().map((row): Candidate => [flagOf(row), row[1]]);
  return [...own, ...common, ...target, ["--help", render(message`tell more of it`)]];
}

/** Options that no value follows. */
function isFlagOnly(flag: string, verb: Verb, options: readonly Option[]): boolean {
  const shorthand = verb.extras.shorthands?.[flag];
  if (shorthand) return shorthand.value === undefined;
  const common = commonOptionsOf(verb, new Set()).find(([name, { short }]) =>
    name === flag || short === flag
  );
  if (common) return common[1].type === "boolean" || common[1].optional !== undefined;
  return /^(help|h)$/.test(flag) || flag.startsWith("no-") ||
    options.some((each) => each.kind === "boolean" && (each.flag === flag || each.others.includes(flag)));
}

async function afterVerb(
  verb: Verb,
  words: readonly string[],
  current: string,
  ask: Ask,
): Promise<Candidates> {
  const options = optionsOf(verb), places = positionalsOf(verb);
  const given: Record<string, string> = {};
  let place = 0, waiting: string | undefined;
  for (const word of words) {
    if (waiting !== undefined) {
      const name = waiting, option = options.find(({ flag, others }) => [flag, ...others].includes(name));
      if (option) given[option.path.at(-1)!] = word;
      waiting = undefined;
    } else if (word.startsWith("-")) {
      const flag = word === "-o" ? "output" : word === "-f" ? "file" : word.replace(/^-+/, "");
      waiting = flag.includes("=") || isFlagOnly(flag, verb, options) ? undefined : flag;
    } else {
      const at = places[Math.min(place, places.length - 1)];
      if (at) given[at.field] = word;
      // What takes several is followed by others once something else is typed.
      if (!at?.many) place++;
    }
  }
  if (waiting !== undefined) return await valuesOf(waiting, verb, given, ask);
  if (words.at(-1) === "--wait") return WAITED_FOR.map((each) => [each, ""]);
  if (current.startsWith("-")) return flagsOf(verb);
  const at = places[place];
  if (!at) return flagsOf(verb);
  const own = await valuesAt(at, verb, given, ask);
  const next = at.many && given[at.field] !== undefined ? places[place + 1] : undefined;
  return next ? [...own, ...await valuesAt(next, verb, given, ask)] : own;
}

/** Candidates for the value of a positional argument. */
async function valuesAt(
  { kind, choices, field }: Positional,
  verb: Verb,
  given: Readonly<Record<string, string>>,
  ask: Ask,
): Promise<readonly Candidate[]> {
  if (kind === "boolean") return [["yes", ""], ["no", ""]];
  return choices?.map((each): Candidate => [each, ""]) ?? await live(field, verb, given, ask);
}

/** The next words of verbs that begin with these. */
function nextWords(words: readonly string[], others: Readonly<Record<string, OwnVerb>>): Candidate[] {
  const found = new Map<string, string>();
  for (const [name, { summary }] of Object.entries(others)) {
    const own = name.split(" ");
    if (words.every((word, index) => own[index] === word) && own.length > words.length) {
      found.set(own[words.length]!, own.length === words.length + 1 ? translated(summary) : `${own[0]} …`);
    }
  }
  for (const verb of words.length === 0 ? VERBS : verbsUnder(words)) {
    const next = verb.words[words.length];
    if (next === undefined) continue;
    const isWhole = verb.words.length === words.length + 1;
    if (!found.has(next)) found.set(next, isWhole ? verb.command.summary : `${[...words, next].join(" ")} …`);
  }
  for (const [other, name] of OTHER_WORDS) {
    const [noun, word] = other.split(" ");
    if (words.length === 1 && words[0] === noun) found.set(word!, verbOf(name).command.summary);
  }
  return [...found];
}

/** Candidates after a verb that is no command of the contract. */
async function afterOwn(
  verb: OwnVerb,
  before: string,
  current: string,
  ask: Ask,
): Promise<Candidates> {
  if (before.startsWith("--") && FILE_OPTION.test(before.slice(2))) return "files";
  if (current.startsWith("-")) {
    const { help } = await verb.load();
    return [...new Set(help().match(/--[a-z][a-z-]+/g) ?? [])].map((flag): Candidate => [flag, ""]);
  }
  const words = verb.words.map((word): Candidate => [word, ""]);
  return verb.takesVm ? [...await live("vmId", verbOf("get_vm"), {}, ask), ...words] : words;
}

/**
 * Candidates for the last word of a command line.
 *
 * @param line the words after `kvm-manager`, the last of them under the cursor, maybe empty
 */
export async function candidates(
  line: readonly string[],
  others: Readonly<Record<string, OwnVerb>>,
  ask: Ask,
): Promise<Candidates> {
  // bash takes --output=json apart at the sign.
  const { rest: words } = leadingOptions(line.slice(0, -1).filter((word) => word !== "="));
  const last = line.at(-1) ?? "";
  const current = last === "=" ? "" : last;
  const begun = (all: Candidates): Candidates =>
    all === "files" ? all : all.filter(([word]) => word.startsWith(current));
  const own = findOwn(others, words);
  if (own) return begun(await afterOwn(own.verb, words.at(-1)!, current, ask));
  const found = findVerb(words);
  if (!found) return begun(nextWords(words, others));
  // `host` may be a verb, and `host stats` another.
  const further = found.rest.length === 0 && current !== "" && !current.startsWith("-")
    ? nextWords(words, {})
    : [];
  const after = await afterVerb(found.verb, found.rest, current, ask);
  return begun(after === "files" ? after : [...further, ...after]);
}
