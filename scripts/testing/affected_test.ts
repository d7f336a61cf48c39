import assert from "node:assert/strict";
import { closureOf, digestsOf, unitTests } from "./affected.ts";

const IMPORTS = new Map([
  ["lib/a_test.ts", ["lib/a.ts"]],
  ["lib/a.ts", ["lib/b.ts"]],
  ["lib/b.ts", ["lib/a.ts"]],
  ["lib/c_test.ts", ["lib/c.ts"]],
  ["agent/pool_test.ts", ["agent/pool.ts"]],
  ["agent/worker.ts", ["agent/work.ts"]],
]);
const TEXTS = {
  "lib/a_test.ts": "a",
  "lib/a.ts": "a",
  "lib/b.ts": "b",
  "lib/c_test.ts": "c",
  "lib/c.ts": "c",
  "lib/reads_test.ts": 'await Deno.readTextFile("docs/words.md")',
  "agent/pool_test.ts": "pool",
  "agent/pool.ts": "new Worker(url)",
  "agent/worker.ts": '/// <reference lib="deno.worker" />',
  "agent/work.ts": "work",
};
const TESTS = ["lib/a_test.ts", "lib/c_test.ts", "lib/reads_test.ts", "agent/pool_test.ts"];

/** The tests whose digest is another one after a change. */
function affected(change: Partial<typeof TEXTS>, settings = ""): string[] {
  const before = digestsOf(TESTS, new Map(Object.entries(TEXTS)), IMPORTS, "");
  const after = digestsOf(TESTS, new Map(Object.entries({ ...TEXTS, ...change })), IMPORTS, settings);
  return TESTS.filter((test) => after.get(test) === undefined || after.get(test) !== before.get(test));
}

Deno.test("closureOf() ends where modules import each other", () => {
  assert.deepEqual(closureOf(["lib/a_test.ts"], IMPORTS), new Set(["lib/a_test.ts", "lib/a.ts", "lib/b.ts"]));
});

Deno.test("a change affects the tests that import it, also through others", () => {
  assert.deepEqual(affected({ "lib/b.ts": "other" }), ["lib/a_test.ts", "lib/reads_test.ts"]);
});

Deno.test("what a worker imports affects the tests of what starts workers", () => {
  assert.deepEqual(affected({ "agent/work.ts": "other" }), ["lib/reads_test.ts", "agent/pool_test.ts"]);
});

Deno.test("without a change only tests that read files are run; with other settings, all", () => {
  assert.deepEqual(affected({}), ["lib/reads_test.ts"]);
  assert.deepEqual(affected({}, "another Deno"), TESTS);
});

Deno.test("unitTests() finds this project's tests, and what they import", async () => {
  const { tests, digests } = await unitTests();
  assert.ok(tests.includes("agent/dispatch_test.ts"));
  assert.ok(digests.has("agent/dispatch_test.ts"));
  // Held as always run: these read the project.
  assert.ok(!digests.has("scripts/arrows_test.ts"));
  assert.ok(tests.length > digests.size);
});
