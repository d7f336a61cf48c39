import assert from "node:assert/strict";
import { cPassword, cString, readString, readUuid } from "./memory.ts";

Deno.test("cString() ends with one NUL and refuses a text that holds one", () => {
  assert.deepEqual([...cString("a€")], [0x61, 0xe2, 0x82, 0xac, 0]);
  assert.deepEqual([...cString("")], [0]);
  for (const text of ["\0", "a\0", "/etc/passwd\0.img"]) assert.throws(() => cString(text), TypeError);
});

Deno.test("readString() reads what cString() made; NULL is empty, bytes that are no UTF-8 are told apart", () => {
  for (const text of ["", "vm-1", "é😀", "\ufeffbom", "a\ufffdb", "a\ufffdffb", "x".repeat(70_000)]) {
    const bytes = cString(text);
    assert.equal(readString(Deno.UnsafePointer.of(bytes)), text);
  }
  assert.equal(readString(null), "");
  for (const [byte, text] of [[0xff, "a\ufffdffb"], [0xfe, "a\ufffdfeb"]] as const) {
    const broken = new Uint8Array([0x61, byte, 0x62, 0]);
    assert.equal(readString(Deno.UnsafePointer.of(broken)), text);
    assert.deepEqual([...cString(text)], [...broken]);
  }
});

Deno.test("cPassword() takes a password as it is", () => {
  assert.deepEqual([...cPassword("a\ufffdff")], [0x61, 0xef, 0xbf, 0xbd, 0x66, 0x66, 0]);
  assert.throws(() => cPassword("a\0b"), TypeError);
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
