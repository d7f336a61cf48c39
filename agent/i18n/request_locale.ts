/** The language and the time zone of a request, for everything that is done for it. */
import { AsyncLocalStorage } from "node:async_hooks";
import { cookieOf, LANGUAGE_COOKIE } from "../../lib/client/preferences.ts";
import { localeFor, locales, useLocale, useZone } from "../../lib/i18n/locale.ts";
import { loadLanguage } from "./catalogs.ts";

const ofRequest = new AsyncLocalStorage<{ locale: string; zone?: string }>();
useLocale(() => ofRequest.getStore()?.locale);
useZone(() => ofRequest.getStore()?.zone);

/** Runs something in a language. */
export function withLocale<T>(locale: string, run: () => T): T {
  return ofRequest.run({ locale }, run);
}

/** Runs something in a language, whose texts are read first where no request was answered in it yet. */
export async function inLanguage<T>(language: string, run: () => T | Promise<T>): Promise<T> {
  await loadLanguage(language);
  return await withLocale(language, run);
}

/** Heads that the language of an answer depends on. */
export const LANGUAGE_HEADS = "cookie, accept-language";

/** The language to answer a request in: the one that was chosen, if there are texts in it, else the best that is accepted. */
export function languageOfRequest({ headers }: Pick<Request, "headers">): string {
  const known = locales(), chosen = cookieOf(headers.get("cookie"), LANGUAGE_COOKIE);
  return known.find((each) => each === chosen) ?? localeFor(headers.get("accept-language"), known);
}

/** Has the rest of the request answered in another language, once it is known who asks. Nothing outside of a request. */
export async function setRequestLanguage(language: string): Promise<void> {
  const store = ofRequest.getStore();
  if (store === undefined) return;
  await loadLanguage(language);
  store.locale = language;
}

/** Says in which time zone the request is answered, once it is known who asks. Nothing outside of a request. */
export function setRequestZone(zone: string): void {
  const store = ofRequest.getStore();
  if (store !== undefined) store.zone = zone;
}
