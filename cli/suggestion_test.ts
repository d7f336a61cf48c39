import assert from "node:assert/strict";
import { didYouMean, distance, inWords, nearest } from "./suggestion.ts";

Deno.test("inWords() has an or before the last", () => {
  assert.deepEqual([[], ["a"], ["a", "b"], ["a", "b", "c"]].map(inWords), ["", "a", "a or b", "a, b or c"]);
});

Deno.test("distance() counts letters more, less, other and exchanged", () => {
  for (
    const [a, b, changes] of [["start", "start", 0], ["strat", "start", 1], ["sart", "start", 1], [
      "",
      "ab",
      2,
    ], [
      "memory",
      "momory",
      1,
    ], ["vm", "pool", 4]] as const
  ) assert.equal(distance(a, b), changes, `${a} ${b}`);
});

Deno.test("nearest() finds what was mistyped, and nothing that is far", () => {
  const verbs = ["start", "stop", "stats", "show", "delete", "force-stop"];
  assert.deepEqual(nearest("strat", verbs), ["start"]);
  assert.deepEqual(nearest("del", verbs), ["delete"]);
  assert.deepEqual(nearest("force", verbs), ["force-stop"]);
  assert.deepEqual(nearest("frobnicate", verbs), []);
  assert.deepEqual(nearest("x".repeat(1000), ["x".repeat(1000)]), []);
});

Deno.test("didYouMean() is a question about what is near, or nothing", () => {
  assert.equal(didYouMean("strat", ["start"]), " Did you mean start?");
  assert.equal(
    didYouMean("sta", ["start", "stats"], (each) => `vm ${each}`),
    " Did you mean vm start or vm stats?",
  );
  assert.equal(didYouMean("zzz", ["start"]), "");
});
