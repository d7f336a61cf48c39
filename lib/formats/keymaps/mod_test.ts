import assert from "node:assert/strict";
import { LINUX_KEYS } from "./linux.ts";
import { chordOf, keyCode } from "./mod.ts";

Deno.test("keyCode() knows Linux' names with and without KEY_, and what people call keys", () => {
  for (const name of ["KEY_DELETE", "delete", "Del", "key_delete"]) assert.equal(keyCode(name), 111, name);
  assert.deepEqual(["ctrl", "Alt", "AltGr", "win", "1", "f12"].map(keyCode), [29, 56, 100, 125, 2, 88]);
});

Deno.test("keyCode() knows nothing that is no key", () => {
  for (const name of ["", "KEY_", "constructor", "__proto__", "toString", "ctrl+alt", "KEY_KEY_A"]) {
    assert.equal(keyCode(name), undefined, name);
  }
});

Deno.test("LINUX_KEYS has each code once, all of one byte", () => {
  const codes = Object.values(LINUX_KEYS);
  assert.equal(new Set(codes).size, codes.length);
  assert.ok(codes.every((code) => code > 0 && code < 256));
});

Deno.test("chordOf() joins names and lists, presses a key once, and names what is no key", () => {
  assert.deepEqual(chordOf(["ctrl+alt+delete"]), { codes: [29, 56, 111] });
  assert.deepEqual(chordOf(["KEY_LEFTCTRL", "ctrl", " a "]), { codes: [29, 30] });
  assert.deepEqual(chordOf(["ctrl+nonsense"]), { unknown: "nonsense" });
  assert.deepEqual(chordOf(["ctrl+"]), { unknown: "" });
});
