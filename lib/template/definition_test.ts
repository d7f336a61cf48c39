import assert from "node:assert/strict";
import { XmlDocument } from "../formats/xml/edit.ts";
import { identityOf } from "../formats/xml/identity.ts";
import { giveMacs, putSeed, sealDefinition, templateRefusal } from "./definition.ts";

/** A domain with these devices. */
const domain = (devices: string, more = "") =>
  new XmlDocument(
    `<domain type='kvm' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'><name>web</name>
<os><type machine='pc-q35-7.2'>hvm</type></os>
<metadata><kvmm:vm xmlns:kvmm='urn:kvm-manager:vm:1'><kvmm:tag>a</kvmm:tag><kvmm:group>people</kvmm:group></kvmm:vm></metadata>
${more}<devices>${devices}</devices></domain>`,
  );
const DISK =
  "<disk type='file' device='disk'><source file='/a.qcow2'/><target dev='vda' bus='virtio'/></disk>";

Deno.test("templateRefusal() refuses what two VMs cannot have, and nothing else", () => {
  const refused: Readonly<Record<string, RegExp>> = {
    "<hostdev mode='subsystem' type='pci'/>": /a device of this host/,
    "<filesystem type='mount'/>": /a folder shared/,
    "<interface type='hostdev'/>": /a network card of this host/,
    "<tpm><backend type='passthrough'/></tpm>": /the TPM of this host/,
    "<shmem name='a'/>": /memory shared/,
    "<disk type='file' device='disk'><target dev='vdb'/><shareable/></disk>": /vdb is shared/,
    "<disk type='file' device='disk'><target dev='vdc'/><readonly/></disk>": /vdc is read-only/,
    "<disk type='block' device='lun'><target dev='sdb'/></disk>": /sdb is a device/,
  };
  for (const [device, reason] of Object.entries(refused)) {
    assert.match(templateRefusal(domain(DISK + device)) ?? "", reason, device);
  }
  assert.match(templateRefusal(domain(DISK, "<qemu:commandline/>")) ?? "", /options to QEMU itself/);
  const fine = `${DISK}<disk type='file' device='cdrom'><target dev='sda'/><readonly/></disk>
    <interface type='network'><mac address='52:54:00:00:00:01'/></interface><tpm><backend type='emulator'/></tpm>`;
  assert.equal(templateRefusal(domain(fine)), undefined);
});

Deno.test("sealDefinition() takes media, MAC addresses and the group out, and leaves the rest", () => {
  const document = domain(`${DISK}
<disk type='file' device='cdrom'><source file='/a.iso'/><target dev='sda' bus='sata'/><readonly/></disk>
<disk type='file' device='cdrom'><source file='/web-seed.iso'/><target dev='sdb' bus='sata'/><readonly/><alias name='ua-kvmm-seed'/></disk>
<interface type='network'><mac address='52:54:00:00:00:01'/><source network='lan'/></interface>`);
  sealDefinition(document);
  const text = document.toString();
  assert.doesNotMatch(text, /a\.iso|seed\.iso|52:54|people/);
  assert.match(text, /a\.qcow2.*<target dev='sda' bus='sata'\/>.*<kvmm|<kvmm:tag>a<\/kvmm:tag>/s);
  assert.match(text, /ua-kvmm-seed/);
});

Deno.test("giveMacs() gives each card an address of its own that no VM has", () => {
  const document = domain(
    "<interface type='network'/><interface type='network'><mac address='x'/></interface>",
  );
  const macs = giveMacs(document, new Set());
  assert.equal(new Set(macs).size, 2);
  assert.deepEqual(identityOf(document).macs, macs);
});

Deno.test("putSeed() fills the drive that was the seed's, or adds one where there is a place", () => {
  const own = domain(
    "<disk type='file' device='cdrom'><target dev='sdb' bus='sata'/><readonly/><alias name='ua-kvmm-seed'/></disk>",
  );
  assert.equal(putSeed(own, "/p/web-1-seed.iso", false), true);
  assert.equal([...own.toString().matchAll(/<disk/g)].length, 1);
  assert.match(own.toString(), /file=['"]\/p\/web-1-seed\.iso['"]/);
  const none = domain(DISK);
  assert.equal(putSeed(none, "/p/web-1-seed.iso", false), true);
  assert.match(none.toString(), /virtio-scsi/);
  const full = domain(
    [..."abcdef"].map((letter) => `<disk device='cdrom'><target dev='sd${letter}' bus='sata'/></disk>`).join(
      "",
    ),
  );
  assert.equal(putSeed(full, "/p/web-1-seed.iso", true), false);
});
