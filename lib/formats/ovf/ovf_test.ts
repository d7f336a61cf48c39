import assert from "node:assert/strict";
import { readOvfManifest, writeManifest } from "./manifest.ts";
import { OvfError } from "./model.ts";
import { readOvf } from "./read.ts";
import { OVIRT, VIRTUALBOX, VMWARE } from "./testing.ts";
import { bytesOfQuantity } from "./units.ts";
import { type VmToExport, writeOvf } from "./write.ts";
import { GIB } from "../../text/byte_units.ts";

const codes = (text: string) => readOvf(text).warnings.map(({ code }) => code);

Deno.test("readOvf() reads VMware's dialect", () => {
  const { warnings: _, ...vm } = readOvf(VMWARE);
  assert.deepEqual(vm, {
    name: "web server",
    description: "Serves <pages>",
    osType: "linux",
    cpuCount: 4,
    coresPerSocket: 2,
    memoryMb: 2048,
    firmware: "uefi-secure",
    machine: undefined,
    leftOut: [],
    disks: [
      { file: "web-disk1.vmdk", format: "vmdk", capacityBytes: 16 * GIB, bus: "sata" },
      { file: null, format: "vmdk", capacityBytes: 2 * GIB, bus: "sata" },
    ],
    nics: [{ network: "VM Network", model: "vmxnet3", mac: undefined }],
  });
  assert.deepEqual(codes(VMWARE), ["ControllerReplaced", "FirmwareState", "CdDropped"]);
  assert.match(
    readOvf(VMWARE).warnings[0]!.message,
    /^Disk controller VirtualSCSI is not available here: SATA is used instead$/,
  );
});

Deno.test("readOvf() reads VirtualBox's dialect", () => {
  const { warnings: _, ...vm } = readOvf(VIRTUALBOX);
  assert.deepEqual(vm, {
    name: "Win PC",
    description: undefined,
    osType: "windows",
    cpuCount: 2,
    coresPerSocket: undefined,
    memoryMb: 4096,
    firmware: "bios",
    machine: "pc",
    leftOut: [],
    disks: [{ file: "Win PC-disk001.vmdk", format: "vmdk", capacityBytes: 20 * GIB, bus: "ide" }],
    nics: [{ network: "NAT", model: "e1000", mac: undefined }],
  });
  assert.deepEqual(codes(VIRTUALBOX), ["NicReplaced", "DeviceDropped"]);
});

Deno.test("readOvf() reads oVirt's dialect", () => {
  const { warnings: _, ...vm } = readOvf(OVIRT);
  assert.deepEqual(vm, {
    name: "db1",
    description: "a database",
    osType: "linux",
    cpuCount: 4,
    coresPerSocket: 2,
    memoryMb: 1024,
    firmware: "uefi",
    machine: undefined,
    leftOut: [],
    disks: [{ file: "2f1b-image", format: "qcow2", capacityBytes: 10 * GIB, bus: "scsi" }],
    nics: [{ network: "ovirtmgmt", model: "virtio", mac: "56:6f:02:0b:00:01" }],
  });
});

Deno.test("readOvf() gives no description that libvirt could not hold", () => {
  const text = VMWARE.replace("Serves", "&#xD800;&#xFFFE;&#7;�ff Serves");
  assert.equal(readOvf(text).description, "    ff Serves <pages>");
});

Deno.test("readOvf() takes the usual one of several configurations", () => {
  const text = VMWARE.replace(
    "<VirtualSystem ",
    '<DeploymentOptionSection><Info/><Configuration ovf:id="small"/>' +
      '<Configuration ovf:id="big" ovf:default="true"/></DeploymentOptionSection><VirtualSystem ',
  ).replace(
    "</VirtualHardwareSection>",
    ["small 512", "big 8192"].map((each) => {
      const [id, size] = each.split(" ");
      return `<Item ovf:configuration="${id}"><rasd:AllocationUnits>byte * 2^20</rasd:AllocationUnits>` +
        `<rasd:InstanceID>2</rasd:InstanceID><rasd:ResourceType>4</rasd:ResourceType>` +
        `<rasd:VirtualQuantity>${size}</rasd:VirtualQuantity></Item>`;
    }).join("") + "</VirtualHardwareSection>",
  );
  assert.equal(readOvf(text).memoryMb, 8192);
  assert(codes(text).includes("OptionIgnored"));
});

Deno.test("readOvf() refuses what reaches outside, and what is too much (threats 4, 6, 25)", () => {
  const file = (href: string) => VMWARE.replace("web-disk1.vmdk", href);
  const more = (text: string, count: number) =>
    VMWARE.replace("</VirtualHardwareSection>", `${text.repeat(count)}</VirtualHardwareSection>`);
  const system = "<VirtualSystem ovf:id='b'><Info/></VirtualSystem>";
  const table: [string, RegExp][] = [
    [file("../../etc/shadow"), /name that is not allowed/],
    [file("..%2f..%2fetc%2fshadow"), /name that is not allowed/],
    [file("%zz%20"), /name that is not allowed/],
    [file("/etc/shadow"), /name that is not allowed/],
    [file("a\\b"), /name that is not allowed/],
    [file(".."), /name that is not allowed/],
    [file("http://host/x.vmdk"), /somewhere else/],
    [file("FILE:///etc/shadow"), /somewhere else/],
    [file('x" ovf:chunkSize="100'), /split into pieces/],
    [file('x" ovf:compression="gzip'), /is compressed \(gzip\)/],
    [VMWARE.replace('ovf:fileRef="file1"', 'ovf:fileRef="gone"'), /has no file/],
    [VMWARE.replace("ovf:/disk/vmdisk1", "ovf:/disk/gone"), /has no medium/],
    [
      VMWARE.replace('ovf:diskId="vmdisk2"', 'ovf:diskId="vmdisk2" ovf:fileRef="file1"'),
      /medium of two disks/,
    ],
    [
      VMWARE.replace('ovf:fileRef="file1"', 'ovf:fileRef="file1" ovf:parentRef="vmdisk2"'),
      /built on another/,
    ],
    ['<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><Envelope>&e;</Envelope>', /not accepted/],
    [more("<Item><rasd:ResourceType>1</rasd:ResourceType></Item>", 1001), /more than 1000/],
    [more("<Item><rasd:ResourceType>1</rasd:ResourceType></Item>", 10_000), /too many elements/],
    [more("<a>", 200), /inside each other/],
    [VMWARE.replace("</Envelope>", `${system}</Envelope>`), /describes 2 VMs/],
    ["<Envelope/>", /describes no VM/],
    ["<Envelope><VirtualSystem/></Envelope>", /no hardware/],
    ["<domain/>", /no OVF/],
    ["not XML", /no XML/],
    [VMWARE.replace('capacity="16"', 'capacity="16e9"'), /no quantity/],
    [VMWARE.replace('capacity="16"', 'capacity="9999999999999"'), /too large/],
    [VMWARE.replace("byte * 2^20", "byte * 2^99"), /unit/],
    [VMWARE.replace(">2048<", ">-1<"), /no quantity/],
    [VMWARE.replace(">4<", ">0.5<"), /CPUs/],
    ["x".repeat(2 * 2 ** 20 + 1), /longer than/],
  ];
  for (const [text, reason] of table) {
    assert.throws(() => readOvf(text), (error) => {
      assert(error instanceof OvfError, String(error));
      assert.match(error.message, reason);
      return true;
    }, text.slice(0, 300));
  }
});

Deno.test("bytesOfQuantity() knows the units of every dialect", () => {
  assert.deepEqual(
    ["byte", "byte * 2^20", "bytes*2^10", "MegaBytes", "GB", "byte * 10^3"].map((unit) =>
      bytesOfQuantity("3", unit)
    ),
    [3, 3 * 2 ** 20, 3 * 2 ** 10, 3 * 2 ** 20, 3 * GIB, 3000],
  );
});

Deno.test("readOvf() takes for a disk whatever says that it is one, and loses none without a word", () => {
  const disks = (text: string) => readOvf(text).disks.map(({ file }) => file);
  const both = disks(VMWARE);
  for (const type of [19, 31, 32, 1, 20, 99]) {
    assert.deepEqual(disks(VMWARE.replaceAll(">17<", `>${type}<`)), both, `type ${type}`);
  }
  for (const type of [11, 33]) {
    assert.equal(readOvf(VMWARE.replace(">10<", `>${type}<`)).nics.length, 1, `type ${type}`);
  }
  assert.deepEqual(readOvf(VMWARE).leftOut, []);
  const without = readOvf(VMWARE.replaceAll(/<Item>(?:(?!<\/Item>)[^])*Hard disk[^]*?<\/Item>/g, ""));
  assert.deepEqual([without.disks, without.leftOut], [[], ["web-disk1.vmdk", "an empty disk"]]);
});

Deno.test("readOvf() puts what says no controller, and no place, behind the disk that is booted from", () => {
  const first = (text: string) => readOvf(text).disks[0]!.file;
  const parent = "<rasd:Parent>3</rasd:Parent>";
  // Hard disk 2 comes first in the description.
  for (const instead of ["", "<rasd:Parent/>", "<rasd:Parent>none</rasd:Parent>"]) {
    assert.equal(first(VMWARE.replace(parent, instead)), "web-disk1.vmdk", instead);
    assert.equal(first(VMWARE.replaceAll(parent, instead)), "web-disk1.vmdk", `both ${instead}`);
  }
  const place = "<rasd:AddressOnParent>1</rasd:AddressOnParent>";
  assert.equal(first(VMWARE.replace(place, "")), "web-disk1.vmdk");
  const nameless = "<Item><rasd:ResourceType>1</rasd:ResourceType></Item>";
  const odd = VMWARE.replace(parent, "").replace("<System>", `${nameless}<System>`);
  assert.equal(first(odd), "web-disk1.vmdk", "a device without an id is no controller");
  const marked = VMWARE.replace(place, "<rasd:Connection>device=1,bootable=true</rasd:Connection>");
  assert.equal(first(marked), null, "XenServer marks the disk that is booted from");
  assert.equal(first(VMWARE.replace('diskId="vmdisk2"', 'diskId="vmdisk2" ovf:boot="true"')), null);
});

Deno.test("readOvfManifest() reads what each program writes", () => {
  const one = "a".repeat(40), two = "B".repeat(64);
  const sha1 = { algorithm: "sha1", hex: one }, sha256 = { algorithm: "sha256", hex: two.toLowerCase() };
  const table: [string, string, unknown[]][] = [
    [`SHA1(a b.ovf)= ${one}\r\n\n`, "a b.ovf", [sha1]],
    [`SHA256 (c.vmdk) = ${two}`, "c.vmdk", [sha256]],
    [`SHA-256(c.vmdk)= ${two}`, "c.vmdk", [sha256]],
    [`sha256(c.vmdk)=${two}`, "c.vmdk", [sha256]],
    [`  SHA-1 ( c.vmdk ) =  ${one}  `, "c.vmdk", [sha1]],
    [`\ufeffSHA1(c.vmdk)= ${one}\r`, "c.vmdk", [sha1]],
    [`# made by hand\nMD5(c.vmdk)= ${"0".repeat(32)}`, "c.vmdk", [{ algorithm: "md5", hex: "0".repeat(32) }]],
    [`${two}  c.vmdk`, "c.vmdk", [sha256]],
    [`${one} *c d.vmdk`, "c d.vmdk", [sha1]],
    [`SHA1(c)= ${one}\nSHA1(c)= ${one.toUpperCase()}`, "c", [sha1]],
    [`SHA1(c)= ${one}\nSHA256(./c)= ${two}`, "c", [sha1, sha256]],
  ];
  for (const [text, name, digests] of table) {
    assert.deepEqual(readOvfManifest(text), { files: [{ name, digests }], ignored: [] }, text);
  }
  const sums = [["a", "0".repeat(64)]] as const;
  assert.equal(readOvfManifest(writeManifest(sums)).files[0]?.digests[0]?.hex, "0".repeat(64));
  for (const text of ["x", `BLAKE2(a)= ${one}`, "-----BEGIN CERTIFICATE-----"]) {
    assert.deepEqual(readOvfManifest(text), { files: [], ignored: [text] });
  }
  for (const text of [`SHA256(a)= ${one}`, `SHA1(a)= ${one}\nSHA1(./a)= ${"b".repeat(40)}`]) {
    assert.throws(() => readOvfManifest(text), OvfError, text);
  }
});

Deno.test("writeOvf() writes what readOvf() reads back as it was", () => {
  const vm: VmToExport = {
    name: "web1",
    description: "a < b & 'c'",
    isWindows: false,
    cpuCount: 3,
    memoryMb: 512,
    firmware: "uefi-secure",
    disks: [
      { file: "web1-disk1.vmdk", fileBytes: 100, capacityBytes: GIB, bus: "virtio" },
      { file: "web1-disk2.vmdk", fileBytes: 200, capacityBytes: 2 * GIB, bus: undefined },
    ],
    nics: [{ network: "default", mac: "52:54:00:00:00:01", model: "virtio" }],
  };
  const { warnings, ...read } = readOvf(writeOvf(vm));
  assert.deepEqual(read, {
    name: "web1",
    description: "a < b & 'c'",
    osType: "linux",
    cpuCount: 3,
    coresPerSocket: undefined,
    memoryMb: 512,
    firmware: "uefi-secure",
    machine: undefined,
    leftOut: [],
    disks: [
      { file: "web1-disk1.vmdk", format: "vmdk", capacityBytes: GIB, bus: "virtio" },
      { file: "web1-disk2.vmdk", format: "vmdk", capacityBytes: 2 * GIB, bus: "sata" },
    ],
    nics: [{ network: "default", model: "virtio", mac: "52:54:00:00:00:01" }],
  });
  assert.deepEqual(warnings.map(({ code }) => code), ["FirmwareState"]);
});
