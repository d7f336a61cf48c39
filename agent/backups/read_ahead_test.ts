import assert from "node:assert/strict";
import { ReadAhead } from "./read_ahead.ts";

/** Digests, and what was read of them so far. */
function reads(digests: readonly (string | null)[], fails: ReadonlySet<string> = new Set()) {
  const begun: string[] = [];
  const entries = [...digests.entries()].filter((entry): entry is [number, string] => entry[1] !== null);
  const ahead = new ReadAhead(entries, (digest, index) => {
    begun.push(digest);
    return fails.has(digest) ? Promise.reject(new Error(digest)) : Promise.resolve(`${digest} at ${index}`);
  });
  return { begun, ahead };
}

Deno.test("ReadAhead reads the next chunks while one is worked on, each once, and none of zeros", async () => {
  const { begun, ahead } = reads(["a", null, "b", "c", null, "d", "e", "f"]);
  assert.equal(await ahead.take(0), "a at 0");
  assert.deepEqual(begun, ["a", "b", "c", "d"]);
  assert.equal(await ahead.take(2), "b at 2");
  assert.equal(await ahead.take(5), "d at 5", "one may be left out");
  assert.equal(await ahead.take(6), "e at 6");
  assert.deepEqual(begun, ["a", "b", "c", "d", "e", "f"]);
  await ahead.end();
});

Deno.test("ReadAhead reports a chunk that cannot be read where it is taken, and goes on", async () => {
  const { ahead } = reads(["a", "b", "c"], new Set(["b"]));
  assert.equal(await ahead.take(0), "a at 0");
  await assert.rejects(ahead.take(1), /^Error: b$/);
  assert.equal(await ahead.take(2), "c at 2");
  await ahead.end();
});

Deno.test("ReadAhead that is given up leaves no failure behind", async () => {
  const { ahead } = reads(["a", "b"], new Set(["b"]));
  await ahead.take(0);
  await ahead.end();
});
