import assert from "node:assert/strict";
import { render } from "preact-render-to-string";
import type { StoragePool, StorageVolume } from "../../lib/contract/mod.ts";
import { VolumeTable } from "./VolumeTable.tsx";

const POOL = { name: "default", type: "dir", fixed: false, keepsFiles: true } as unknown as StoragePool;

const volume = (type: string, ...users: string[]): StorageVolume => ({
  pool: "default",
  name: "a.qcow2",
  path: "/pool/a.qcow2",
  type,
  format: "qcow2",
  capacityBytes: 1,
  allocationBytes: 1,
  encrypted: false,
  usedBy: users.map((name) => ({ vmId: "", name })),
});

/** The verbs that a volume is offered. */
function offered(row: StorageVolume, pool = POOL): string[] {
  const html = render(<VolumeTable pool={pool} volumes={[row]} enabled />);
  return [...html.matchAll(/(?:\?do=|\/)(\w+)(?:\?|&amp;)volume=/g)].map(([, verb]) => verb!);
}

Deno.test("VolumeTable offers Delete for what nothing needs alone, and nothing for a folder", () => {
  assert.deepEqual(offered(volume("file")), ["resize", "clone", "copy", "convert", "wipe", "delete_volume"]);
  assert.deepEqual(offered(volume("dir")), []);
  assert.deepEqual(offered(volume("dir", "storage pool nest")), []);
  for (
    const user of [
      ...["web", "template golden", "backup nightly", "VM old in the bin", "volume b.qcow2 of default"],
    ]
  ) {
    assert.deepEqual(offered(volume("file", user)), ["clone", "copy", "convert"], user);
  }
  const fixed = { ...POOL, fixed: true };
  assert.deepEqual([offered(volume("block"), fixed), offered(volume("block", "web"), fixed)], [[
    "copy",
    "wipe",
  ], ["copy"]]);
});
