/** Tags as people type them. */

/** Longest tag, and most tags, the contract allows; a test compares them with it. */
export const TAG_LENGTH = 64;
export const TAG_COUNT = 32;

/** `prod, web web` → `["prod", "web"]`: separated by spaces or commas, each once. */
export function parseTags(text: string): string[] {
  return [...new Set(text.split(/[\s,]+/).filter((tag) => tag !== ""))];
}
