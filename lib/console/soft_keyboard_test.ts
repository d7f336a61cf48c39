import assert from "node:assert/strict";
import fc from "fast-check";
import { PADDING, typedBetween } from "./soft_keyboard.ts";

/** A text after characters are typed at its end. */
const typed = (text: string, characters: string) =>
  Array.from(characters).reduce<string[]>(
    (now, character) => character === "\b" ? now.slice(0, -1) : [...now, character],
    Array.from(text),
  ).join("");

Deno.test("letters are typed, and what a keyboard corrects is deleted first", () => {
  assert.equal(typedBetween("", "ls"), "ls");
  assert.equal(typedBetween("ls", "ls -l\n"), " -l\n");
  assert.equal(typedBetween("helo", "hello "), "\blo ");
  assert.equal(typedBetween("root", "root"), "");
});

Deno.test("Backspace on a text that is empty for its person deletes in the guest", () => {
  assert.equal(typedBetween(PADDING, PADDING.slice(1)), "\b");
});

Deno.test("a character outside the basic plane is one", () => {
  assert.equal(typedBetween("a😀", "a😁"), "\b😁");
});

Deno.test("typing what lies between two texts leads from one to the other", () => {
  const text = fc.string({ unit: "binary", maxLength: 20 }).filter((each) => !each.includes("\b"));
  fc.assert(fc.property(text, text, (before, after) => {
    assert.equal(typed(before, typedBetween(before, after)), after);
  }));
});
