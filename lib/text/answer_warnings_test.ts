import assert from "node:assert/strict";
import { answerWarnings } from "./answer_warnings.ts";

Deno.test("answerWarnings(): sentences and findings, a few and bounded; nothing of an answer without", () => {
  assert.deepEqual(answerWarnings({ warnings: ["a", { field: "f", code: "c", message: "b" }] }), ["a", "b"]);
  for (const none of [null, "x", {}, { warnings: [] }, { warnings: "x" }, { warnings: [1, null, ""] }]) {
    assert.equal(answerWarnings(none), undefined, JSON.stringify(none));
  }
  const many = answerWarnings({
    warnings: Array.from({ length: 50 }, (_, n) => `${n}\n${"x".repeat(5000)}`),
  });
  assert.equal(many?.length, 4);
  assert.equal(many![3], "47 more warnings are not shown.");
  for (const each of many!) assert.ok(each.length <= 301 && !each.includes("\n"), each);
});
