/**
 * The translations on disk. From source `lib/i18n/<language>/<noun>.json`, in the bundle one file a language; each is read when
 * its first reader comes.
 */
import { join } from "node:path";
import { localesFolder } from "../../lib/bundle.ts";
import { addTexts, hasTexts, locales, offerLanguages, translationsOf } from "../../lib/i18n/locale.ts";
import { isLanguageTag, SOURCE_LOCALE } from "../../lib/i18n/languages.ts";
import { log } from "../log.ts";

/** Texts of a language: key, or English text, → text. */
type Catalog = Readonly<Record<string, string>>;

/** Names a folder of further languages, or newer texts: for translators, and for tests. */
export const LOCALES_VARIABLE = "KVMM_LOCALES";

/** Place of each language's texts: a file, or a folder of files. */
const places = new Map<string, string>();
const loading = new Map<string, Promise<void>>();

function isMissing(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory;
}

/** Languages that a folder has: `de.json`, or a folder `de` that has translations in it. */
function languagesIn(folder: string): [language: string, path: string][] {
  try {
    return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }): [string, string][] => {
      const language = isDirectory ? name : /^(.+)\.json$/.exec(name)?.[1] ?? "", path = join(folder, name);
      if (!isLanguageTag(language) || language === SOURCE_LOCALE) return [];
      if (isDirectory && ![...Deno.readDirSync(path)].some((file) => file.name.endsWith(".json"))) return [];
      return [[language, path]];
    });
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/**
 * Finds out which languages there are, and offers them. Reads no text.
 *
 * @param more a folder of further languages, or of others in the place of the program's: `<language>.json`
 */
export function findLanguages(more?: string): void {
  for (const folder of [localesFolder(), ...more === undefined || more === "" ? [] : [more]]) {
    for (const [language, path] of languagesIn(folder)) places.set(language, path);
  }
  offerLanguages(places.keys());
}

async function readTable(path: string): Promise<Catalog> {
  const table: unknown = JSON.parse(await Deno.readTextFile(path));
  if (typeof table !== "object" || table === null || Array.isArray(table)) {
    throw new TypeError(`${path} is no table of texts`);
  }
  const wrong = Object.entries(table).find(([, text]) => typeof text !== "string");
  if (wrong !== undefined) throw new TypeError(`${path}: ${wrong[0].slice(0, 80)} is no text`);
  return table as Catalog;
}

/**
 * The texts of a language on disk, of all its files.
 *
 * @param path a file, or a folder of files
 * @throws {TypeError} for a file that is no table of texts; {SyntaxError} for one that is no JSON
 */
export async function readCatalog(path: string): Promise<Catalog> {
  if (path.endsWith(".json")) return await readTable(path);
  const names = (await Array.fromAsync(Deno.readDir(path))).map(({ name }) => name).filter((name) =>
    name.endsWith(".json")
  );
  const tables = await Promise.all(names.sort().map((name) => readTable(join(path, name))));
  return Object.assign({}, ...tables);
}

async function load(language: string, path: string): Promise<void> {
  try {
    addTexts(language, await readCatalog(path));
  } catch (error) {
    loading.delete(language); // the next reader has another try
    log.error("texts could not be read; they are shown in English", { language, error });
  }
}

/** Has the texts of a language read, once. Where they cannot be, the log says so, and texts stay English. */
export async function loadLanguage(language: string): Promise<void> {
  const path = places.get(language);
  if (path === undefined) return;
  let begun = loading.get(language);
  if (begun === undefined) loading.set(language, begun = load(language, path));
  if (!hasTexts(language)) await begun;
}

/** Translations into a language by key, read where they are not yet. @returns undefined for a language that there are no texts in */
export async function textsIn(language: string): Promise<((key: string) => string | undefined) | undefined> {
  if (!locales().includes(language)) return undefined;
  await loadLanguage(language);
  const texts = translationsOf(language);
  return (key) => texts?.get(key);
}
