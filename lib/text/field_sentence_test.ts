import assert from "node:assert/strict";
import { fieldSentence } from "./field_sentence.ts";

Deno.test("fieldSentence() says what is wrong without the field's path", () => {
  const cases: [field: string, message: string, sentence: string][] = [
    ["disks.0.path", "Invalid input: disks.0.path must not be empty", "Must not be empty."],
    ["memoryMb", "Invalid input: memoryMb must be at most 67,108,864", "Must be at most 67,108,864."],
    ["", "Invalid input: nics and network say two things", "Nics and network say two things."],
    ["cpuCount", "Invalid CPU count: 300 (must be 1-256)", "Invalid CPU count: 300 (must be 1-256)"],
  ];
  for (const [field, message, sentence] of cases) assert.equal(fieldSentence(field, message), sentence);
});
