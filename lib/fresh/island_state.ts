/** State of islands that server and browser share. */
import type { VNode } from "preact";
import type { Json } from "./server/props.ts";

/** Id of the data block. */
export const STATE_ID = "__FRSH_STATE";

/** Content of the data block. */
export interface IslandState {
  readonly build: string;
  /** Name → address of its module. */
  readonly islands: Readonly<Record<string, string>>;
  /** Props of each instance; the island's element says which are its own. */
  readonly props: readonly Json[];
  readonly signals: readonly Json[];
}

/**
 * Makes `useId` count again inside an island, with the island's number in front, so that server and browser (where
 * each island is a tree of its own) come to the same ids. `__m` is Preact's mangled `_mask`, kept for this use.
 */
export function setIdRoot(vnode: VNode, number: number): void {
  Object.assign(vnode, { __m: [number + 1, 0] });
}
