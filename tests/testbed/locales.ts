/** Languages for tests: every English text, marked, in the place of translations. */
import { join } from "node:path";
import { PSEUDO_LOCALE, PSEUDO_RTL_LOCALE, pseudoText } from "../../lib/i18n/pseudo.ts";
import { englishTexts } from "../../scripts/texts/english.ts";

/** How a text is written in each language. */
const WRITTEN: Readonly<Record<string, (text: string) => string>> = {
  de: (text) => `De·${text}`,
  ja: (text) => `日本${text}`,
  [PSEUDO_LOCALE]: pseudoText,
  [PSEUDO_RTL_LOCALE]: pseudoText,
};

/** Writes these languages into a folder, for `KVMM_LOCALES`. */
export async function writeTestLocales(folder: string): Promise<void> {
  const texts = Object.assign({}, ...Object.values(await englishTexts())) as Record<string, string>;
  for (const [language, write] of Object.entries(WRITTEN)) {
    const table = Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, write(text)]));
    await Deno.writeTextFile(join(folder, `${language}.json`), JSON.stringify(table));
  }
}
