import assert from "node:assert/strict";
import { LAYOUTS, PLACES } from "../keymaps/layouts.ts";
import { type KeyboardLayout, SPECIAL_KEYS, typingOf } from "./keys.ts";

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

const typedOn = (layout: KeyboardLayout, text: string) =>
  typingOf(text, layout).strokes.map((keys) => keys.map(({ code }) => code).join("+"));

Deno.test("typingOf() presses what writes the character on the machine's own keyboard", () => {
  assert.deepEqual(typedOn("de", "zY-_"), ["KeyY", "ShiftLeft+KeyZ", "Slash", "ShiftLeft+Slash"]);
  assert.deepEqual(typedOn("de", "@\\|ß"), [
    "AltRight+KeyQ",
    "AltRight+Minus",
    "AltRight+IntlBackslash",
    "Minus",
  ]);
  assert.deepEqual(typedOn("fr", "a1é"), ["KeyQ", "ShiftLeft+Digit1", "Digit2"]);
  assert.deepEqual(typedOn("ru", "привет"), ["KeyG", "KeyH", "KeyB", "KeyD", "KeyT", "KeyN"]);
});

Deno.test("typingOf() uses dead keys: with the space bar for themselves, before a letter for an accent", () => {
  assert.deepEqual(typedOn("de", "^"), ["Backquote", "Space"]);
  assert.deepEqual(typedOn("de", "é"), ["Equal", "KeyE"]);
  assert.deepEqual(typedOn("de", "e\u0301"), typedOn("de", "é"));
  assert.deepEqual(typedOn("fr", "Ê"), ["BracketLeft", "ShiftLeft+KeyE"]);
  assert.deepEqual(typingOf("ế", "fr").untypable, ["ế"]);
});

Deno.test("every keyboard but those of other scripts types all of ASCII, and no two characters alike", () => {
  const printable = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index));
  for (const layout of Object.keys(LAYOUTS) as KeyboardLayout[]) {
    const { untypable } = typingOf(printable.join(""), layout);
    const letters = untypable.filter((character) => /[a-z]/i.test(character));
    if (layout !== "ru" && layout !== "ua") assert.deepEqual(letters, [], layout);
    const typed = printable.filter((each) => !untypable.includes(each)).map((each) =>
      typedOn(layout, each).join(" ")
    );
    assert.equal(new Set(typed).size, typed.length, layout);
    for (const level of LAYOUTS[layout].slice(1)) {
      assert.ok(Array.from(level).length <= PLACES.length, layout);
    }
  }
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
