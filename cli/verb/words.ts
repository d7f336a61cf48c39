/** Words of the contract as the shell's language has them: JSON, YAML and names keep the contract's own. Pure. */
import { shell } from "../../lib/i18n/en/shell.ts";
import { locale, perLocale, translation } from "../../lib/i18n/locale.ts";

/** Fields whose values are words for people, in tables; elsewhere a word is one that is typed (`virtio`, `nat`). */
const WORD_FIELDS: ReadonlySet<string> = new Set(
  "frequency guestAgent kvmManagerAgent level minSeverity outcome qemuGa repeat result severity state status verified worst"
    .split(" "),
);

const keyOf = (kind: "heading." | "cell.word-", english: string) =>
  kind + english.toLowerCase().replaceAll(" ", "-");

/** A heading in capitals, by the English one; that one where there is no translation. */
export const headingHere = (english: string): string =>
  translation(keyOf("heading.", english))?.toLocaleUpperCase(locale()) ?? english;

/** A word of a state; as it is where there is no translation. */
export const wordHere = (word: string): string => translation(keyOf("cell.word-", word)) ?? word;

/** A text in a field: a word of a state in the shell's language, all else as it is. */
export const wordIn = (field: string, text: string): string => WORD_FIELDS.has(field) ? wordHere(text) : text;

const ENGLISH = Object.entries(shell).filter(([key]) => key.startsWith("cell.word-")).map(([, word]) => word);
const englishByWord = perLocale(() => new Map(ENGLISH.map((word) => [wordHere(word), word])));

/** The contract's word for one of the shell's language; as it is where there is none. */
export const contractWord = (word: string): string => englishByWord().get(word) ?? word;
