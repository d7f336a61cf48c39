/**
 * The texts and their translations.
 *
 *     deno task texts check              fails where a translation is missing, unused, or does not fit the English text
 *     deno task texts export LANGUAGE    writes a PO file to standard output
 *     deno task texts import FILE        takes the translations of a PO file
 */
import { isLanguageTag, SOURCE_LOCALE } from "../lib/i18n/languages.ts";
import { messageOf } from "../lib/text/message.ts";
import { writeAll } from "../lib/write_all.ts";
import { englishTexts } from "./texts/english.ts";
import { fromPo, toPo } from "./texts/po.ts";
import { problems } from "./texts/problems.ts";
import { readTranslations, translatedLanguages, writeTranslations } from "./texts/translations.ts";

/** Problems of the existing translations, a line each. */
export async function checkTexts(): Promise<string[]> {
  const english = await englishTexts(), found: string[] = [];
  for (const language of await translatedLanguages()) {
    const lines = problems(english, await readTranslations(language), language);
    found.push(...lines.map((line) => `lib/i18n/${language}/${line}`));
  }
  return found;
}

const VERBS: Readonly<Record<string, (argument?: string) => Promise<void>>> = {
  async check() {
    const found = await checkTexts();
    if (found.length > 0) throw new Error(`${found.join("\n")}\n${found.length} texts are to be put right`);
    console.log(`The texts are complete in: ${[SOURCE_LOCALE, ...await translatedLanguages()].join(", ")}`);
  },
  async export(language = "") {
    if (!isLanguageTag(language) || language === SOURCE_LOCALE) {
      throw new Error("export takes a language: de");
    }
    const there = (await translatedLanguages()).includes(language) ? await readTranslations(language) : {};
    await writeAll(Deno.stdout, new TextEncoder().encode(toPo(await englishTexts(), there, language)));
  },
  async import(path) {
    if (path === undefined) throw new Error("import takes a PO file");
    const { language, tables } = fromPo(await Deno.readFile(path), await englishTexts());
    await writeTranslations(language, tables);
    console.log(`lib/i18n/${language}: ${Object.values(tables).flatMap(Object.keys).length} texts`);
  },
};

if (import.meta.main) {
  const [verb = "", argument] = Deno.args;
  try {
    if (!Object.hasOwn(VERBS, verb)) throw new Error("give one of: check, export LANGUAGE, import FILE");
    await VERBS[verb]!(argument);
  } catch (error) {
    console.error(messageOf(error));
    Deno.exit(1);
  }
}
