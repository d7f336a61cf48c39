/**
 * Language of texts, and time zone of moments: one for all of a page, whether the server or the browser writes them.
 * The server sets them for a request, the browser for itself; none is read while a module loads, so that one process
 * can answer in several.
 */

import { languageOf, LANGUAGES, SOURCE_LOCALE } from "./languages.ts";

export { SOURCE_LOCALE };

let current: () => string = () => SOURCE_LOCALE;

/** The language of what is done now: of the request, in the browser of the page. BCP 47. */
export function locale(): string {
  return current();
}

/**
 * Says where the language comes from. Called once by what starts the program; tests set it for a while.
 *
 * @param source undefined where it has none: then the language is the one that was in use before
 */
export function useLocale(source: () => string | undefined): Disposable {
  const before = current;
  current = () => source() ?? before();
  return { [Symbol.dispose]: () => void (current = before) };
}

/** Translated texts, by language. */
const catalogs = new Map<string, ReadonlyMap<string, string>>();
/** Languages whose texts can be had, and are read when somebody reads them. */
const offered = new Set<string>();

/** Adds translations: key → text, of any noun; keys are unique. */
export function addTexts(language: string, texts: Readonly<Record<string, string>>): void {
  catalogs.set(language, new Map([...catalogs.get(language) ?? [], ...Object.entries(texts)]));
}

/** Says in which languages there are texts that are added when they are needed. */
export function offerLanguages(languages: Iterable<string>): void {
  for (const language of languages) offered.add(language);
}

/** Whether the texts of a language are here. */
export const hasTexts = (language: string): boolean => language === SOURCE_LOCALE || catalogs.has(language);

/** The languages there are texts in: ours in the order of their table, then those that are tried out. */
export function locales(): readonly string[] {
  const there = new Set([SOURCE_LOCALE, ...offered, ...catalogs.keys()]);
  return [...new Set(Object.keys(LANGUAGES)).intersection(there).union(there)];
}

/** The translations into a language that are here. */
export const translationsOf = (language: string): ReadonlyMap<string, string> | undefined =>
  catalogs.get(language);

/** A text's translation into the language of what is done now; undefined where there is none. */
export function translation(key: string): string | undefined {
  return catalogs.get(locale())?.get(key);
}

/** An English text in the language of what is done now; itself where there is no translation. */
export const translated = (text: string): string => translation(text) ?? text;

/** Something that is costly to make, made once for each language when it is first needed. */
export function perLocale<T>(make: (locale: string) => T): () => T {
  const made = new Map<string, T>();
  return () => {
    const language = locale();
    if (!made.has(language)) made.set(language, make(language));
    return made.get(language)!;
  };
}

/** The zone of this process. */
export const ownZone = (): string => new Intl.DateTimeFormat("en").resolvedOptions().timeZone;

let currentZone: () => string | undefined = () => undefined;

/** The zone of what is done now: an IANA name. */
export function zone(): string {
  return currentZone() ?? ownZone();
}

/** Says where the zone comes from. Called once by what starts the program; tests set it for a while. */
export function useZone(source: () => string | undefined): Disposable {
  const before = currentZone;
  currentZone = source;
  return { [Symbol.dispose]: () => void (currentZone = before) };
}

/** Formats of one kind that are kept: browsers name their zones, in any case of letters. */
const MOST_KEPT = 50;

/** A format that is costly to make, made once for each language and zone. */
export function perZone(options: Intl.DateTimeFormatOptions): () => Intl.DateTimeFormat {
  const made = new Map<string, Intl.DateTimeFormat>();
  return () => {
    const timeZone = zone(), language = locale(), key = `${language} ${timeZone}`;
    const kept = made.get(key);
    if (kept !== undefined) return kept;
    const format = new Intl.DateTimeFormat(language, { ...options, timeZone });
    if (made.size >= MOST_KEPT) made.delete(made.keys().next().value!);
    made.set(key, format);
    return format;
  };
}

/**
 * The language to answer a request in.
 *
 * @param accepted the header Accept-Language (RFC 9110, 12.5.4)
 */
export function localeFor(accepted: string | null, known: readonly string[] = locales()): string {
  const wanted = (accepted ?? "").split(",", 32).map((part) => {
    const [range = "", ...parameters] = part.trim().toLowerCase().split(";");
    const quality = parameters.map((each) => /^\s*q=([01](?:\.\d{0,3})?)$/.exec(each)?.[1]).find(Boolean);
    return { range: range.trim(), quality: Number(quality ?? 1) };
  }).filter(({ quality }) => quality > 0).sort((a, b) => b.quality - a.quality);
  for (const { range } of wanted) {
    const found = languageOf(range, known);
    if (found !== undefined) return found;
  }
  return SOURCE_LOCALE;
}
