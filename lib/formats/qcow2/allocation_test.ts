import assert from "node:assert/strict";
import { clustersIn, secondTables, tablesOf } from "./allocation.ts";
import { CLUSTER, Qcow2Layout } from "./layout.ts";
import { ImageError } from "./qcow2_header.ts";

/** An image of 1 GiB with content in two clusters, which lie in tables of their own. */
function image(): Uint8Array {
  const layout = new Qcow2Layout(1024 ** 3), content = new Uint8Array(CLUSTER).fill(7);
  const placed = [...layout.place(CLUSTER * 3, content), ...layout.place(CLUSTER * 9000, content)];
  placed.push(...layout.end());
  const bytes = new Uint8Array(Math.max(...placed.map((each) => each.offset + each.bytes.length)));
  for (const { offset, bytes: part } of placed) bytes.set(part, offset);
  return bytes;
}

Deno.test("clusters that a file holds are found, and no others", () => {
  const bytes = image(), tables = tablesOf(bytes.subarray(0, 65_536));
  assert.deepEqual([tables.clusterBytes, tables.virtualBytes, tables.l1.entries], [CLUSTER, 1024 ** 3, 2]);
  const { offset, entries } = tables.l1;
  const found = secondTables(bytes.subarray(offset, offset + entries * 8), tables).map((at) =>
    at === 0 ? [] : clustersIn(bytes.subarray(at, at + CLUSTER), tables)
  );
  const held = found.flatMap((clusters, table) =>
    clusters.flatMap((cluster, index) => cluster === "none" ? [] : [table * CLUSTER / 8 + index])
  );
  assert.deepEqual(held, [3, 9000]);
  const at = found[0]![3] as number;
  assert.equal(bytes[at], 7);
});

Deno.test("zeros are told from what is not held; tables that lie are refused", () => {
  const tables = { clusterBytes: CLUSTER, virtualBytes: CLUSTER * 2, l1: { offset: CLUSTER, entries: 1 } };
  const table = (...entries: bigint[]) => new Uint8Array(new BigUint64Array(entries).buffer).toReversed();
  assert.deepEqual(clustersIn(table(0n, 1n), tables), ["zeros", "none"]);
  assert.throws(() => clustersIn(table(1n << 62n), tables), ImageError);
  assert.throws(() => clustersIn(table(512n), tables), ImageError);
  assert.throws(() => secondTables(table(512n), tables), ImageError);
  const head = image().slice(0, 65_536);
  head[23] = 40;
  assert.throws(() => tablesOf(head), ImageError);
});
