/** The language of a process's environment. Pure. */
import { languageOf, SOURCE_LOCALE } from "./languages.ts";

type Environment = (name: string) => string | undefined;

/** Environment variables for the language; the first that is not empty counts (POSIX, 8.2). */
const VARIABLES = ["LC_ALL", "LC_MESSAGES", "LANG"] as const;

/** The shell's language as a tag: `de_AT.UTF-8@euro` is `de-AT`. Undefined for C, POSIX, and where nothing says one. */
export function shellLanguage(env: Environment): string | undefined {
  const name = VARIABLES.map(env).find(Boolean);
  const tag = name?.replace(/[.@].*$/s, "").replaceAll("_", "-");
  return tag === undefined || tag === "C" || tag === "POSIX" ? undefined : tag;
}

/** The one of the known languages that a process speaks by its environment; English where that says none of them. */
export function languageOfEnvironment(env: Environment, known: readonly string[]): string {
  const wanted = shellLanguage(env);
  return (wanted === undefined ? undefined : languageOf(wanted, known)) ?? SOURCE_LOCALE;
}
