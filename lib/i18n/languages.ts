/** The languages that texts are written in, and how a language is found for what a reader accepts. */

/** The language the texts are written in: others are translations of it. */
export const SOURCE_LOCALE = "en";

/** Languages by their tags (BCP 47) with the names they have for themselves. */
export const LANGUAGES: Readonly<Record<string, string>> = {
  en: "English",
  de: "Deutsch",
  fr: "Français",
  es: "Español",
  pt: "Português",
  ja: "日本語",
  zh: "简体中文",
};

/** The choice of whatever the browser accepts. */
export const BROWSER_LANGUAGE = "browser";

/** A language's own name; one that is only tried out has its tag for a name. */
export const languageName = (tag: string): string => LANGUAGES[tag] ?? tag;

/** A tag, short enough to look at: at most four parts of two to eight letters and digits. */
const TAG = /^[a-z]{2,8}(?:-[a-z0-9]{2,8}){0,3}$/i;

export const isLanguageTag = (text: string): boolean => TAG.test(text);

/** Tags that are kept with their scripts: each request has some, and all have the same few. */
const MOST_KEPT = 200;
const kept = new Map<string, string | undefined>();

/** A tag with its likely script: `zh-TW` is `zh Hant`. @returns undefined for what is no tag */
function written(tag: string): string | undefined {
  if (!kept.has(tag)) {
    if (kept.size >= MOST_KEPT) kept.delete(kept.keys().next().value!);
    kept.set(tag, scriptOf(tag));
  }
  return kept.get(tag);
}

function scriptOf(tag: string): string | undefined {
  if (!isLanguageTag(tag)) return undefined;
  try {
    const { language, script } = new Intl.Locale(tag).maximize();
    return `${language} ${script ?? ""}`;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/**
 * The language among those known that says what a tag says: the same, else one of the same language in the same script. A
 * reader of traditional Chinese is not given simplified.
 */
export function languageOf(tag: string, known: readonly string[]): string | undefined {
  const wanted = tag.toLowerCase(), same = known.find((each) => each.toLowerCase() === wanted);
  if (same !== undefined || wanted.length > 35) return same;
  const way = written(wanted);
  return way === undefined ? undefined : known.find((each) => written(each) === way);
}

/** Languages that are written from right to left, by their scripts. */
const RIGHT_TO_LEFT: ReadonlySet<string> = new Set(["Arab", "Hebr", "Thaa", "Syrc", "Nkoo", "Adlm"]);

/** Direction of a language's writing, for HTML's `dir`. */
export const directionOf = (tag: string): "ltr" | "rtl" =>
  RIGHT_TO_LEFT.has(written(tag)?.split(" ")[1] ?? "") ? "rtl" : "ltr";
