import assert from "node:assert/strict";
import { digestsOf, unitTests } from "./affected.ts";
import { importsOf, moduleOf } from "./modules.ts";

const TEXTS = {
  "lib/a_test.ts": 'import { a } from "./a.ts"; a;',
  "lib/a.ts": 'import { b } from "./b.ts"; export const a = () => b;',
  "lib/b.ts": 'import { a } from "./a.ts"; export const b = () => a;',
  "lib/c_test.ts": 'import { c } from "./c.ts"; c;',
  "lib/c.ts": "export const c = 1;",
  "lib/reads_test.ts": 'await Deno.readTextFile("docs/words.md")',
  "cli/output_failure_test.ts": "new Deno.Command(start)",
  "cli/start.ts": 'import { b } from "../lib/b.ts"; b;',
  "agent/pool_test.ts": 'import { pool } from "./pool.ts"; pool;',
  "agent/pool.ts": "export const pool = () => new Worker(url);",
  "agent/worker.ts": '/// <reference lib="deno.worker" />\nimport { work } from "./work.ts"; work;',
  "agent/work.ts": "export const work = 1;",
};
const TESTS = [
  "lib/a_test.ts",
  "lib/c_test.ts",
  "lib/reads_test.ts",
  "cli/output_failure_test.ts",
  "agent/pool_test.ts",
];

async function digests(
  texts: Readonly<Record<string, string>>,
  settings: string,
): Promise<Map<string, string>> {
  const all = new Map(Object.entries(texts));
  const modules = new Map(
    await Promise.all([...all].map(async ([path, text]) => [path, await moduleOf(path, text)] as const)),
  );
  return digestsOf(TESTS, all, modules, importsOf(modules), settings);
}

/** The tests whose digest is another one after a change. */
async function affected(change: Partial<typeof TEXTS>, settings = ""): Promise<string[]> {
  const before = await digests(TEXTS, ""), after = await digests({ ...TEXTS, ...change }, settings);
  return TESTS.filter((test) => after.get(test) === undefined || after.get(test) !== before.get(test));
}

Deno.test("a change affects the tests that import it, also through others", async () => {
  const change = { "lib/b.ts": `${TEXTS["lib/b.ts"]} export const other = 2;` };
  const wanted = ["lib/a_test.ts", "lib/reads_test.ts", "cli/output_failure_test.ts"];
  assert.deepEqual(await affected(change), wanted);
});

Deno.test("a comment and a type affect nothing", async () => {
  const change = { "lib/b.ts": `/** Other. */\n${TEXTS["lib/b.ts"]}\nexport interface B {}\n` };
  assert.deepEqual(await affected(change), ["lib/reads_test.ts"]);
});

Deno.test("what a worker imports affects the tests of what starts workers", async () => {
  const change = { "agent/work.ts": "export const work = 2;" };
  assert.deepEqual(await affected(change), ["lib/reads_test.ts", "agent/pool_test.ts"]);
});

Deno.test("without a change only tests that read files are run; with other settings, all", async () => {
  assert.deepEqual(await affected({}), ["lib/reads_test.ts"]);
  assert.deepEqual(await affected({}, "another Deno"), TESTS);
});

Deno.test("unitTests() finds this project's tests, and what they import", async () => {
  const { tests, digests } = await unitTests();
  assert.ok(tests.includes("agent/dispatch_test.ts"));
  assert.ok(digests.has("agent/dispatch_test.ts"));
  assert.ok(digests.has("scripts/using_test.ts"), "its modules are known");
  // Held as always run: these read the project.
  assert.ok(!digests.has("scripts/arrows_test.ts"));
  assert.ok(tests.length > digests.size);
});
