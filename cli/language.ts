/** The language of the shell: in it the command line speaks, and asks servers to answer. */
import { languageOf, SOURCE_LOCALE } from "../lib/i18n/languages.ts";
import { locales, useLocale } from "../lib/i18n/locale.ts";
import { shellLanguage } from "../lib/i18n/shell_language.ts";

type Environment = (name: string) => string | undefined;

const ENGLISH: Disposable = { [Symbol.dispose]: () => {/* it was spoken before */} };

/**
 * Speaks the language of the shell from now on, if there are texts in it. Reads nothing for English.
 *
 * @returns goes back to the language before it when it is disposed of
 */
export async function speakShellLanguage(
  env: Environment = (name) => Deno.env.get(name),
): Promise<Disposable> {
  const wanted = shellLanguage(env);
  if (wanted === undefined || languageOf(wanted, [SOURCE_LOCALE]) !== undefined) return ENGLISH;
  // In English a verb begins without it
  const { findLanguages, loadLanguage, LOCALES_VARIABLE } = await import("../agent/i18n/catalogs.ts");
  findLanguages(env(LOCALES_VARIABLE));
  const language = languageOf(wanted, locales());
  if (language === undefined || language === SOURCE_LOCALE) return ENGLISH;
  await loadLanguage(language);
  return useLocale(() => language);
}
