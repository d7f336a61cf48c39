import assert from "node:assert/strict";
import { inputFields, REST_ROUTES } from "../contract/rest.ts";
import { schemaNotation } from "./schema_notation.ts";

Deno.test("schemaNotation() writes bounds, choices, lists and objects in a line", () => {
  const cases: [Record<string, unknown>, string][] = [
    [{ type: "boolean" }, "boolean"],
    [{ type: "string", minLength: 1, maxLength: 64, pattern: "^a$" }, "string (1–64) /^a$/"],
    [{ type: "integer", minimum: 1, maximum: 500, default: 50 }, "integer (1–500) = 50"],
    [{ type: "number", minimum: 0 }, "number (≥ 0)"],
    [{ anyOf: [{ const: "nat", type: "string" }, { const: "open", type: "string" }] }, `"nat" | "open"`],
    [{ type: "string", enum: ["a", "b"], default: "a" }, `"a" | "b" = "a"`],
    [{ type: "array", items: { type: "string" }, maxItems: 8 }, "string[] (≤ 8)"],
    [{ type: "array", items: { type: "string", maxLength: 8 } }, "(string (≤ 8))[]"],
    [
      { type: "object", properties: { name: {}, size: {} }, required: ["name"] },
      "{ name; size? }",
    ],
    [{ anyOf: [{ type: "string" }, { type: "null" }] }, "string | null"],
  ];
  for (const [schema, text] of cases) assert.equal(schemaNotation(schema), text);
});

Deno.test("schemaNotation() has a word for every field of the contract", () => {
  for (const { name, command } of REST_ROUTES) {
    for (const [field, schema] of Object.entries(inputFields(command))) {
      const { description: _, ...rest } = schema as Record<string, unknown>;
      assert.doesNotMatch(schemaNotation(rest), /"(type|anyOf|properties|items)":/, `${name}.${field}`);
    }
  }
});
