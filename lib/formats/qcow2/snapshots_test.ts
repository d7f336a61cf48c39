import assert from "node:assert/strict";
import { ImageError } from "./qcow2_header.ts";
import { snapshotNames } from "./snapshots.ts";

/** An entry of the table. */
function entry(id: string, name: string, extra = 16): Uint8Array {
  const [idBytes, nameBytes] = [id, name].map((text) => new TextEncoder().encode(text)) as [
    Uint8Array,
    Uint8Array,
  ];
  const length = 40 + extra + idBytes.length + nameBytes.length;
  const bytes = new Uint8Array(Math.ceil(length / 8) * 8), view = new DataView(bytes.buffer);
  view.setUint16(12, idBytes.length);
  view.setUint16(14, nameBytes.length);
  view.setUint32(36, extra);
  bytes.set(idBytes, 40 + extra);
  bytes.set(nameBytes, 40 + extra + idBytes.length);
  return bytes;
}

Deno.test("snapshotNames() are those of the table, whatever stands between them", () => {
  const table = new Uint8Array([
    ...entry("1", "before update"),
    ...entry("12", "ü", 24),
    ...new Uint8Array(64),
  ]);
  assert.deepEqual(snapshotNames(table, 2), ["before update", "ü"]);
  assert.deepEqual(snapshotNames(table, 0), []);
  assert.throws(() => snapshotNames(table.subarray(0, 50), 1), ImageError);
});
