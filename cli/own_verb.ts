/** Verbs that are no commands of the contract: each is loaded when it is meant, so that no other waits for it. */

/** Its code. */
export interface OwnVerbCode {
  readonly help: () => string;
  /** Reads the arguments and does nothing else; `run` begins with it. @throws for a line that is refused as wrong usage */
  readonly read: (args: readonly string[]) => unknown;
  /** Gives the exit status. */
  readonly run: (args: readonly string[]) => Promise<number>;
}

/** A verb of its own. */
export interface OwnVerb {
  readonly summary: string;
  /** Words that may follow it, for completion. */
  readonly words: readonly string[];
  /** A VM's name follows it. */
  readonly takesVm: boolean;
  readonly load: () => Promise<OwnVerbCode>;
}

/** Declares one. */
export function ownVerb(
  summary: string,
  load: () => Promise<OwnVerbCode>,
  { words = [], takesVm = false }: { words?: readonly string[]; takesVm?: boolean } = {},
): OwnVerb {
  return { summary, load, words, takesVm };
}

/** Other words for some of them. */
export const OWN_OTHER_WORDS: Readonly<Record<string, string>> = { "vm console": "console" };

/** The verb that a line begins with, and what follows it. */
export function findOwn(
  own: Readonly<Record<string, OwnVerb>>,
  line: readonly string[],
): { readonly name: string; readonly verb: OwnVerb; readonly rest: readonly string[] } | undefined {
  for (const length of [2, 1]) {
    const words = line.slice(0, length).join(" ");
    const name = Object.hasOwn(OWN_OTHER_WORDS, words) ? OWN_OTHER_WORDS[words]! : words;
    if (Object.hasOwn(own, name)) return { name, verb: own[name]!, rest: line.slice(length) };
  }
  return undefined;
}
