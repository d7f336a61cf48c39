/** Translations on disk: `lib/i18n/<language>/<noun>.json`. */
import { basename, join } from "node:path";
import { readCatalog } from "../../agent/i18n/catalogs.ts";
import { isLanguageTag, SOURCE_LOCALE } from "../../lib/i18n/languages.ts";
import { PROJECT } from "../project.ts";
import type { TextTable, TextTables } from "../../lib/fresh/server/island_texts.ts";

const FOLDER = join(PROJECT, "lib/i18n");

/** Files of a language's translations. */
async function filesOf(language: string): Promise<string[]> {
  const folder = join(FOLDER, language), entries = await Array.fromAsync(Deno.readDir(folder));
  return entries.map(({ name }) => name).filter((name) => name.endsWith(".json")).sort()
    .map((name) => join(folder, name));
}

/** The translations into a language. @throws {TypeError} for a file that is no table of texts */
export async function readTranslations(language: string): Promise<TextTables> {
  const tables: Record<string, TextTable> = {};
  for (const path of await filesOf(language)) tables[basename(path, ".json")] = await readCatalog(path);
  return tables;
}

/** Languages that have translations. */
export async function translatedLanguages(): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(FOLDER)) {
    if (!isDirectory || name === SOURCE_LOCALE || !isLanguageTag(name)) continue;
    if ((await filesOf(name)).length > 0) found.push(name);
  }
  return found.sort();
}

/** Writes the translations into a language, each noun's in its file. */
export async function writeTranslations(language: string, tables: TextTables): Promise<void> {
  const folder = join(FOLDER, language);
  await Deno.mkdir(folder, { recursive: true });
  for (const [noun, table] of Object.entries(tables)) {
    await Deno.writeTextFile(join(folder, `${noun}.json`), `${JSON.stringify(table, null, 2)}\n`);
  }
}

/** The translations into all languages, without their nouns: key, or English text, → text. */
export async function catalogs(): Promise<ReadonlyMap<string, TextTable>> {
  const found = new Map<string, TextTable>();
  for (const language of await translatedLanguages()) {
    found.set(language, Object.assign({}, ...Object.values(await readTranslations(language))));
  }
  return found;
}
