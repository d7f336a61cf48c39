import assert from "node:assert/strict";
import { bitmapDirectory, bitmapNames } from "./bitmaps.ts";
import { ImageError, readQcow2Header } from "./qcow2_header.ts";

/** A header of version 3 with a bitmap extension. */
function head({ autoclear = 1n, count = 2, length = 80n }: {
  autoclear?: bigint;
  count?: number;
  length?: bigint;
} = {}): Uint8Array {
  const bytes = new Uint8Array(512), view = new DataView(bytes.buffer);
  view.setUint32(0, 0x514649fb);
  view.setUint32(4, 3);
  view.setBigUint64(88, autoclear);
  view.setUint32(100, 104);
  view.setUint32(104, 0x23852875);
  view.setUint32(108, 24);
  view.setUint32(112, count);
  view.setBigUint64(120, length);
  view.setBigUint64(128, 0x50000n);
  return bytes;
}

/** An entry of the list. */
function entry(name: string, extra = 0): Uint8Array {
  const text = new TextEncoder().encode(name);
  const bytes = new Uint8Array(Math.ceil((24 + extra + text.length) / 8) * 8),
    view = new DataView(bytes.buffer);
  view.setUint16(18, text.length);
  view.setUint32(20, extra);
  bytes.set(text, 24 + extra);
  return bytes;
}

Deno.test("bitmapDirectory() is where the head has it, and nowhere where QEMU would not look", () => {
  assert.deepEqual(bitmapDirectory(readQcow2Header(head())), { offset: 0x50000, length: 80, count: 2 });
  assert.equal(bitmapDirectory(readQcow2Header(head({ autoclear: 0n }))), undefined);
  assert.equal(bitmapDirectory(readQcow2Header(head({ count: 0 }))), undefined);
  assert.throws(() => bitmapDirectory(readQcow2Header(head({ length: 1n << 40n }))), ImageError);
});

Deno.test("bitmapNames() are those of the list, whatever stands between them", () => {
  const list = new Uint8Array([...entry("leftover"), ...entry("ü", 5)]);
  assert.deepEqual(bitmapNames(list, 2), ["leftover", "ü"]);
  assert.deepEqual(bitmapNames(list, 1), ["leftover"]);
  assert.throws(() => bitmapNames(list, 3), ImageError);
  assert.throws(() => bitmapNames(list.subarray(0, 26), 1), ImageError);
});
