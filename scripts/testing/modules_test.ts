import assert from "node:assert/strict";
import { closureOf, importsOf, moduleOf } from "./modules.ts";

const TEXTS = {
  "lib/all.ts": 'export * from "./one.ts"; export { two as second } from "./two.ts"; export const ALL = [];',
  "lib/one.ts": "export class One {} export type Kind = string;",
  "lib/two.ts": "export function two() {}",
  "agent/takes_one.ts": 'import { type Kind, One } from "../lib/all.ts"; export const x: Kind = new One();',
  "agent/takes_two.ts": 'import { second } from "../lib/all.ts"; export { second };',
  "agent/takes_all.ts": 'import * as all from "alias"; export default all;',
  "agent/takes_table.ts": 'import { ALL } from "../lib/all.ts"; ALL.length;',
  "agent/takes_type.ts": 'import type { One } from "../lib/all.ts"; export let one: One;',
  "agent/later.ts": 'await import("../lib/two.ts"); workerUrl("lib/one.ts", import.meta.url);',
  "agent/circle.ts": 'import "./turn.ts";',
  "agent/turn.ts": 'import "./circle.ts"; import "preact"; import { x } from "./missing.ts"; x;',
};

const modules = new Map(
  await Promise.all(
    Object.entries(TEXTS).map(async ([path, text]) => [path, await moduleOf(path, text)] as const),
  ),
);
const imports = importsOf(modules, new Map([["alias", "lib/all.ts"]]));

Deno.test("importsOf() follows a name to the module that makes it", () => {
  const needs = (path: string) => [...imports.get(path)!].sort();
  assert.deepEqual(needs("agent/takes_one.ts"), ["lib/one.ts"]);
  assert.deepEqual(needs("agent/takes_two.ts"), ["lib/two.ts"]);
  assert.deepEqual(needs("agent/takes_all.ts"), ["lib/all.ts", "lib/one.ts", "lib/two.ts"]);
  assert.deepEqual(needs("agent/takes_table.ts"), ["lib/all.ts"]);
  assert.deepEqual(needs("agent/takes_type.ts"), []);
  assert.deepEqual(needs("agent/later.ts"), ["lib/one.ts", "lib/two.ts"]);
  assert.deepEqual(needs("agent/turn.ts"), ["agent/circle.ts"]);
});

Deno.test("closureOf() ends where modules import each other", () => {
  assert.deepEqual(closureOf(["agent/circle.ts"], imports), new Set(["agent/circle.ts", "agent/turn.ts"]));
});

Deno.test("a module's digest is that of its code", async () => {
  const digest = async (text: string) => (await moduleOf("x.tsx", text)).digest;
  const first = await digest("export const a: number = 1;");
  assert.equal(await digest("/** One. */\nexport const a = 1; // or two\nexport type B = 2;\n"), first);
  assert.notEqual(await digest("export const a: number = 2;"), first);
  await assert.rejects(digest("export const = 1;"), /x\.tsx: /);
});
