/** Starts in the browser on every page that has an island: loads their modules and hydrates each one. */
import { h, hydrate } from "preact";
import { type IslandState, setIdRoot, STATE_ID } from "./island_state.ts";
import { registeredIsland } from "./registered.ts";
import { reviver } from "./revive.ts";
import { setBuildId } from "./runtime.ts";
import { useLocale } from "../i18n/locale.ts";
import { useZone } from "../i18n/locale.ts";
import { keepTyped } from "./typed.ts";
import { type Offers, useLooking } from "../access/looking.ts";
import { basePath, useAddresses } from "./base.ts"; // reads the document's path

useLocale(() => document.documentElement.lang || "en");
useZone(() => document.documentElement.dataset.zone);

/** What pages offer who looks, where that is not everything: drawn elements depend on it before the first island is. */
const offered = offersKnown(document.documentElement.dataset.offers);

async function offersKnown(text: string | undefined): Promise<void> {
  if (text === undefined) return;
  const offers = JSON.parse(text) as Offers, base = basePath();
  const { pageIn } = await import("../access/offered_elements.ts");
  useLooking(() => ({ offers, page: pageIn(location.pathname.slice(base.length)) + location.search, base }));
}

/** A page of another host: addresses are that host's before the first island is drawn. */
const hosted = hostKnown(document.documentElement.dataset.host);

async function hostKnown(id: string | undefined): Promise<void> {
  if (id === undefined) return;
  const host = { id, isLinked: document.documentElement.dataset.linked !== undefined };
  const { addressFrom } = await import("../text/host_path.ts");
  useAddresses((address) => addressFrom(host, address));
}

const block = document.getElementById(STATE_ID);
if (block !== null) boot(JSON.parse(block.textContent) as IslandState);

function boot(state: IslandState): void {
  setBuildId(state.build);
  const revive = reviver(state.signals);
  for (const [name, address] of Object.entries(state.islands)) {
    Promise.all([import(address), offered, hosted]).then(() => {
      const component = registeredIsland(name);
      for (const element of document.querySelectorAll<HTMLElement>(`fresh-island[data-name="${name}"]`)) {
        const number = Number(element.dataset.props);
        const vnode = h(component, revive(state.props[number] ?? {}) as object);
        setIdRoot(vnode, number);
        const restore = isFirstVisit() ? keepTyped(element) : undefined;
        hydrate(vnode, element);
        restore?.();
        element.dataset.hydrated = "";
      }
    }).catch(reportError); // one island that fails must not keep the others from working
  }
}

/** Whether fields hold what was typed now: browsers fill those of a page that is reloaded or gone back to with older text. */
function isFirstVisit(): boolean {
  const [visit] = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
  return visit?.type === "navigate";
}
