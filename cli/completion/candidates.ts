/** What may come next on a command line: verbs, options, values; names from the running server. */
import { type CommandName, COMMANDS } from "../../lib/contract/mod.ts";
import { at, harmless, isRow } from "../verb/cells.ts";
import { findVerb, type Verb, VERBS, verbsUnder } from "../verb/find.ts";
import { commonRows, targetRows } from "../verb/help.ts";
import { type Option, optionsOf, positionalsOf } from "../verb/options.ts";
import { OUTPUTS } from "../verb/output.ts";

/** A word, and what it means. */
export type Candidate = readonly [word: string, text: string];
/** Words; or `files`: the shell knows those better. */
export type Candidates = readonly Candidate[] | "files";

/** A verb that is no command of the contract. */
export interface OtherVerb {
  readonly summary: string;
  readonly help: () => string;
  /** Words that may follow. */
  readonly words?: readonly string[];
}

/** Asks the running server. */
export type Ask = (command: CommandName, input: Record<string, unknown>) => Promise<unknown>;

/** Where names come from: the command, its field with the list, the name, what tells more of it. */
type Source = readonly [command: CommandName, name: string, text?: string, rows?: string];

const MACHINES: Source = ["get_vms", "name", "state"];
const POOLS: Source = ["get_storage_pools", "name", "state"];
const NETWORKS: Source = ["get_networks", "name", "mode"];

/** Field → where its values come from. */
const LIVE: Readonly<Record<string, Source>> = {
  vmId: MACHINES,
  vmIds: MACHINES,
  pool: POOLS,
  targetPool: POOLS,
  network: NETWORKS,
  volume: ["get_volumes", "name", "format"],
  userId: ["list_users", "name", "displayName"],
  tokenId: ["list_tokens", "name", "userName"],
  sessionId: ["list_sessions", "id", "client"],
  jobId: ["list_jobs", "id", "title"],
  role: ["list_roles", "role", "description"],
  id: ["list_port_forwards", "id", "network"],
  target: ["get_vm_devices", "target", "source", "disks"],
  catalogId: ["list_image_catalog", "id", "name"],
  osVariant: ["list_operating_systems", "id", "name"],
};

/** `name` is a new one nearly everywhere; by its route it is one there is. */
function sourceOf(field: string, { command }: Verb): Source | undefined {
  if (field !== "name") return LIVE[field];
  if (/ \/networks\/\{name\}/.test(command.route)) return NETWORKS;
  return command.content === "download" ? LIVE.volume : undefined;
}

async function live(
  field: string,
  verb: Verb,
  given: Readonly<Record<string, string>>,
  ask: Ask,
): Promise<readonly Candidate[]> {
  const source = sourceOf(field, verb);
  if (!source) return [];
  const [command, name, text, rows] = source;
  const { properties = {} } = COMMANDS[command].input as { properties?: object };
  const input = Object.fromEntries(Object.entries(given).filter(([key]) => key in properties));
  const answer = await ask(command, input);
  const found = rows === undefined ? answer : at(answer, rows);
  return (Array.isArray(found) ? found : []).filter(isRow).flatMap((row) => {
    const word = row[name], more = text === undefined ? "" : row[text];
    // What has signs of its own for shells and terminals is typed by hand.
    return typeof word === "string" && harmless(word) === word
      ? [[word, harmless(String(more ?? ""))] as const]
      : [];
  });
}

const FILE_OPTION = /^(file|from|to|ca|token-file|socket|runtime-dir)$|-file$/;

/** Values of an option. */
async function valuesOf(
  flag: string,
  verb: Verb,
  given: Readonly<Record<string, string>>,
  ask: Ask,
): Promise<Candidates> {
  if (flag === "output") return OUTPUTS.map((each) => [each, ""]);
  if (FILE_OPTION.test(flag)) return "files";
  const option = optionsOf(verb.command).find((each) => each.flag === flag);
  if (option?.choices) return option.choices.map((each) => [each, ""]);
  return option ? await live(option.path.at(-1)!, verb, given, ask) : [];
}

const flagOf = (row: readonly [string, string]) => /--[a-z][a-z-]*/.exec(row[0])![0];

function flagsOf(verb: Verb): Candidate[] {
  const own = optionsOf(verb.command).flatMap(({ flag, secret, description = "" }): Candidate[] => [
    [`--${flag}`, description],
    ...(secret ? [[`--${flag}-file`, description] as const] : []),
  ]);
  const common = [...commonRows(verb), ...targetRows()].map((row): Candidate => [flagOf(row), row[1]]);
  return [...own, ...common, ["--help", "tell more of it"]];
}

const isFlagOnly = (flag: string, options: readonly Option[]) =>
  /^(watch|yes|no-wait|help|w|y|h)$/.test(flag) || flag.startsWith("no-") ||
  options.some((each) => each.flag === flag && each.kind === "boolean");

async function afterVerb(
  verb: Verb,
  words: readonly string[],
  current: string,
  ask: Ask,
): Promise<Candidates> {
  const options = optionsOf(verb.command), places = positionalsOf(verb.command);
  const given: Record<string, string> = {};
  let place = 0, waiting: string | undefined;
  for (const word of words) {
    if (waiting !== undefined) {
      const option = options.find(({ flag }) => flag === waiting);
      if (option) given[option.path.at(-1)!] = word;
      waiting = undefined;
    } else if (word.startsWith("-")) {
      const flag = word === "-o" ? "output" : word === "-f" ? "file" : word.replace(/^-+/, "");
      waiting = flag.includes("=") || isFlagOnly(flag, options) ? undefined : flag;
    } else {
      const at = places[Math.min(place, places.length - 1)];
      if (at) given[at.field] = word;
      if (!at?.many) place++;
    }
  }
  if (waiting !== undefined) return await valuesOf(waiting, verb, given, ask);
  if (current.startsWith("-")) return flagsOf(verb);
  const at = places[place];
  if (!at) return flagsOf(verb);
  if (at.kind === "boolean") return [["yes", ""], ["no", ""]];
  return at.choices?.map((each): Candidate => [each, ""]) ?? await live(at.field, verb, given, ask);
}

/** The next words of verbs that begin with these. */
function nextWords(words: readonly string[], others: Readonly<Record<string, OtherVerb>>): Candidate[] {
  const found = new Map<string, string>();
  if (words.length === 0) {
    for (const [name, { summary }] of Object.entries(others)) {
      found.set(name, summary);
    }
  }
  for (const verb of words.length === 0 ? VERBS : verbsUnder(words)) {
    const next = verb.words[words.length];
    if (next === undefined) continue;
    const isWhole = verb.words.length === words.length + 1;
    if (!found.has(next)) found.set(next, isWhole ? verb.command.summary : `${[...words, next].join(" ")} …`);
  }
  return [...found];
}

/**
 * What may stand in the place of the last word.
 *
 * @param line the words after `kvm-manager`, the last of them under the cursor, maybe empty
 */
export async function candidates(
  line: readonly string[],
  others: Readonly<Record<string, OtherVerb>>,
  ask: Ask,
): Promise<Candidates> {
  // bash takes --output=json apart at the sign.
  const words = line.slice(0, -1).filter((word) => word !== "="), last = line.at(-1) ?? "";
  const current = last === "=" ? "" : last;
  const begun = (all: Candidates): Candidates =>
    all === "files" ? all : all.filter(([word]) => word.startsWith(current));
  const [first = ""] = words;
  // `vm console` is `console`.
  const name = words[0] === "vm" && words[1] === "console" ? "console" : first;
  const other = Object.hasOwn(others, name) ? others[name] : undefined;
  if (other) {
    const flags = [...new Set(other.help().match(/--[a-z][a-z-]+/g) ?? [])].map((
      flag,
    ): Candidate => [flag, ""]);
    const before = words.at(-1)!;
    if (before.startsWith("--") && FILE_OPTION.test(before.slice(2))) return "files";
    if (current.startsWith("-")) return begun(flags);
    if (name === "console") return begun(await live("vmId", findVerb(["vm", "show"])!.verb, {}, ask));
    return begun((other.words ?? []).map((word) => [word, ""]));
  }
  const found = findVerb(words);
  if (!found) return begun(nextWords(words, others));
  // `host` may be a verb, and `host stats` another.
  const further = found.rest.length === 0 && current !== "" && !current.startsWith("-")
    ? nextWords(words, {})
    : [];
  const after = await afterVerb(found.verb, found.rest, current, ask);
  return begun(after === "files" ? after : [...further, ...after]);
}
