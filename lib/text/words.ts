/** A line as words, as a shell would cut it, without anything else that a shell does. Pure. */

/** The words of a line; null when a quote is not closed. Quotes and backslashes keep blanks; nothing is expanded. */
export function splitWords(line: string): string[] | null {
  const words: string[] = [];
  let word: string | undefined, quote: string | undefined;
  for (let at = 0; at < line.length; at++) {
    const sign = line[at]!;
    if (quote !== undefined) {
      if (sign === quote) quote = undefined;
      else if (sign === "\\" && quote === '"' && at + 1 < line.length && /["\\]/.test(line[at + 1]!)) {
        word += line[++at]!;
      } else word += sign;
    } else if (sign === "'" || sign === '"') {
      quote = sign;
      word ??= "";
    } else if (sign === "\\" && at + 1 < line.length) word = (word ?? "") + line[++at]!;
    else if (/\s/.test(sign)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? "") + sign;
  }
  if (quote !== undefined) return null;
  if (word !== undefined) words.push(word);
  return words;
}
