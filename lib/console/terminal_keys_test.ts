import assert from "node:assert/strict";
import type { Modifier } from "../formats/rfb/keys.ts";
import { MORE, ROW } from "./key_row.ts";
import { terminalKey, withModifiers } from "./terminal_keys.ts";

const held = (...modifiers: Modifier[]) => new Set(modifiers);

Deno.test("cursor keys follow the mode that the guest has asked for", () => {
  assert.equal(terminalKey("ArrowUp", held(), false), "\x1b[A");
  assert.equal(terminalKey("ArrowUp", held(), true), "\x1bOA");
  assert.equal(terminalKey("ArrowLeft", held("control"), true), "\x1b[1;5D");
});

Deno.test("function and editing keys are as xterm sends them", () => {
  assert.equal(terminalKey("F1", held(), false), "\x1bOP");
  assert.equal(terminalKey("F5", held(), false), "\x1b[15~");
  assert.equal(terminalKey("F12", held("shift"), false), "\x1b[24;2~");
  assert.equal(terminalKey("Delete", held("alt", "control"), false), "\x1b[3;7~");
  assert.equal(terminalKey("Tab", held("shift"), false), "\x1b[Z");
});

Deno.test("every key sends something of its own", () => {
  const sent = [...ROW, ...MORE].map((key) => terminalKey(key, held(), false));
  assert.equal(new Set(sent).size, sent.length);
  for (const each of sent) assert.doesNotMatch(each, /undefined/);
});

Deno.test("Ctrl makes control characters, Alt sends ESC first, and both hold for one character", () => {
  assert.equal(withModifiers("c", held("control")), "\x03");
  assert.equal(withModifiers("[", held("control")), "\x1b");
  assert.equal(withModifiers("7", held("control")), "7");
  assert.equal(withModifiers("b", held("alt")), "\x1bb");
  assert.equal(withModifiers("dd", held("control")), "\x04d");
  assert.equal(withModifiers("ä", held()), "ä");
  assert.equal(withModifiers("ä", held("shift")), "Ä");
});
