/**
 * Input of a soft keyboard. It reports no keys: it changes a text, and completes, corrects and replaces words in it. So
 * the text before and after are compared.
 */

/** Characters that stand in the text from the start, so that there is something to delete. */
export const PADDING = "\u00a0".repeat(32);
/** Length at which the text begins again. */
export const LONGEST = 256;

/**
 * The characters that lead from one text to another when they are typed at its end: `\b` deletes one.
 *
 * @example typedBetween("helo", "hello ") // "\blo " – "o" is deleted, "lo " is written
 */
export function typedBetween(before: string, after: string): string {
  const [old, now] = [Array.from(before), Array.from(after)];
  const different = old.findIndex((character, at) => character !== now[at]);
  const same = different === -1 ? old.length : different;
  return "\b".repeat(old.length - same) + now.slice(same).join("");
}
