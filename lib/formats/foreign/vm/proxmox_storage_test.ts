import assert from "node:assert/strict";
import { ForeignVmError } from "./model.ts";
import { proxmoxPlace, readStorages } from "./proxmox_storage.ts";

const STORAGES = readStorages(`dir: local
\tpath /var/lib/vz
\tcontent iso,images

lvmthin: local-lvm
\tthinpool data
\tvgname pve

zfspool: local-zfs
\tpool rpool/data
\tsparse

nfs: nas
\tserver 192.0.2.1
\texport /vm

rbd: ceph
\tpool rbd
`);

Deno.test("proxmoxPlace() finds files, LVM and ZFS volumes", () => {
  const path = (volume: string) => proxmoxPlace(volume, STORAGES);
  assert.deepEqual(path("local:100/vm-100-disk-0.qcow2"), {
    kind: "path",
    path: "/var/lib/vz/images/100/vm-100-disk-0.qcow2",
  });
  assert.deepEqual(path("local:9000/base-9000-disk-0.qcow2/100/vm-100-disk-0.qcow2"), {
    kind: "path",
    path: "/var/lib/vz/images/100/vm-100-disk-0.qcow2",
  });
  assert.deepEqual(path("nas:100/a.raw"), { kind: "path", path: "/mnt/pve/nas/images/100/a.raw" });
  assert.deepEqual(path("local-lvm:vm-100-disk-0"), { kind: "lvm", group: "pve", volume: "vm-100-disk-0" });
  assert.deepEqual(path("local-zfs:base-9-disk-0/vm-100-disk-0"), {
    kind: "path",
    path: "/dev/zvol/rpool/data/vm-100-disk-0",
  });
  assert.deepEqual(path("/dev/disk/by-id/x"), { kind: "path", path: "/dev/disk/by-id/x" });
});

Deno.test("proxmoxPlace() refuses what leads elsewhere, and storages that it cannot read", () => {
  const refused = [
    "ceph:vm-100-disk-0",
    "gone:100/a.raw",
    "local:../../etc/shadow",
    "local:100/../../../etc/shadow",
    "local:100/..",
    "local-lvm:-x",
    "local-lvm:../sda",
    "/srv/../etc/shadow",
    "plain",
  ];
  for (const volume of refused) {
    assert.throws(() => proxmoxPlace(volume, STORAGES), ForeignVmError, volume);
  }
  assert.throws(() => readStorages("x".repeat(2 ** 21)), ForeignVmError);
});
