import assert from "node:assert/strict";
import { Rollback } from "./rollback.ts";

Deno.test("Rollback.run() takes all back once, the last first, and tells what could not be", async () => {
  const seen: string[] = [];
  const rollback = new Rollback();
  rollback.add("one", () => seen.push("one"));
  rollback.add("two", () => Promise.reject(new Error("two stays")));
  rollback.add("three", async () => {
    await Promise.resolve();
    seen.push("three");
  });
  const left = await rollback.run();
  assert.deepEqual(seen, ["three", "one"]);
  assert.deepEqual(left.map(({ what, error }) => [what, String(error)]), [["two", "Error: two stays"]]);
  assert.deepEqual(await rollback.run(), []);
  assert.deepEqual(seen, ["three", "one"], "nothing is taken back twice");
});
