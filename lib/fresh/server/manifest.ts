/** What an app is made of, as `fresh.gen.ts` lists it: routes, islands, and where the browser's files are. */
import type { ComponentType } from "preact";
import type { Assets } from "./assets.ts";

export { assetsOf } from "./assets.ts";

/** A component that comes alive in the browser. Its own type of props does not matter here. */
export type IslandComponent = ComponentType<never>;

/** What `register` takes. */
export interface Manifest {
  /** Path below `routes/` → the module, whose exports are checked when the app is built. */
  readonly routes: Readonly<Record<string, unknown>>;
  /** Name → component. */
  readonly islands: Readonly<Record<string, IslandComponent>>;
  /** Called before the first page or file is served. */
  readonly assets: () => Promise<Assets>;
}

const EMPTY: Manifest = {
  routes: {},
  islands: {},
  assets: () => Promise.resolve({ build: "", boot: "", islands: {}, folders: [], packed: false }),
};

let registered: Manifest = EMPTY;

/** Sets the manifest of the apps whose `handler()` is made from now on. `fresh.gen.ts` calls it when imported. */
export function register(manifest: Partial<Manifest>): void {
  registered = { ...EMPTY, ...manifest };
}

/** The manifest registered last. */
export function registeredManifest(): Manifest {
  return registered;
}
