/** The language of the shell: in it the command line speaks, and asks servers to answer. */
import { findLanguages, loadLanguage, LOCALES_VARIABLE } from "../agent/i18n/catalogs.ts";
import { languageOf, SOURCE_LOCALE } from "../lib/i18n/languages.ts";
import { locales, useLocale } from "../lib/i18n/locale.ts";

type Environment = (name: string) => string | undefined;

/** What says it, the first that is not empty (POSIX, 8.2). */
const VARIABLES = ["LC_ALL", "LC_MESSAGES", "LANG"] as const;

/** The shell's language as a tag: `de_AT.UTF-8@euro` is `de-AT`. Undefined for C, POSIX, and where nothing says one. */
export function shellLanguage(env: Environment): string | undefined {
  const name = VARIABLES.map(env).find(Boolean);
  const tag = name?.replace(/[.@].*$/s, "").replaceAll("_", "-");
  return tag === undefined || tag === "C" || tag === "POSIX" ? undefined : tag;
}

/** Speaks the language of the shell from now on, if there are texts in it. Reads nothing for English. */
export async function speakShellLanguage(env: Environment = (name) => Deno.env.get(name)): Promise<void> {
  const wanted = shellLanguage(env);
  if (wanted === undefined || languageOf(wanted, [SOURCE_LOCALE]) !== undefined) return;
  findLanguages(env(LOCALES_VARIABLE));
  const language = languageOf(wanted, locales());
  if (language === undefined || language === SOURCE_LOCALE) return;
  await loadLanguage(language);
  useLocale(() => language);
}
