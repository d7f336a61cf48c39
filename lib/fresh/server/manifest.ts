/** Parts of an app, as `fresh.gen.ts` lists them: routes, islands, and the location of the browser's files. */
import type { ComponentType } from "preact";
import type { Assets } from "./assets.ts";

export { assetsOf } from "./assets.ts";

/** A component that comes alive in the browser. Its own type of props does not matter here. */
export type IslandComponent = ComponentType<never>;

/** Argument of `register`. */
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
