import assert from "node:assert/strict";
import { validityText } from "./field_validity.ts";

Deno.test("each way for a field to be wrong has its sentence", () => {
  const says = (type: string, wrong: keyof ValidityState, more = {}) =>
    validityText({ type, validity: { [wrong]: true }, ...more });
  assert.equal(says("text", "valueMissing"), "Fill in this field.");
  assert.equal(says("checkbox", "valueMissing"), "Tick this box to go on.");
  assert.equal(says("select-one", "valueMissing"), "Choose one.");
  assert.equal(says("password", "tooShort", { minLength: 12 }), "At least 12 characters.");
  assert.equal(says("text", "tooLong", { maxLength: 64 }), "At most 64 characters.");
  assert.equal(says("number", "badInput"), "Enter a number.");
  assert.equal(says("number", "rangeUnderflow", { min: "1" }), "At least 1.");
  assert.equal(says("number", "rangeOverflow", { max: "65535" }), "At most 65535.");
  assert.equal(says("number", "stepMismatch"), "Enter a whole number.");
  assert.equal(says("email", "typeMismatch"), "Enter an e-mail address.");
  assert.equal(says("url", "typeMismatch"), "Enter a full address, such as https://example.org/.");
  assert.equal(says("text", "patternMismatch"), "Not in the expected format.");
});
