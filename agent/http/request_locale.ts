/** The language of a request, for everything that is done for it. */
import { AsyncLocalStorage } from "node:async_hooks";
import { SOURCE_LOCALE, useLocale } from "../../lib/i18n/locale.ts";

const ofRequest = new AsyncLocalStorage<string>();
useLocale(() => ofRequest.getStore() ?? SOURCE_LOCALE);

/** Runs something in a language. */
export function withLocale<T>(locale: string, run: () => T): T {
  return ofRequest.run(locale, run);
}
