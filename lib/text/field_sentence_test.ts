import assert from "node:assert/strict";
import { findLanguages, loadLanguage } from "../../agent/i18n/catalogs.ts";
import { ContractError } from "../contract/errors.ts";
import { locales, useLocale } from "../i18n/locale.ts";
import { message, renderPlain } from "../i18n/message.ts";
import { errorField } from "./error_field.ts";
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

Deno.test("a refusal stands at its field in every language", async () => {
  findLanguages();
  const reason = message`${"cpuCount"} ${message`must be a whole number`}`;
  const refusal = new ContractError("InvalidInput", { reason });
  for (const language of locales()) {
    await loadLanguage(language);
    using _locale = useLocale(() => language);
    assert.equal(errorField(refusal), "cpuCount", language);
    assert.equal(errorField(refusal.toJSON()), "cpuCount", language);
    const sentence = fieldSentence("cpuCount", refusal.message);
    assert.doesNotMatch(sentence, /cpuCount|^[:：]/, language);
    if (language !== "en") assert.doesNotMatch(sentence, /must|Invalid/, language);
    assert.equal(renderPlain(reason), "cpuCount must be a whole number");
  }
});

Deno.test("errorField() takes the reasons of other errors for none", () => {
  assert.equal(
    errorField({ code: "SnapshotNotPossible", details: { reason: "disk vda is raw" } }),
    undefined,
  );
  assert.equal(errorField({ code: "InvalidInput", details: {} }), undefined);
  assert.equal(errorField({ code: "InvalidInput" }), undefined);
});
