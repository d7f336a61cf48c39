/** Starts in the browser on every page that has an island: loads their modules and hydrates each one. */
import { h, hydrate } from "preact";
import { type IslandState, setIdRoot, STATE_ID } from "./island_state.ts";
import { readPageContext } from "./page_context.ts";
import { registeredIsland } from "./registered.ts";
import { reviver } from "./revive.ts";
import { setBuildId } from "./runtime.ts";
import { keepTyped } from "./typed.ts";

const context = readPageContext();

const block = document.getElementById(STATE_ID);
if (block !== null) boot(JSON.parse(block.textContent) as IslandState);

function boot(state: IslandState): void {
  setBuildId(state.build);
  const revive = reviver(state.signals);
  for (const [name, address] of Object.entries(state.islands)) {
    Promise.all([import(address), context]).then(() => {
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
