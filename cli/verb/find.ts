/** Finds the contract's command of a command line: `vm start web1` → start_vm. */
import { type Command, type CommandName, COMMANDS } from "../../lib/contract/mod.ts";
import { extrasOf } from "./extras.ts";
import type { VerbExtras } from "./verb_extras.ts";

/** A command with its name. */
export interface Verb {
  readonly name: CommandName;
  readonly command: Command;
  /** Its words: `["vm", "start"]`. */
  readonly words: readonly string[];
  /** Its functions outside the contract. */
  readonly extras: VerbExtras;
}

const isWord = (part: string) => !part.startsWith("<");

/** Every command as a verb, in the contract's order. */
export const VERBS: readonly Verb[] = Object.entries(COMMANDS).map(([name, command]) => ({
  name: name as CommandName,
  command,
  words: command.cli.filter(isWord),
  extras: extrasOf(name as CommandName),
}));

/** Other words for a verb, by the words themselves: `vm tag` → set_tags. */
export const OTHER_WORDS: ReadonlyMap<string, CommandName> = new Map(
  VERBS.flatMap(({ name, command: { aliases = [] } }) => aliases.map((words) => [words, name] as const)),
);

/** The verb of a command. */
export const verbOf = (name: CommandName): Verb => VERBS.find((verb) => verb.name === name)!;

/** Words that other tools have for ours. The first that makes a verb is meant. */
const SYNONYMS: Readonly<Record<string, readonly string[]>> = {
  ls: ["list"],
  info: ["show"],
  rm: ["delete", "remove", "revoke"],
  new: ["create", "add"],
};

function exact(args: readonly string[]): { verb: Verb; rest: string[] } | undefined {
  const found = VERBS.filter(({ words }) => words.every((word, index) => args[index] === word))
    .sort((a, b) => b.words.length - a.words.length)[0];
  return found && { verb: found, rest: args.slice(found.words.length) };
}

/** The same line with a synonym exchanged, as far as one makes a verb. */
function exchanged([noun = "", word = "", ...rest]: readonly string[]): string[] | undefined {
  if (noun === "ls" || noun === "list") return ["vm", "list", ...word === "" ? [] : [word], ...rest];
  const words = Object.hasOwn(SYNONYMS, word) ? SYNONYMS[word]! : [];
  const found = words.find((each) => VERBS.some(({ words: [a, b] }) => a === noun && b === each));
  return found === undefined ? undefined : [noun, found, ...rest];
}

/**
 * The verb a command line begins with, and what follows it. The longest wins: `host stats` before `host`. What the
 * contract has as a word wins over a synonym.
 */
export function findVerb(args: readonly string[]): { verb: Verb; rest: string[] } | undefined {
  const found = exact(args);
  if (found) return found;
  const other = OTHER_WORDS.get(args.slice(0, 2).join(" "));
  if (other !== undefined) return { verb: verbOf(other), rest: args.slice(2) };
  const line = exchanged(args);
  return line && exact(line);
}

/** The verbs that begin with these words: what `kvm-manager vm` may go on with. */
export function verbsUnder(words: readonly string[]): readonly Verb[] {
  return VERBS.filter((verb) => words.every((word, index) => verb.words[index] === word));
}
