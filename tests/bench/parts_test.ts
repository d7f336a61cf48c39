import assert from "node:assert/strict";
import { choose, idOf, PARTS } from "./parts.ts";

const ids = (parts: readonly Parameters<typeof idOf>[0][]) => parts.map(idOf);

Deno.test("each part has an id of its own, and a quick run is no longer than a full one", () => {
  assert.equal(new Set(ids(PARTS)).size, PARTS.length);
  for (const part of PARTS) assert.ok(part.limit.quick <= part.limit.full, idOf(part));
});

Deno.test("choose() leaves out what a quick run has no time for, and says so", () => {
  const limit = { full: 2, quick: 1 };
  const all = [
    { name: "lists", limit },
    { name: "memory", limit, when: "full" },
    { name: "year", limit, when: "named" },
  ] as const;
  const chosen = (quick: boolean, ...only: string[]) => {
    const { parts, leftOut } = choose(all, { quick, only });
    return [ids(parts), ids(leftOut)];
  };
  assert.deepEqual(chosen(false), [["lists", "memory"], []]);
  assert.deepEqual(chosen(true), [["lists"], ["memory"]]);
  assert.deepEqual(chosen(true, "memory", "year"), [["memory", "year"], []]);
  assert.throws(() => chosen(true, "lists", "nothing"), /no part is called nothing/);
});

Deno.test("choose() takes a part by its name, on each host, or by its id", () => {
  const named = (...only: string[]) => ids(choose(PARTS, { quick: true, only }).parts);
  assert.deepEqual(named("lists"), ["lists@100", "lists@1005"]);
  assert.deepEqual(named("lists@100"), ["lists@100"]);
});
