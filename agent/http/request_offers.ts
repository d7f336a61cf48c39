/** For whom a page is drawn, for everything that is drawn for a request. */
import { AsyncLocalStorage } from "node:async_hooks";
import "../../lib/access/offered_elements.ts";
import { type Looking, useLooking } from "../../lib/access/looking.ts";

const ofRequest = new AsyncLocalStorage<Looking | null>();
useLooking(() => ofRequest.getStore() ?? null);

/** Draws a page for somebody. @param looking null for who may use everything */
export function drawnFor<T>(looking: Looking | null, run: () => T): T {
  return ofRequest.run(looking, run);
}
