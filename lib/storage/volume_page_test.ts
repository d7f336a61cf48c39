import assert from "node:assert/strict";
import type { StorageVolume } from "../contract/mod.ts";
import { volumePage } from "./volume_page.ts";

const volume = (name: string, format = "raw", users: string[] = []): StorageVolume => ({
  pool: "p",
  name,
  path: `/p/${name}`,
  type: "file",
  format,
  capacityBytes: 1,
  allocationBytes: 1,
  encrypted: false,
  usedBy: users.map((user) => ({ vmId: user, name: user })),
});

Deno.test("volumePage() finds by name, format and machine", () => {
  const all = [volume("A.img"), volume("b", "qcow2"), volume("c", "raw", ["web-01"])];
  const names = (q: string) => volumePage(all, { q, page: 1 }).rows.map(({ name }) => name);
  assert.deepEqual(names(""), ["A.img", "b", "c"]);
  assert.deepEqual(names("a.i"), ["A.img"]);
  assert.deepEqual(names("qcow2"), ["b"]);
  assert.deepEqual(names("WEB"), ["c"]);
  assert.deepEqual(names("nope"), []);
});
