import assert from "node:assert/strict";
import { Provided } from "./provided.ts";

Deno.test("Provided gives what a feature gave, once and not before", () => {
  const slot = new Provided<readonly string[]>("lists");
  assert.throws(() => slot.get(), /no feature provides lists/);
  slot.give([]);
  assert.deepEqual(slot.get(), []);
  assert.throws(() => slot.give(["other"]), /lists are provided twice/);
});
