import assert from "node:assert/strict";
import { renderXml } from "./build.ts";
import { diskXml, freeTarget, setMedium, tuneDisk } from "./device_disk.ts";
import { XmlDocument } from "./edit.ts";

const LIVE = `<domain>
  <devices>
    <disk type='file' device='cdrom'>
      <driver name='qemu' type='raw'/>
      <source file='/iso/a.iso' index='3'/>
      <backingStore/>
      <target dev='sda' bus='sata' tray='closed'/>
      <readonly/>
      <alias name='sata0-0-0'/>
    </disk>
  </devices>
</domain>`;

const find = (document: XmlDocument) => () => document.find("devices", "disk")!;

Deno.test("diskXml() writes what was chosen and leaves the rest to QEMU", () => {
  assert.equal(
    renderXml(diskXml({
      device: "disk",
      bus: "virtio",
      target: "vdb",
      source: { type: "file", path: "/pool/a&b.qcow2" },
      format: "qcow2",
      cache: "none",
      io: "default",
      discard: "unmap",
      detectZeroes: "unmap",
      discardNoUnref: "on",
      serial: "<7>",
      shareable: true,
      bootOrder: 2,
    })),
    `<disk type='file' device='disk'>
  <driver name='qemu' type='qcow2' cache='none' discard='unmap' detect_zeroes='unmap' discard_no_unref='on'/>
  <source file='/pool/a&#38;b.qcow2'/>
  <backingStore/>
  <target dev='vdb' bus='virtio'/>
  <shareable/>
  <serial>&#60;7&#62;</serial>
  <boot order='2'/>
</disk>`,
  );
});

Deno.test("diskXml() writes an empty drive without a source, and never writable", () => {
  assert.equal(
    renderXml(diskXml({ device: "cdrom", bus: "sata", target: "sda", format: "raw" })),
    `<disk type='file' device='cdrom'>
  <driver name='qemu' type='raw'/>
  <target dev='sda' bus='sata'/>
  <readonly/>
</disk>`,
  );
});

Deno.test("diskXml() names a block device by dev", () => {
  const source = { type: "block", path: "/dev/vg/lv" } as const;
  const text = renderXml(diskXml({ device: "disk", bus: "scsi", target: "sda", source, format: "raw" }));
  assert.match(text, /<disk type='block'[^]*<source dev='\/dev\/vg\/lv'\/>/);
});

Deno.test("freeTarget() gives the first free name of the bus, beyond z too", () => {
  assert.equal(freeTarget("virtio", []), "vda");
  assert.equal(freeTarget("virtio", ["vda", "vdc", "sda"]), "vdb");
  assert.equal(freeTarget("sata", ["sda"]), "sdb");
  assert.equal(freeTarget("usb", ["sda", "sdb"]), "sdc");
  const alphabet = Array.from({ length: 26 }, (_, index) => `vd${String.fromCharCode(97 + index)}`);
  assert.equal(freeTarget("virtio", alphabet), "vdaa");
  assert.equal(freeTarget("virtio", [...alphabet, "vdaa"]), "vdab");
});

Deno.test("freeTarget() knows that an IDE controller is full with four", () => {
  assert.equal(freeTarget("ide", ["hda", "hdb", "hdc"]), "hdd");
  assert.equal(freeTarget("ide", ["hda", "hdb", "hdc", "hdd"]), undefined);
});

Deno.test("tuneDisk() sets and removes what is named, and nothing else", () => {
  const document = new XmlDocument(LIVE);
  tuneDisk(document, find(document), { cache: "none", serial: "S1", bootOrder: 1, readOnly: false });
  const tuned = LIVE.replace("type='raw'/>", "type='raw' cache='none'/>").replace("\n      <readonly/>", "")
    .replace(
      "<alias name='sata0-0-0'/>",
      "<alias name='sata0-0-0'/>\n      <serial>S1</serial>\n      <boot order='1'/>",
    );
  assert.equal(document.toString(), tuned);
  tuneDisk(document, find(document), { cache: "default", serial: "", bootOrder: 0, readOnly: true });
  assert.equal(
    document.toString(),
    LIVE.replace("\n      <readonly/>", "").replace(
      "<alias name='sata0-0-0'/>",
      "<alias name='sata0-0-0'/>\n      <readonly/>",
    ),
  );
});

Deno.test("setMedium() changes a drive's medium, and takes it out", () => {
  const document = new XmlDocument(LIVE);
  setMedium(document, find(document), { type: "file", path: "/iso/b.iso" });
  assert.match(document.toString(), /<source file='\/iso\/b.iso'\/>\s*<backingStore\/>\s*<target/);
  assert.doesNotMatch(document.toString(), /index=/);
  setMedium(document, find(document), undefined);
  assert.doesNotMatch(document.toString(), /<source|backingStore/);
  assert.match(document.toString(), /<disk type='file' device='cdrom'>/);
});
