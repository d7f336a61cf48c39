import assert from "node:assert/strict";
import { summarizeDomain } from "./domain.ts";
import { makeCopy } from "./clone.ts";
import { XmlDocument } from "./edit.ts";

const ORIGINAL = `<domain type='kvm'>
  <name>web</name>
  <uuid>11111111-1111-4111-8111-111111111111</uuid>
  <genid>22222222-2222-4222-8222-222222222222</genid>
  <metadata><x:y xmlns:x='urn:x'>kept</x:y></metadata>
  <sysinfo type='smbios'><system><entry name='uuid'>11111111-1111-4111-8111-111111111111</entry></system></sysinfo>
  <os><loader type='pflash'>/o</loader><nvram template='/t'>/nv/web_VARS.fd</nvram></os>
  <devices>
    <disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='/a.raw'/><backingStore type='file'><source file='/b'/></backingStore><target dev='vda' bus='virtio'/></disk>
    <disk type='volume' device='disk'><driver name='qemu' type='qcow2'/><source pool='p' volume='v'/><target dev='vdb' bus='virtio'/></disk>
    <disk type='file' device='cdrom'><source file='/cd.iso'/><target dev='sda' bus='sata'/></disk>
    <interface type='network'><mac address='52:54:00:00:00:01'/><source network='default'/></interface>
    <interface type='network'><mac address='52:54:00:00:00:02'/><source network='default'/></interface>
    <serial type='pty'><log file='/var/log/web.log' append='off'/></serial>
    <channel type='unix'><source mode='bind' path='/run/web.sock'/><target type='virtio' name='x'/></channel>
    <graphics type='vnc' port='5901' autoport='no' passwd='secret'/>
    <graphics type='spice' autoport='yes'/>
  </devices>
</domain>`;

Deno.test("makeCopy() gives a copy everything of its own, and keeps the rest", () => {
  const document = new XmlDocument(ORIGINAL);
  makeCopy(document, {
    name: "web-2",
    uuid: "33333333-3333-4333-8333-333333333333",
    createdAt: 1_800_000_000_000,
    disks: new Map([
      ["vda", {
        path: "/p/web-2-vda.qcow2",
        format: "qcow2",
        type: "file",
        backing: [{ path: "/p/base.raw", type: "file", format: "raw" }],
      }],
      ["vdb", { path: "/dev/vg/web-2-vdb", format: "raw", type: "block", backing: [] }],
    ]),
    nvram: "/nv/web-2_VARS.fd",
  });
  const copy = document.toString();
  assert.doesNotMatch(copy, /11111111|22222222|52:54|\/a\.raw|file='\/b'|5901|<name>web</);
  assert.match(
    copy,
    /type='qcow2'\/><source file='\/p\/web-2-vda\.qcow2'\/>\s*<backingStore type='file'>\s*<format type='raw'\/>\s*<source file='\/p\/base\.raw'\/>\s*<backingStore\/>\s*<\/backingStore><target dev='vda'/,
  );
  assert.match(
    copy,
    /<disk type='block' device='disk'>.*type='raw'\/><source dev='\/dev\/vg\/web-2-vdb'\/>\s*<backingStore\/><target dev='vdb'/,
  );
  assert.match(copy, /<nvram template='\/t'>\/nv\/web-2_VARS\.fd<\/nvram>/);
  assert.match(copy, /<source file='\/cd\.iso'\/>/);
  assert.match(copy, /<log file='\/var\/log\/web-2\.log' append='off'\/>/);
  assert.match(copy, /path='\/run\/web-2\.sock'/);
  assert.match(copy, /<graphics type='vnc' autoport='yes' passwd='secret'\/>/);
  assert.match(copy, /<graphics type='spice' autoport='yes' passwd='[^']{24}'\/>/);
  assert.match(copy, /<x:y xmlns:x='urn:x'>kept<\/x:y>/);
  assert.equal(copy.match(/33333333-3333-4333-8333-333333333333/g)?.length, 2);
});

Deno.test("makeCopy() leaves UEFI variables to libvirt where there is no file to give", () => {
  const document = new XmlDocument(ORIGINAL);
  makeCopy(document, {
    name: "x",
    uuid: crypto.randomUUID(),
    createdAt: 1,
    disks: new Map(),
    nvram: undefined,
  });
  assert.match(document.toString(), /<nvram template='\/t'\/>/);
});

Deno.test("makeCopy() notes when the copy was made, whether the original notes its own or not", () => {
  const metadata = [
    "<metadata><x:y xmlns:x='urn:x'/></metadata>",
    "",
    "<metadata><kvmm:vm xmlns:kvmm='urn:kvm-manager:vm:1' created='5'><kvmm:tag>a</kvmm:tag></kvmm:vm></metadata>",
  ];
  for (const own of metadata) {
    const document = new XmlDocument(`<domain type='kvm'><name>a</name>${own}<devices/></domain>`);
    makeCopy(document, { name: "b", uuid: "u", createdAt: 1234, disks: new Map(), nvram: undefined });
    assert.equal(summarizeDomain(document.toString()).createdAt, 1234, own);
  }
});

Deno.test("makeCopy() leaves devices of the host with the original", () => {
  const document = new XmlDocument(
    "<domain><name>a</name><uuid>1</uuid><devices><hostdev type='usb'/><hostdev type='pci'/><rng/></devices></domain>",
  );
  makeCopy(document, { name: "b", uuid: "2", createdAt: 0, disks: new Map(), nvram: undefined });
  assert.doesNotMatch(document.toString(), /hostdev/);
  assert.match(document.toString(), /<rng/);
});
