/** "Did you mean …?": the known word that a typed one is nearest to. Pure. */
import { shell } from "../lib/i18n/en/shell.ts";
import { perLocale, SOURCE_LOCALE } from "../lib/i18n/locale.ts";
import { textsOf } from "../lib/i18n/mod.ts";

const { t } = textsOf(shell);

/** Changes between two words: a letter more, less, other, or two exchanged (optimal string alignment). */
export function distance(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, index) => index)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const isSame = a[i - 1] === b[j - 1];
      let least = Math.min(rows[i - 1]![j]! + 1, row[j - 1]! + 1, rows[i - 1]![j - 1]! + (isSame ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        least = Math.min(least, rows[i - 2]![j - 2]! + 1);
      }
      row.push(least);
    }
    rows.push(row);
  }
  return rows[a.length]![b.length]!;
}

/** Longest word that is compared. A longer one is not a typing mistake. */
const LONGEST = 64;

/** The known words nearest to one that is not known, the nearest first; none when nothing is near. */
export function nearest(word: string, known: Iterable<string>): string[] {
  if (word === "" || word.length > LONGEST) return [];
  const lower = word.toLowerCase();
  const most = Math.max(1, Math.floor(word.length / 3));
  const found = [...new Set(known)].flatMap((each) => {
    if (each.length > LONGEST) return [];
    // A beginning or a part of it is as good as one wrong letter.
    const isPart = lower.length >= 3 && (each.startsWith(lower) || each.split(/[.-]/).includes(lower));
    const changes = isPart ? 1 : distance(lower, each.toLowerCase());
    return changes <= most ? [{ each, changes }] : [];
  });
  return found.sort((a, b) => a.changes - b.changes).slice(0, 3).map(({ each }) => each);
}

/** English without a comma before the last one. */
const lists = perLocale((language) =>
  new Intl.ListFormat(language === SOURCE_LOCALE ? "en-GB" : language, { type: "disjunction" })
);

/** `a, b or c`. */
export const inWords = (each: readonly string[]): string => lists().format(each);

/** ` Did you mean a, b or c?`; empty when nothing is near. */
export function didYouMean(word: string, known: Iterable<string>, shown = (each: string) => each): string {
  const found = nearest(word, known).map(shown);
  return found.length === 0 ? "" : ` ${t("shell.did_you_mean", { names: inWords(found) })}`;
}
