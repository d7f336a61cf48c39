import assert from "node:assert/strict";
import { Type as Whole } from "npm-typebox";
import { Compile as wholeCompile } from "npm-typebox/compile";
import { Compile } from "./compile.ts";
import Type from "./mod.ts";

/** The same schema by each. */
const schemaOf = (type: typeof Type | typeof Whole) =>
  (type as typeof Type).Object({
    name: type.String({ minLength: 1, maxLength: 3 }),
    size: (type as typeof Type).Optional(
      (type as typeof Type).Union([type.Integer({ minimum: 0 }), type.Null()]),
    ),
    list: (type as typeof Type).Array(type.Boolean()),
    map: (type as typeof Type).Record(type.String(), type.Number()),
    named: (type as typeof Type).Optional(
      (type as typeof Type).Record(type.String({ pattern: "^[a-z]$" }), type.Number(), {
        additionalProperties: false,
        maxProperties: 1,
      }),
    ),
  }, { additionalProperties: false });

const VALUES: readonly unknown[] = [
  { name: "a", list: [], map: {} },
  { name: "a", size: null, list: [true], map: { x: 1.5 } },
  { name: "", list: [], map: {} },
  { name: "a", list: [], map: {}, named: { a: 1 } },
  { name: "a", list: [], map: {}, named: { A: 1 } },
  { name: "a", list: [], map: {}, named: { a: 1, b: 2 } },
  { name: "long", size: -1, list: [1], map: { x: "1" }, more: 1 },
  {},
  null,
  [],
];

Deno.test("Type writes the schemas that the whole of typebox writes", () => {
  assert.deepEqual(JSON.parse(JSON.stringify(schemaOf(Type))), JSON.parse(JSON.stringify(schemaOf(Whole))));
});

Deno.test("Optional() leaves the schema itself as it is: elsewhere the field must be given", () => {
  const name = Type.String();
  assert.deepEqual(
    JSON.parse(JSON.stringify(Type.Object({ may: Type.Optional(name), must: name }))).required,
    ["must"],
  );
});

Deno.test("Compile() accepts and refuses what the whole of typebox does, for the same reasons", () => {
  const ours = Compile(schemaOf(Type)), whole = wholeCompile(schemaOf(Whole));
  for (const value of VALUES) {
    assert.equal(ours.Check(value), whole.Check(value), JSON.stringify(value));
    assert.deepEqual(ours.Errors(value), whole.Errors(value), JSON.stringify(value));
  }
});
