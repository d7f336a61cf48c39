/** Problems of a language's translations. Pure. */
import type { TextTable, TextTables } from "../../lib/fresh/server/island_texts.ts";
import { KEYED_BY_TEXT } from "./english.ts";

const FORM = /^(.+)\.(zero|one|two|few|many|other)$/;
/** Forms that stand in for each other: `many` of French, Spanish and Portuguese is for millions, and written as `other`. */
const OPTIONAL_FORMS: ReadonlySet<string> = new Set(["many"]);

const isCount = (base: string, table: TextTable) => `${base}.one` in table && `${base}.other` in table;

/** The keys that a table has in a language: with the forms of counts that the language needs. */
export function wantedKeys(noun: string, english: TextTable, language: string): string[] {
  if (KEYED_BY_TEXT.has(noun)) return Object.keys(english);
  const { pluralCategories } = new Intl.PluralRules(language).resolvedOptions();
  return Object.keys(english).flatMap((key) => {
    const [, base, form] = FORM.exec(key) ?? [];
    if (base === undefined || !isCount(base, english)) return [key];
    return form === "other" ? pluralCategories.map((each) => `${base}.${each}`) : [];
  });
}

/** The English text that a key is of; for a form of a count that English has not, the one of all other numbers. */
export function englishOf(key: string, english: TextTable): string | undefined {
  const [, base] = FORM.exec(key) ?? [];
  return english[key] ??
    (base !== undefined && isCount(base, english) ? english[`${base}.other`] : undefined);
}

const placesOf = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(([place]) => place).sort();

/** Whether a translation has the places of the English text. The number may be left out of a form for one number. */
function hasPlaces(key: string, english: string, text: string): boolean {
  const isForm = FORM.test(key),
    told = (all: string[]) => isForm ? all.filter((place) => place !== "{n}") : all;
  return told(placesOf(english)).join() === told(placesOf(text)).join();
}

function problemsOf(noun: string, english: TextTable, table: TextTable, language: string): string[] {
  const wanted = wantedKeys(noun, english, language), known = new Set(wanted);
  const missing = wanted.filter((key) => !(key in table) && !OPTIONAL_FORMS.has(FORM.exec(key)?.[2] ?? ""));
  const written = Object.keys(table);
  return [
    ...missing.map((key) => `${noun}: ${key} is missing`),
    ...written.filter((key) => !known.has(key)).map((key) => `${noun}: ${key} is no text`),
    ...written.filter((key) => known.has(key)).flatMap((key) => {
      const text = table[key]!, source = englishOf(key, english)!;
      if (text === "" && source !== "") return [`${noun}: ${key} is empty`];
      return hasPlaces(key, source, text) ? [] : [
        `${noun}: ${key} has other places: ${placesOf(source).join(" ") || "none"} in English, here ${
          placesOf(text).join(" ") || "none"
        }`,
      ];
    }),
  ];
}

/** Problems of a language's translations, a line each. */
export function problems(english: TextTables, translations: TextTables, language: string): string[] {
  const nouns = Object.keys(english);
  return [
    ...nouns.filter((noun) => !(noun in translations)).map((noun) => `${noun}: the file is missing`),
    ...Object.keys(translations).filter((noun) => !(noun in english)).map((noun) => `${noun}: no such noun`),
    ...nouns.filter((noun) => noun in translations).flatMap((noun) =>
      problemsOf(noun, english[noun]!, translations[noun]!, language)
    ),
  ];
}
