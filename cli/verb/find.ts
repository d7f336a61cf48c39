/** Which command of the contract a command line means: `vm start web1` → start_vm. */
import { type Command, type CommandName, COMMANDS } from "../../lib/contract/mod.ts";

/** A command with its name. */
export interface Verb {
  readonly name: CommandName;
  readonly command: Command;
  /** Its words: `["vm", "start"]`. */
  readonly words: readonly string[];
}

const isWord = (part: string) => !part.startsWith("<");

/** Every command as a verb, in the contract's order. */
export const VERBS: readonly Verb[] = Object.entries(COMMANDS).map(([name, command]) => ({
  name: name as CommandName,
  command,
  words: command.cli.filter(isWord),
}));

/** The verb a command line begins with, and what follows it. The longest wins: `host stats` before `host`. */
export function findVerb(args: readonly string[]): { verb: Verb; rest: string[] } | undefined {
  const found = VERBS.filter(({ words }) => words.every((word, index) => args[index] === word))
    .sort((a, b) => b.words.length - a.words.length)[0];
  return found && { verb: found, rest: args.slice(found.words.length) };
}

/** The verbs that begin with these words: what `kvm-manager vm` may go on with. */
export function verbsUnder(words: readonly string[]): readonly Verb[] {
  return VERBS.filter((verb) => words.every((word, index) => verb.words[index] === word));
}
