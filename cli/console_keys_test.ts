import assert from "node:assert/strict";
import { ConsoleKeys } from "./console_keys.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

Deno.test("ConsoleKeys leaves with Ctrl+a t, and sends what was typed before", () => {
  assert.deepEqual(new ConsoleKeys().read(bytes("ls\x01tmore")), { send: bytes("ls"), leave: true });
});

Deno.test("ConsoleKeys sends Ctrl+a with Ctrl+a a, and before a key that is not ours", () => {
  const keys = new ConsoleKeys();
  assert.deepEqual(keys.read(bytes("\x01ab\x01c")), { send: bytes("\x01b\x01c"), leave: false });
});

Deno.test("ConsoleKeys knows a Ctrl+a that came alone", () => {
  const keys = new ConsoleKeys();
  assert.deepEqual(keys.read(bytes("x\x01")), { send: bytes("x"), leave: false });
  assert.deepEqual(keys.read(bytes("t")), { send: bytes(""), leave: true });
});
