import assert from "node:assert/strict";
import { HEAD_BYTES, readImageHead } from "./head.ts";

/** A clean qcow2 header of version 2. */
function qcow2(virtualSize: bigint, backing?: string): Uint8Array {
  const bytes = new Uint8Array(HEAD_BYTES), view = new DataView(bytes.buffer);
  view.setUint32(0, 0x514649fb);
  view.setUint32(4, 2);
  view.setBigUint64(24, virtualSize);
  if (backing !== undefined) {
    const name = new TextEncoder().encode(backing);
    view.setBigUint64(8, 512n);
    view.setUint32(16, name.length);
    bytes.set(name, 512);
  }
  return bytes;
}
const starting = (text: string, at = 0) => {
  const bytes = new Uint8Array(HEAD_BYTES);
  bytes.set(new TextEncoder().encode(text), at);
  return bytes;
};

Deno.test("readImageHead() tells what a file is", () => {
  assert.deepEqual(readImageHead(qcow2(5n)), { format: "qcow2", virtualSize: 5n, refusal: null });
  assert.deepEqual(readImageHead(starting("CD001", 32769)), {
    format: "iso",
    virtualSize: undefined,
    refusal: null,
  });
  assert.deepEqual(readImageHead(new Uint8Array(100)), {
    format: "raw",
    virtualSize: undefined,
    refusal: null,
  });
});

Deno.test("readImageHead() refuses what names other files, and what it cannot judge", () => {
  assert.match(readImageHead(qcow2(5n, "/etc/shadow")).refusal!, /built on another image/);
  assert.match(readImageHead(qcow2(5n, 'json:{"driver":"file"}')).refusal!, /no plain file/);
  assert.match(readImageHead(qcow2(5n).subarray(0, 20)).refusal!, /cut short/);
  for (
    const magic of ['# Disk DescriptorFile\nRW 1 FLAT "/etc/shadow" 0', "KDMV", "COWD", "QED\0", "vhdxfile"]
  ) {
    const { format, refusal } = readImageHead(starting(magic));
    assert.equal(format, "other", magic);
    assert.match(refusal!, /Convert it to qcow2/);
  }
});
