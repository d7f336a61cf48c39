/** Starts in the browser on every page that has an island: loads their modules and hydrates each one. */
import { type ComponentType, h, hydrate } from "preact";
import { type IslandState, setIdRoot, STATE_ID } from "./island_state.ts";
import { reviver } from "./revive.ts";
import { setBuildId } from "./runtime.ts";
import { setBasePath } from "./base.ts";

const block = document.getElementById(STATE_ID);
if (block !== null) boot(JSON.parse(block.textContent) as IslandState);

function boot(state: IslandState): void {
  setBuildId(state.build);
  setBasePath(state.base);
  const revive = reviver(state.signals);
  for (const [name, address] of Object.entries(state.islands)) {
    import(address).then((module: Record<string, ComponentType<object>>) => {
      const component = (module[name] ?? module.default)!; // one of several in a module, or alone in its own
      for (const element of document.querySelectorAll<HTMLElement>(`fresh-island[data-name="${name}"]`)) {
        const number = Number(element.dataset.props);
        const vnode = h(component, revive(state.props[number] ?? {}) as object);
        setIdRoot(vnode, number);
        hydrate(vnode, element);
      }
    }).catch(reportError); // one island that fails must not keep the others from working
  }
}
