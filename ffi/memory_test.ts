import assert from "node:assert/strict";
import { cString, readString, readUuid } from "./memory.ts";

Deno.test("cString() ends with one NUL and refuses a text that holds one", () => {
  assert.deepEqual([...cString("a€")], [0x61, 0xe2, 0x82, 0xac, 0]);
  assert.deepEqual([...cString("")], [0]);
  for (const text of ["\0", "a\0", "/etc/passwd\0.img"]) assert.throws(() => cString(text), TypeError);
});

Deno.test("readString() reads what cString() made; NULL is empty, broken UTF-8 becomes U+FFFD", () => {
  for (const text of ["", "vm-1", "é😀", "x".repeat(70_000)]) {
    const bytes = cString(text);
    assert.equal(readString(Deno.UnsafePointer.of(bytes)), text);
  }
  assert.equal(readString(null), "");
  const broken = new Uint8Array([0x61, 0xff, 0x62, 0]);
  assert.equal(readString(Deno.UnsafePointer.of(broken)), "a\ufffdb");
});

Deno.test("readUuid() gives the 36 characters, and nothing when the function failed", () => {
  const uuid = "6695eb01-f6a4-8304-79aa-97f2502e193f";
  const fill = (result: number) => (buffer: Uint8Array<ArrayBuffer>) => {
    buffer.set(cString(uuid));
    return result;
  };
  assert.equal(readUuid(fill(0)), uuid);
  assert.equal(readUuid(fill(-1)), "");
});
