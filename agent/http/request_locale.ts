/** The language and the time zone of a request, for everything that is done for it. */
import { AsyncLocalStorage } from "node:async_hooks";
import { SOURCE_LOCALE, useLocale } from "../../lib/i18n/locale.ts";
import { useZone } from "../../lib/i18n/locale.ts";

const ofRequest = new AsyncLocalStorage<{ readonly locale: string; zone?: string }>();
useLocale(() => ofRequest.getStore()?.locale ?? SOURCE_LOCALE);
useZone(() => ofRequest.getStore()?.zone);

/** Runs something in a language. */
export function withLocale<T>(locale: string, run: () => T): T {
  return ofRequest.run({ locale }, run);
}

/** Says in which time zone the request is answered, once it is known who asks. Nothing outside of a request. */
export function setRequestZone(zone: string): void {
  const store = ofRequest.getStore();
  if (store !== undefined) store.zone = zone;
}
