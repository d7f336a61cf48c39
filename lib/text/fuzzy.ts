/** Fuzzy matching for the command palette: the letters in order, good places first. */

/** How well a text matches, and which of its characters did. */
export interface FuzzyMatch {
  readonly score: number;
  readonly positions: readonly number[];
}

const CONSECUTIVE = 8;
const WORD_START = 10;
const FIRST = 6;

function startsWord(text: string, at: number): boolean {
  return at === 0 || !/[\p{L}\p{N}]/u.test(text[at - 1]!);
}

/** Finds the letters of `query` in `text`, in order, upper and lower case alike; null where one is missing. */
export function fuzzyMatch(query: string, text: string): FuzzyMatch | null {
  const wanted = query.toLowerCase().replace(/\s+/g, "");
  const lower = text.toLowerCase();
  // A case change that changes the length (İ) would shift every position.
  if (lower.length !== text.length) return lower.includes(wanted) ? { score: 0, positions: [] } : null;
  const direct = wanted === "" ? -1 : lower.indexOf(wanted);
  const positions: number[] = [];
  let score = 0;
  let from = Math.max(direct, 0);
  for (const letter of wanted) {
    const at = lower.indexOf(letter, from);
    if (at < 0) return null;
    if (at > 0 && positions.at(-1) === at - 1) score += CONSECUTIVE;
    if (startsWord(lower, at)) score += WORD_START;
    if (at === 0) score += FIRST;
    for (let i = 0; i < letter.length; i++) positions.push(at + i);
    from = at + letter.length;
  }
  // Of two that match alike, the shorter one is more of what was typed.
  return { score: score - text.length / 100, positions };
}

/** The best `limit` of a list, best first; with nothing typed, the list's own order. */
export function fuzzyFind<T>(
  query: string,
  items: Iterable<T>,
  textOf: (item: T) => string,
  limit: number,
): { item: T; match: FuzzyMatch }[] {
  const found: { item: T; match: FuzzyMatch }[] = [];
  const blank = query.trim() === "";
  for (const item of items) {
    if (blank && found.length >= limit) break;
    const match = blank ? { score: 0, positions: [] } : fuzzyMatch(query, textOf(item));
    if (match) found.push({ item, match });
  }
  return found.sort((a, b) => b.match.score - a.match.score).slice(0, limit);
}
