import assert from "node:assert/strict";
import Type from "typebox";
import { closed } from "../contract/schema.ts";
import { readAs } from "./tolerant.ts";

const schema = Type.Array(Type.Object({
  id: Type.String(),
  limits: Type.Optional(closed({ most: Type.Integer() })),
  source: Type.Union([closed({ file: Type.String() }), closed({ url: Type.String() })]),
}));

Deno.test("readAs() leaves out fields that a newer version has, and keeps the value that it was given", () => {
  const newer = [{ id: "a", limits: { most: 1, burst: 2 }, source: { url: "u", since: 3 } }];
  assert.deepEqual(readAs(schema, newer), [{ id: "a", limits: { most: 1 }, source: { url: "u" } }]);
  assert.deepEqual(newer[0]!.limits, { most: 1, burst: 2 });
});

Deno.test("readAs() gives what fits as it is, and nothing for what does not fit", () => {
  const same = [{ id: "a", source: { file: "f" } }];
  assert.equal(readAs(schema, same), same);
  for (const value of [[{ id: 1, source: { file: "f" } }], [{ id: "a" }], {}, null, "x"]) {
    assert.equal(readAs(schema, value), undefined);
  }
});
