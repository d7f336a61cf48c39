import assert from "node:assert/strict";
import { LineCutter } from "./lines.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const texts = (cutter: LineCutter, ...parts: string[]) =>
  parts.flatMap((part) =>
    [...cutter.push(bytes(part))].map((line) => line && new TextDecoder().decode(line))
  );

Deno.test("lines come out however the bytes are cut", () => {
  const whole = "one\n\ntwo\nthree\nhalf";
  for (let size = 1; size <= whole.length; size++) {
    const parts = whole.match(new RegExp(`[^]{1,${size}}`, "g"))!;
    assert.deepEqual(texts(new LineCutter(), ...parts), ["one", "", "two", "three"], `pieces of ${size}`);
  }
});

Deno.test("a line without end is held nowhere, and the next one is read", () => {
  const cutter = new LineCutter(100);
  assert.deepEqual(texts(cutter, "x".repeat(100) + "\n", "y".repeat(101) + "\n"), ["x".repeat(100), null]);
  const piece = bytes("z".repeat(65_536));
  for (let sent = 0; sent < 100 * 1024 * 1024; sent += piece.length) {
    assert.deepEqual([...cutter.push(piece)], []);
    assert.ok(cutter.held <= 100);
  }
  assert.deepEqual(texts(cutter, "\nnext\n"), [null, "next"]);
});

Deno.test("what waits is a copy of what was brought", () => {
  const cutter = new LineCutter(), piece = bytes("half");
  assert.deepEqual([...cutter.push(piece)], []);
  piece.fill(0x78);
  assert.deepEqual(texts(cutter, "\n"), ["half"]);
});
