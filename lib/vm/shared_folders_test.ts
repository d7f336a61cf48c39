import assert from "node:assert/strict";
import { CLOSED_FOLDERS, closedReason, mountLines, tagOf } from "./shared_folders.ts";

Deno.test("closedReason() refuses folders of the host, what is in them and what is above them", () => {
  const closed = [...CLOSED_FOLDERS, { path: "/srv/pool", what: "the storage pool p" }];
  const of = (path: string) => closedReason(path, closed);
  assert.equal(of("/"), "it is the host's whole file system");
  assert.equal(of("/etc"), "it is a folder of the host's system");
  assert.equal(of("/etc/ssh"), "it is in /etc, a folder of the host's system");
  assert.match(of("/var")!, /is in it$/);
  assert.match(of("/var/lib/libvirt/images")!, /a folder of libvirt/);
  assert.equal(of("/srv"), "/srv/pool, the storage pool p, is in it");
  for (const path of ["/srv/data", "/etcetera", "/home/ann", "/srv/pool-2"]) {
    assert.equal(of(path), undefined);
  }
});

Deno.test("tagOf() makes a tag of a folder's name", () => {
  assert.equal(tagOf("/srv/data/"), "data");
  assert.equal(tagOf("/srv/my files (old)"), "my-files-old");
  assert.equal(tagOf("/srv/ä"), undefined);
  assert.equal(tagOf(`/srv/${"a".repeat(80)}`)?.length, 36);
});

Deno.test("mountLines() says how a guest mounts it", () => {
  assert.deepEqual(mountLines({ tag: "data", driver: "virtiofs", readOnly: false }), {
    now: "mkdir -p /mnt/data && mount -t virtiofs data /mnt/data",
    fstab: "data /mnt/data virtiofs nofail 0 0",
  });
  assert.equal(
    mountLines({ tag: "d", driver: "9p", readOnly: true }).now,
    "mkdir -p /mnt/d && mount -t 9p -o ro,trans=virtio,version=9p2000.L d /mnt/d",
  );
});
