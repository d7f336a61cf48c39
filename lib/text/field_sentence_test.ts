import assert from "node:assert/strict";
import { fieldSentence, plainBounds } from "./field_sentence.ts";

Deno.test("fieldSentence() says what is wrong in words, without the field's path", () => {
  const cases: [field: string, message: string, sentence: string][] = [
    [
      "disks.0.path",
      "Invalid input: disks.0.path must not have fewer than 1 characters",
      "Must not be empty.",
    ],
    ["memoryMb", "Invalid input: memoryMb must be <= 67108864", "Must be at most 67,108,864."],
    ["cpuCount", "Invalid input: cpuCount must be integer", "Must be a whole number."],
    [
      "group",
      "Invalid input: group must not have more than 64 characters",
      "Must have at most 64 characters.",
    ],
    ["name", 'Invalid input: name must match pattern "^a\\"b$"', "Has characters that are not allowed here."],
    ["", "Invalid input: nics and network say two things", "Nics and network say two things."],
    ["cpuCount", "Invalid CPU count: 300 (must be 1-256)", "Invalid CPU count: 300 (must be 1-256)"],
  ];
  for (const [field, message, sentence] of cases) assert.equal(fieldSentence(field, message), sentence);
});

Deno.test("plainBounds() leaves other texts as they are", () => {
  assert.equal(plainBounds("VM not found: x"), "VM not found: x");
});
