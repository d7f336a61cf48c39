import assert from "node:assert/strict";
import type { StorageVolume } from "../contract/mod.ts";
import { volumeHref, volumePage, volumeQuery } from "./volume_page.ts";

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

Deno.test("volumePage() beyond the last page is the last", () => {
  const all = Array.from({ length: 201 }, (_, index) => volume(`v${index}`));
  const { rows, page, pages, matching } = volumePage(all, { q: "", page: 9 });
  assert.deepEqual([rows.length, page, pages, matching], [1, 3, 3, 201]);
  assert.deepEqual(volumePage([], { q: "", page: 2 }), { rows: [], matching: 0, page: 1, pages: 1 });
});

Deno.test("volumeQuery() and volumeHref() are each other's reverse", () => {
  for (const query of [{ q: "", page: 1 }, { q: "a&b=ü", page: 3 }]) {
    const url = new URL(volumeHref("/storage/x", query), "http://host");
    assert.deepEqual(volumeQuery(url.searchParams), query);
  }
  assert.equal(volumeQuery(new URLSearchParams("page=-1")).page, 1);
  assert.equal(volumeQuery(new URLSearchParams("page=x")).page, 1);
});
