/** Options before the verb, where virsh and kubectl have those that say which server is meant. Pure. */
import { TARGET_OPTIONS } from "./connect/target.ts";
import type { ArgumentOptions } from "./arguments.ts";
import { COMMON_OPTIONS } from "./verb/common.ts";

const OPTIONS: ArgumentOptions = { ...COMMON_OPTIONS, ...TARGET_OPTIONS };

/** The name of an option as it is written, where any verb may have it: `-o`, `--server=URL`. */
function nameOf(word: string): string | undefined {
  const [, long, short] = /^(?:--([^=]+)|-([^-]))/.exec(word) ?? [];
  if (long !== undefined) return Object.hasOwn(OPTIONS, long) ? long : undefined;
  return Object.entries(OPTIONS).find(([, option]) => option.short !== undefined && option.short === short)
    ?.[0];
}

/** Splits a line into the options that it begins with, each with its value, and what follows them. */
export function leadingOptions(line: readonly string[]): { options: string[]; rest: string[] } {
  let at = 0;
  while (at < line.length) {
    const word = line[at]!, name = nameOf(word);
    if (name === undefined) break;
    const { type, optional } = OPTIONS[name]!;
    const isAlone = optional !== undefined && !optional.includes(line[at + 1] ?? "");
    const isWhole = type === "boolean" || isAlone || word.includes("=") || /^-[^-]./.test(word);
    at += isWhole ? 1 : 2;
  }
  return { options: line.slice(0, at), rest: line.slice(at) };
}
