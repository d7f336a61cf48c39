import assert from "node:assert/strict";
import fc from "fast-check";
import { DEEPEST_JSON, parseJson } from "./json.ts";

const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);

Deno.test("parseJson() refuses what is nested too deeply, whatever it looks like, and nothing else", () => {
  assert.deepEqual(JSON.stringify(parseJson(nested(DEEPEST_JSON))), nested(DEEPEST_JSON));
  const deep = [nested(DEEPEST_JSON + 1), nested(400_000), "[".repeat(400_000), '{"a":'.repeat(200_000)];
  for (const text of deep) assert.throws(() => parseJson(text), /nested more than 100 levels/);
  assert.throws(() => parseJson(`{"a":"${"]".repeat(200)}","b":${nested(100)}}`), SyntaxError);
  // Brackets in texts are none, behind whatever is escaped.
  const texts = [`"${"[".repeat(500)}"`, `"\\"${"[".repeat(500)}"`, `["\\\\",${nested(99)}]`];
  for (const text of texts) assert.deepEqual(parseJson(text), JSON.parse(text));
  for (const text of ["", "[", "]", '"', "{]", "x"]) assert.throws(() => parseJson(text), SyntaxError, text);
});

Deno.test("parseJson() reads what JSON.parse() reads", () => {
  fc.assert(fc.property(fc.json(), (text) => assert.deepEqual(parseJson(text), JSON.parse(text))));
});
