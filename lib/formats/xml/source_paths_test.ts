import assert from "node:assert/strict";
import { sourcePaths } from "./source_paths.ts";

Deno.test("sourcePaths() finds all that is opened for a domain", () => {
  const found = sourcePaths(`<domain type='kvm'>
  <metadata><x:y xmlns:x='urn:x'><source file='/not/meant'/></x:y></metadata>
  <os>
    <loader readonly='yes' type='pflash'>/usr/share/OVMF/CODE.fd</loader>
    <nvram template='/usr/share/OVMF/VARS.fd'>/var/lib/libvirt/qemu/nvram/web.fd</nvram>
    <kernel>/nas/vmlinuz</kernel><initrd>/nas/initrd</initrd>
  </os>
  <devices>
    <disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='/a.qcow2'/>
      <backingStore type='file'><format type='raw'/><source file='/base.img'/><backingStore/></backingStore></disk>
    <disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='/b.qcow2'/></disk>
    <disk type='file' device='cdrom'><driver name='qemu' type='raw'/><source file='/nas/cd.iso'/></disk>
    <disk type='volume' device='disk'><driver name='qemu' type='qcow2'/><source pool='pool' volume='v'/></disk>
    <disk type='block' device='disk'><source dev='/dev/vg/x'/></disk>
    <disk type='network' device='disk'><source protocol='rbd' name='a/b'/></disk>
    <filesystem type='mount'><source dir='/share'/><target dir='tag'/></filesystem>
    <interface type='network'><source network='default'/></interface>
    <serial type='pty'><log file='/var/log/web.log'/></serial>
    <disk type='file' device='floppy'/>
  </devices>
</domain>`);
  assert.deepEqual(found.paths, [
    ...["/usr/share/OVMF/CODE.fd", "/var/lib/libvirt/qemu/nvram/web.fd", "/usr/share/OVMF/VARS.fd"],
    ...["/nas/vmlinuz", "/nas/initrd", "/a.qcow2", "/base.img", "/b.qcow2", "/nas/cd.iso", "/dev/vg/x"],
    ...["/share", "/var/log/web.log"],
  ]);
  assert.deepEqual([found.pools, found.open], [["pool"], ["/b.qcow2"]]);
});

Deno.test("sourcePaths() of a device and of a snapshot", () => {
  assert.deepEqual(sourcePaths("<disk type='file' device='cdrom'><source file='/a'/></disk>").paths, ["/a"]);
  assert.deepEqual(sourcePaths("<disk type='file' device='cdrom'><target dev='sda'/></disk>").paths, []);
  const xml =
    "<domainsnapshot><disks><disk name='vda'><source file='/o.qcow2'/></disk></disks></domainsnapshot>";
  assert.deepEqual(sourcePaths(xml).paths, ["/o.qcow2"]);
});
