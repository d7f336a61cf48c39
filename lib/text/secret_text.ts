/** Secrets as files, pipes and forms hand them over: one rule for all. Pure. */

/**
 * A secret without what editors and systems add: one new line at its end is left out, and lines end with LF. Everything
 * else is part of it.
 */
export const secretText = (text: string): string => text.replace(/\r\n/g, "\n").replace(/\n$/, "");

/** Spellings of a secret of several lines, the rule's own first: earlier versions took it as it stood in the file. */
export function secretSpellings(text: string): string[] {
  const own = secretText(text), windows = own.replace(/\n/g, "\r\n");
  if (!text.includes("\n")) return [own];
  return [...new Set([own, text, `${own}\n`, windows, `${windows}\r\n`])];
}
