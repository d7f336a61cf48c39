/** Islands on a page being rendered: each gets an element around it, and its props a place in the data block. */
import { type ComponentType, createContext, type VNode } from "preact";
import { useContext } from "preact/hooks";
import type { Assets, IslandChunk } from "./assets.ts";
import { withBase } from "../base.ts";
import type { IslandComponent } from "./manifest.ts";
import { type IslandState, setIdRoot, STATE_ID } from "../island_state.ts";
import { PropsWriter, scriptJson } from "./props.ts";

declare module "preact" {
  namespace JSX {
    interface IntrinsicElements {
      /** The element around an island. The stylesheet gives it `display: contents`. */
      "fresh-island": HTMLAttributes & { "data-name": string; "data-props": number };
    }
  }
}

/** True inside an island: the ones it renders are part of it. */
const InIsland = createContext(false);

/** The islands found on one page. */
export class IslandSet {
  readonly #names: ReadonlyMap<unknown, string>;
  readonly #used = new Set<string>();
  readonly #writer = new PropsWriter();

  constructor(islands: Readonly<Record<string, IslandComponent>>) {
    this.#names = new Map(Object.entries(islands).map(([name, component]) => [component, name]));
  }

  /** The name of the island that `component` is, if it is one. */
  nameOf(component: unknown): string | undefined {
    return this.#names.get(component);
  }

  /** Adds an instance and returns its number on the page. */
  add(name: string, props: Readonly<Record<string, unknown>>): number {
    this.#used.add(name);
    return this.#writer.add(name, props);
  }

  /** Links that let the browser load all modules at once, not one after the other. */
  preloads(assets: Assets): VNode {
    const chunks = this.#chunks(assets).flatMap(([, { entry, imports }]) => [entry, ...imports]);
    return <>{[...new Set(chunks)].map((href) => <link key={href} rel="modulepreload" href={href} />)}</>;
  }

  /** The data block and the script that reads it; nothing on a page without an island. */
  scripts(assets: Assets, nonce: string): VNode | null {
    if (this.#used.size === 0) return null;
    const state = {
      build: assets.build,
      islands: Object.fromEntries(this.#chunks(assets).map(([name, { entry }]) => [name, withBase(entry)])),
      props: this.#writer.props,
      signals: this.#writer.signals,
    } satisfies IslandState;
    return (
      <>
        <script
          type="application/json"
          id={STATE_ID}
          dangerouslySetInnerHTML={{ __html: scriptJson(state) }}
        />
        <script type="module" nonce={nonce} src={assets.boot} />
      </>
    );
  }

  #chunks(assets: Assets): [name: string, chunk: IslandChunk][] {
    return [...this.#used].map((name) => {
      const chunk = assets.islands[name];
      if (chunk === undefined) throw new Error(`Island "${name}" is not in the build. Run: deno task build`);
      return [name, chunk];
    });
  }
}

/**
 * The component that stands in for an island while it is rendered on the server.
 *
 * @param made Gets the elements that must not be wrapped again.
 * @returns undefined when `vnode` is no island.
 */
export function islandWrapper(vnode: VNode, islands: IslandSet, made: WeakSet<VNode>) {
  const Component = vnode.type as ComponentType<object>;
  const name = islands.nameOf(Component);
  if (name === undefined) return undefined;

  return function Island(props: Readonly<Record<string, unknown>>): VNode {
    const inner = <Component {...props} />;
    made.add(inner);
    if (useContext(InIsland)) return inner;
    const number = islands.add(name, props);
    setIdRoot(inner, number);
    return (
      <fresh-island data-name={name} data-props={number}>
        <InIsland.Provider value>{inner}</InIsland.Provider>
      </fresh-island>
    );
  };
}
