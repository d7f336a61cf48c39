/** In the browser: the islands whose modules are loaded. Files have several, so the name of an export tells none of them. */
import type { ComponentType } from "preact";

const islands = new Map<string, ComponentType<object>>();

/** Registers an island; the entry that `scripts/islands.ts` writes for it calls this. */
export function registerIsland<Props extends object>(name: string, component: ComponentType<Props>): void {
  islands.set(name, component as ComponentType<object>);
}

/** The island of a name. @throws {Error} where its module did not tell of it */
export function registeredIsland(name: string): ComponentType<object> {
  const island = islands.get(name);
  if (island === undefined) throw new Error(`no module has the island ${name}`);
  return island;
}
