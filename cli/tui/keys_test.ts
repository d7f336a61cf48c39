import assert from "node:assert/strict";
import { KeyReader, type Typed } from "./keys.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const shown = (typed: readonly Typed[]) => typed.map((each) => each.kind === "key" ? each.key : each);
const read = (text: string) => shown(new KeyReader().read(bytes(text)));

Deno.test("keys: letters, controls, arrows in both of their modes", () => {
  assert.deepEqual(read("aÄ\r\t\x7f\x03\x10"), ["a", "Ä", "enter", "tab", "backspace", "ctrl+c", "ctrl+p"]);
  assert.deepEqual(read("\x1b[A\x1bOB\x1b[5~\x1b[3~\x1b[Z\x1b[1;5C"), [
    ...["up", "down", "page-up", "delete", "shift+tab", "right"],
  ]);
});

Deno.test("a sequence that comes in pieces is one key; Esc alone is Esc once nothing follows", () => {
  const reader = new KeyReader();
  assert.deepEqual(shown(reader.read(bytes("\x1b"))), []);
  assert.ok(reader.isWaiting);
  assert.deepEqual(shown(reader.read(bytes("[A"))), ["up"]);
  assert.deepEqual(shown(reader.read(bytes("\x1b"))), []);
  assert.deepEqual(shown(reader.flush()), ["esc"]);
  assert.deepEqual(shown(reader.flush()), []);
  const euro = bytes("€");
  assert.deepEqual(shown(reader.read(euro.subarray(0, 1))), []);
  assert.deepEqual(shown(reader.read(euro.subarray(1))), ["€"]);
});

Deno.test("clicks and the wheel have places; what else a mouse tells is nothing", () => {
  assert.deepEqual(read("\x1b[<0;3;7M\x1b[<0;3;7m\x1b[<64;1;1M\x1b[<2;1;1M"), [
    { kind: "mouse", button: "left", x: 2, y: 6 },
    { kind: "mouse", button: "wheel-up", x: 0, y: 0 },
  ]);
});

Deno.test("what is pasted is a text, also in pieces: none of it is a key", () => {
  const reader = new KeyReader();
  assert.deepEqual(shown(reader.read(bytes("\x1b[200~y\rD\x1b[A\x1b[20"))), []);
  assert.deepEqual(shown(reader.flush()), []);
  assert.deepEqual(shown(reader.read(bytes("1~n"))), [{ kind: "paste", text: "y\rD\x1b[A" }, "n"]);
});

Deno.test("what is no sequence ends, and nothing grows without end", () => {
  assert.deepEqual(read("\x1b[?1;2;3;4u"), []);
  assert.deepEqual(read("\x1b\x1b[A"), ["esc", "up"]);
  assert.equal(read(`\x1b[${"1".repeat(100)}`)[0], "esc");
  const reader = new KeyReader();
  reader.read(bytes("\x1b[200~"));
  for (let i = 0; i < 200; i++) reader.read(bytes("x".repeat(1024)));
  const [pasted] = reader.read(bytes("\x1b[201~"));
  assert.equal(pasted?.kind === "paste" && pasted.text.length, 64 * 1024);
});
