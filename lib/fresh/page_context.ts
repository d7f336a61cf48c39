/**
 * In the browser: what the document says of its page: language, time zone, whose rights it was rendered for, and its host. Islands
 * are drawn by it as the server drew them. Ours, and on Fresh as well: it uses no part of Fresh.
 */
import { type Offers, useLooking } from "../access/looking.ts";
import { useLocale, useZone } from "../i18n/locale.ts";
import { currentBasePath, useAddresses } from "./base.ts"; // reads the document's path

/** Takes language and zone at once. @returns resolves when the rest is there: no island is drawn before */
export async function readPageContext(): Promise<void> {
  const { lang, dataset } = document.documentElement;
  useLocale(() => lang || "en");
  useZone(() => dataset.zone);
  await Promise.all([readOffers(dataset.offers), readHost(dataset.host, dataset.linked !== undefined)]);
}

/** @param text undefined for a user who may use everything */
async function readOffers(text: string | undefined): Promise<void> {
  if (text === undefined) return;
  const offers = JSON.parse(text) as Offers, base = currentBasePath();
  const { pageIn } = await import("../access/offered_elements.ts");
  useLooking(() => ({ offers, page: pageIn(location.pathname.slice(base.length)) + location.search, base }));
}

/** @param id undefined for a page of the local host */
async function readHost(id: string | undefined, isLinked: boolean): Promise<void> {
  if (id === undefined) return;
  const { addressFrom } = await import("../text/host_path.ts");
  useAddresses((address) => addressFrom({ id, isLinked }, address));
}
