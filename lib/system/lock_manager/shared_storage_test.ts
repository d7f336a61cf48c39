import assert from "node:assert/strict";
import type { Disk } from "../../contract/vm.ts";
import { mountLines } from "../../formats/mountinfo.ts";
import {
  networkMount,
  networkStorageOf,
  poolPlace,
  sharedDisks,
  type StorageKnowledge,
} from "./shared_storage.ts";

const MOUNTS = mountLines(`21 1 254:0 / / rw,relatime - ext4 /dev/vda rw
40 21 0:45 / /srv/nfs rw,relatime - nfs4 nas:/export/vms rw,vers=4.2
41 21 0:46 / /srv/smb rw - cifs //nas/vms rw
42 40 254:1 / /srv/nfs/local rw - ext4 /dev/vdb rw`);

const disk = (change: Partial<Disk>): Disk => ({
  target: "vda",
  bus: "virtio",
  device: "disk",
  type: "file",
  readOnly: false,
  shareable: false,
  ...change,
});
const KNOWN: StorageKnowledge = {
  mounts: MOUNTS,
  pools: [
    {
      ...poolPlace(
        "<pool type='iscsi'><name>san</name><source><host name='nas'/><device path='iqn.2020-01.x:1'/></source>" +
          "<target><path>/srv/by-san</path></target></pool>",
      ),
    },
    poolPlace(
      "<pool type='rbd'><name>ceph</name><source><host name='m2'/><host name='m1'/><name>vms</name></source></pool>",
    ),
    poolPlace(
      "<pool type='dir'><name>images</name><target><path>/var/lib/libvirt/images</path></target></pool>",
    ),
  ],
  seenBy: new Map([["/srv/gfs", "kvm2"]]),
};
const places = (...changes: Partial<Disk>[]) =>
  sharedDisks("web", changes.map(disk), KNOWN).map((
    { storage, guarded, shareable },
  ) => [storage, guarded, shareable]);

Deno.test("poolPlace() says what a pool is on the network", () => {
  assert.deepEqual(KNOWN.pools.map(({ name, network, path }) => [name, network, path]), [
    ["san", "iscsi://nas/iqn.2020-01.x:1", "/srv/by-san"],
    ["ceph", "rbd://m1,m2/vms", undefined],
    ["images", undefined, "/var/lib/libvirt/images"],
  ]);
  const nfs =
    "<pool type='netfs'><name>n</name><source><host name='nas'/><dir path='/export/vms'/></source></pool>";
  assert.equal(poolPlace(nfs).network, "netfs://nas/export/vms");
});

Deno.test("networkMount() names a share, and not what is mounted on it", () => {
  assert.equal(networkMount(MOUNTS, "/srv/nfs/a.qcow2"), "nfs://nas/export/vms");
  assert.equal(networkMount(MOUNTS, "/srv/smb/a"), "cifs://nas/vms");
  assert.equal(networkMount(MOUNTS, "/srv/nfs/local/a"), undefined);
  assert.equal(networkMount(MOUNTS, "/srv/nfsx/a"), undefined);
});

Deno.test("sharedDisks() finds what other hosts may write to", () => {
  assert.deepEqual(places({ source: "/var/lib/libvirt/images/a.qcow2" }, { type: "file" }), []);
  assert.deepEqual(places({ source: "/srv/nfs/a.qcow2" }), [["nfs://nas/export/vms", true, false]]);
  assert.deepEqual(
    places({ source: "/srv/nfs/a.iso", device: "cdrom" }, { source: "/srv/nfs/b", readOnly: true }),
    [],
  );
  assert.deepEqual(places({ type: "network", source: "rbd:vms/a" }), [["rbd:vms/a", false, false]]);
  assert.deepEqual(places({ type: "volume", source: "ceph/a" }), [["rbd://m1,m2/vms", false, false]]);
  assert.deepEqual(places({ type: "volume", source: "images/a" }, { type: "volume", source: "gone/a" }), []);
  assert.deepEqual(places({ type: "block", source: "/dev/disk/by-path/ip-10.0.0.1:3260-iscsi-x-lun-1" }), [
    ["iSCSI, Fibre Channel", true, false],
  ]);
  assert.deepEqual(places({ type: "block", source: "/dev/vg/a" }), []);
  assert.deepEqual(places({ source: "/srv/gfs/a" }), [["/srv/gfs, which kvm2 sees as well", true, false]]);
  assert.deepEqual(places({ source: "/var/lib/libvirt/images/s.raw", shareable: true }), [
    ["/var/lib/libvirt/images/s.raw", true, true],
  ]);
});

Deno.test("networkStorageOf() has each network storage once", () => {
  const disks = sharedDisks("web", [disk({ source: "/srv/nfs/a" })], KNOWN);
  assert.deepEqual(networkStorageOf(KNOWN, disks), [
    "iscsi://nas/iqn.2020-01.x:1",
    "nfs://nas/export/vms",
    "rbd://m1,m2/vms",
  ]);
});
