import assert from "node:assert/strict";
import { render } from "preact-render-to-string";
import type { Snapshot } from "../../lib/contract/mod.ts";
import { SnapshotTree } from "./SnapshotTree.tsx";

/** A chain, whose last has come from the third last where it is forked. */
const chain = (length: number, isForked: boolean) =>
  Array.from({ length }, (_each, index) => ({
    name: `s${index}`,
    description: "",
    createdAt: index,
    current: index === length - 1,
    memory: false,
    state: "stopped",
    external: false,
    ...(index > 0 && { parent: `s${isForked && index === length - 1 ? index - 2 : index - 1}` }),
  } as unknown as Snapshot));

Deno.test("a chain of 1,000 snapshots is shown whole, in its order, and so is one with a fork at its end", () => {
  for (const length of [1, 3, 250, 1000]) {
    for (const isForked of length < 3 ? [false] : [false, true]) {
      const html = render(<SnapshotTree snapshots={chain(length, isForked)} at="/x" now={1} />);
      const shown = [...html.matchAll(/<bdi>s(\d+)<\/bdi>/g)].map(([, index]) => Number(index));
      assert.deepEqual(shown, Array.from({ length }, (_each, index) => index), `${length} ${isForked}`);
      assert.match(
        html.slice(html.lastIndexOf("<li")),
        /data-now.*Now/,
        "what the VM is comes from the last",
      );
    }
  }
});
