import assert from "node:assert/strict";
import { SPECIAL_KEYS, typingOf } from "./keys.ts";

Deno.test("typingOf() presses each character of a US keyboard by its place, with Shift where needed", () => {
  const typed = (text: string) =>
    typingOf(text).strokes.map((keys) => keys.map(({ code }) => code).join("+"));
  assert.deepEqual(typed("aA1!"), ["KeyA", "ShiftLeft+KeyA", "Digit1", "ShiftLeft+Digit1"]);
  assert.deepEqual(typed("a\r\nb\rc\n"), ["KeyA", "Enter", "KeyB", "Enter", "KeyC", "Enter"]);
  assert.deepEqual(typed("\t |~"), ["Tab", "Space", "ShiftLeft+Backslash", "ShiftLeft+Backquote"]);
  const printable = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index)).join("");
  assert.equal(typed(printable).length, 95);
  assert.equal(new Set(typed(printable)).size, 95, "no two characters are the same keys");
});

Deno.test("typingOf() tells keysyms as X11 has them, and which characters it cannot type", () => {
  assert.deepEqual(typingOf("A\n").strokes.map((keys) => keys.at(-1)!.keysym), [0x41, 0xff0d]);
  assert.deepEqual(typingOf("aéa😀é"), { strokes: typingOf("aa").strokes, untypable: ["é", "😀"] });
});

Deno.test("SPECIAL_KEYS have names of their own and real keys", () => {
  assert.equal(new Set(SPECIAL_KEYS.map(({ name }) => name)).size, SPECIAL_KEYS.length);
  const last = SPECIAL_KEYS.at(-1)!;
  assert.deepEqual([last.name, last.keys.map(({ keysym }) => keysym)], ["Ctrl+Alt+F12", [
    0xffe3,
    0xffe9,
    0xffc9,
  ]]);
});
