import assert from "node:assert/strict";
import { secretSpellings, secretText } from "./secret_text.ts";

Deno.test("secretText() is one text, however its file ends and whatever ends its lines", () => {
  for (const text of ["a\nb", "a\nb\n", "a\r\nb", "a\r\nb\r\n"]) assert.equal(secretText(text), "a\nb");
  assert.deepEqual(["a", "a\n", "a\r\n", "a\n\n", " a ", "a\rb"].map(secretText), [
    "a",
    "a",
    "a",
    "a\n",
    " a ",
    "a\rb",
  ]);
});

Deno.test("secretSpellings() has what earlier versions made of any of the files", () => {
  const old = ["a\nb", "a\nb\n", "a\r\nb", "a\r\nb\r\n"];
  for (const text of old) {
    for (const made of old) assert.ok(secretSpellings(text).includes(made), JSON.stringify([text, made]));
  }
  assert.deepEqual(secretSpellings("one line"), ["one line"]);
});
