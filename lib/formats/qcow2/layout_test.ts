import assert from "node:assert/strict";
import { CLUSTER, type Placed, Qcow2Layout } from "./layout.ts";
import { headRefusal, readQcow2Header } from "./qcow2_header.ts";
import { GIB } from "../../text/byte_units.ts";

/** The image, piece by piece, and where its content lies by its own tables. */
function read(placed: readonly Placed[]) {
  const clusters = placed.flatMap(({ offset, bytes }) =>
    Array.from({ length: Math.ceil(bytes.length / CLUSTER) }, (_, index) => {
      const from = index * CLUSTER;
      return [offset + from, bytes.subarray(from, from + CLUSTER)] as const;
    })
  );
  const at = new Map(clusters);
  const view = (offset: number) => new DataView(at.get(offset)!.buffer, at.get(offset)!.byteOffset);
  const header = view(0), l1 = Number(header.getBigUint64(40));
  const offsetOf = (entry: bigint) => Number(entry & 0x00fffffffffffe00n);
  return {
    at,
    count: clusters.length,
    header: at.get(0)!,
    find: (byte: number) => {
      const cluster = byte / CLUSTER;
      const l2 = offsetOf(view(l1).getBigUint64(Math.floor(cluster / 8192) * 8));
      return l2 === 0 ? undefined : at.get(offsetOf(view(l2).getBigUint64((cluster % 8192) * 8)));
    },
  };
}

Deno.test("Qcow2Layout places content where the tables say, each cluster once", () => {
  const layout = new Qcow2Layout(3 * GIB), placed: Placed[] = [];
  const content = (byte: number, length: number) => new Uint8Array(length).fill(byte);
  placed.push(...layout.place(0, content(1, 2 * CLUSTER)));
  placed.push(...layout.place(CLUSTER * 8192 - CLUSTER, content(2, 2 * CLUSTER)));
  placed.push(...layout.place(2 * GIB, content(3, 700)));
  placed.push(...layout.end());
  const { at, count, header, find } = read(placed);
  assert.equal(at.size, count, "nothing is written twice");
  assert.deepEqual(
    [0, CLUSTER, CLUSTER * 8191, CLUSTER * 8192, 2 * GIB].map((byte) => find(byte)![0]),
    [1, 1, 2, 2, 3],
  );
  assert.equal(find(GIB + CLUSTER), undefined);
  const head = readQcow2Header(header);
  assert.deepEqual([head.virtualSize, head.backingFile, headRefusal(head)], [
    BigInt(3 * GIB),
    undefined,
    null,
  ]);
});

Deno.test("Qcow2Layout takes content from clusters' borders alone", () => {
  assert.throws(() => new Qcow2Layout(GIB).place(512, new Uint8Array(512)), RangeError);
});

Deno.test("Qcow2Layout says zeros, which take no room", () => {
  const layout = new Qcow2Layout(GIB), placed: Placed[] = [];
  placed.push(...layout.place(0, new Uint8Array(CLUSTER).fill(1)));
  placed.push(...layout.placeZeros(CLUSTER, 2 * CLUSTER));
  placed.push(...layout.place(3 * CLUSTER, new Uint8Array(CLUSTER).fill(2)));
  placed.push(...layout.end());
  const { at, header } = read(placed);
  const l1 = Number(new DataView(header.buffer, header.byteOffset).getBigUint64(40));
  const table = at.get(l1)!, first = new DataView(table.buffer, table.byteOffset).getBigUint64(0);
  const l2 = at.get(Number(first & 0x00fffffffffffe00n))!, entries = new DataView(l2.buffer, l2.byteOffset);
  assert.deepEqual([8, 16].map((entry) => entries.getBigUint64(entry)), [1n, 1n]);
  assert.throws(() => layout.placeZeros(512, CLUSTER), RangeError);
});
