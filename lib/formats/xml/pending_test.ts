import assert from "node:assert/strict";
import { type Area, AREAS } from "../../contract/hardware.ts";
import { pendingChanges } from "./pending.ts";
import { discardPending, givesOfHost } from "./pending_discard.ts";

const domain = (inside: string, attributes = "", devices = "") =>
  `<domain type='kvm'${attributes}>
  <name>web</name>
  <memory unit='KiB'>262144</memory>
  <currentMemory unit='KiB'>262144</currentMemory>
  <vcpu placement='static'>2</vcpu>
  ${inside}
  <os>
    <type arch='x86_64' machine='pc-q35-7.2'>hvm</type>
    <boot dev='hd'/>
  </os>
  <devices>
    ${devices}
  </devices>
</domain>`;

/** A configuration, and the XML that libvirt 9.0 shows of it while the machine runs. */
const SAME: readonly [what: string, live: string, next: string][] = [
  [
    "disk",
    `<disk type='file' device='disk'><source file='/a' index='1'/><backingStore/><target dev='vda' bus='virtio'/><alias name='virtio-disk0'/><address type='pci' slot='0x01'/></disk>`,
    `<disk type='file' device='disk'><source file='/a'/><target dev='vda' bus='virtio'/><address type='pci' slot='0x01'/></disk>`,
  ],
  [
    "disk on other images",
    `<disk type='file' device='disk'><source file='/a' index='3'/><backingStore type='file' index='1'><format type='qcow2'/><source file='/b'/><backingStore type='file' index='2'><format type='raw'/><source file='/c'/><backingStore/></backingStore></backingStore><target dev='vda' bus='virtio'/></disk>`,
    `<disk type='file' device='disk'><source file='/a'/><backingStore type='file'><format type='qcow2'/><source file='/b'/><backingStore type='file'><format type='raw'/><source file='/c'/><backingStore/></backingStore></backingStore><target dev='vda' bus='virtio'/></disk>`,
  ],
  [
    "interface of a network",
    `<interface type='bridge'><mac address='m'/><source network='n' portid='p' bridge='virbr0'/><target dev='vnet3'/><alias name='net0'/></interface>`,
    `<interface type='network'><mac address='m'/><source network='n'/></interface>`,
  ],
  [
    "serial and console",
    `<serial type='pty'><source path='/dev/pts/0'/><target port='0'/><alias name='serial0'/></serial><console type='pty' tty='/dev/pts/0'><source path='/dev/pts/0'/><target type='serial' port='0'/></console>`,
    `<serial type='pty'><target port='0'/></serial><console type='pty'><target type='serial' port='0'/></console>`,
  ],
  [
    "channel",
    `<channel type='unix'><source mode='bind' path='/var/lib/libvirt/qemu/channel/target/domain-1-web/a'/><target type='virtio' name='a' state='connected'/><alias name='channel0'/></channel>`,
    `<channel type='unix'><target type='virtio' name='a'/></channel>`,
  ],
  [
    "graphics",
    `<graphics type='vnc' port='5901' autoport='yes' websocket='5701' listen='127.0.0.1'><listen type='address' address='127.0.0.1'/></graphics>`,
    `<graphics type='vnc' port='-1' autoport='yes' websocket='-1'><listen type='address'/></graphics>`,
  ],
  [
    "hostdev",
    `<hostdev mode='subsystem' type='usb' managed='yes'><source><vendor id='1'/><product id='2'/><address bus='1' device='3'/></source><alias name='hostdev0'/></hostdev>`,
    `<hostdev mode='subsystem' type='usb' managed='yes'><source><vendor id='1'/><product id='2'/></source></hostdev>`,
  ],
  [
    "controllers",
    `<controller type='pci' index='0' model='pcie-root'><alias name='pcie.0'/></controller><controller type='pci' index='7'/>`,
    `<controller type='pci' index='0' model='pcie-root'/>`,
  ],
];

Deno.test("pendingChanges() passes over what a start adds", () => {
  for (const [what, live, next] of SAME) {
    assert.deepEqual(
      pendingChanges(domain("<resource/>", " id='3'", live), domain("", "", next)),
      [],
      what,
    );
  }
  const full =
    `<cpu mode='custom' match='exact' check='full'><model fallback='forbid'>EPYC</model><vendor>AMD</vendor><feature policy='require' name='acpi'/></cpu>`;
  assert.deepEqual(pendingChanges(domain(full), domain("<cpu mode='host-model' check='partial'/>")), []);
  const custom = (features: string, check: string) =>
    `<cpu mode='custom' match='exact' check='${check}'><model fallback='allow'>EPYC</model>${features}</cpu>`;
  const added = "<feature policy='require' name='x2apic'/><feature policy='disable' name='svm'/>";
  assert.deepEqual(pendingChanges(domain(custom(added, "full")), domain(custom("", "partial"))), []);
});

Deno.test("pendingChanges() tells what differs, by area", () => {
  const disk = (file: string, target = "vda") =>
    `<disk type='file' device='disk'><source file='${file}'/><target dev='${target}' bus='virtio'/></disk>`;
  const cases: [live: string, next: string, area: string, what: string][] = [
    [domain(""), domain("").replace(">2<", ">4<"), "cpu", "cpu.count"],
    [
      domain(""),
      domain("").replace("<memory unit='KiB'>262144", "<memory unit='MiB'>300"),
      "memory",
      "memory.maxMb",
    ],
    [domain(""), domain("").replace("'hd'", "'cdrom'"), "boot", "boot.devices"],
    [domain(""), domain("<clock offset='localtime'/>"), "general", "clock"],
    [domain("", "", disk("/a")), domain("", "", disk("/b")), "disks", "disk vda"],
    [domain("", "", disk("/a")), domain(""), "disks", "disk vda"],
    [domain(""), domain("", "", disk("/a", "vdb")), "disks", "disk vdb"],
    [
      domain(""),
      domain("", "", "<tpm model='tpm-crb'><backend type='emulator' version='2.0'/></tpm>"),
      "firmware",
      "tpm 0",
    ],
    [domain(""), domain("").replace("hvm</type>", "hvm</type><kernel>/k</kernel>"), "boot", "os.kernel"],
  ];
  for (const [live, next, area, what] of cases) {
    const found = pendingChanges(live, next);
    assert.ok(
      found.some((each) => each.area === area && each.what === what),
      `${what}: ${JSON.stringify(found)}`,
    );
    const back = discardPending(live, next, AREAS);
    assert.deepEqual(pendingChanges(live, back), [], what);
  }
});

Deno.test("pendingChanges() does not say what a command line or a password is", () => {
  const line = (value: string) =>
    `<qemu:commandline xmlns:qemu='q'><qemu:arg value='${value}'/></qemu:commandline>`;
  const vnc = (password: string) =>
    `<graphics type='vnc' port='5900' autoport='no' listen='${password.length}' passwd='${password}'/>`;
  const found = pendingChanges(
    domain(line("secret-one"), "", vnc("secret-two")),
    domain(line("secret-three"), "", vnc("secret-four")),
  );
  assert.equal(found.length, 2);
  assert.doesNotMatch(JSON.stringify(found), /secret-/);
});

Deno.test("pendingChanges() passes over passwords of screens, and discardPending() leaves that of the next start", () => {
  const vnc = (attributes: string) => `<graphics type='vnc' port='5900' autoport='no'${attributes}/>`;
  const [live, next] = [domain("", "", vnc("")), domain("", "", vnc(" passwd='next'"))];
  assert.deepEqual(pendingChanges(live, next), []);
  const moved = domain("", "", vnc(" passwd='next' keymap='de'"));
  const back = discardPending(live, moved, AREAS);
  assert.match(back, /passwd='next'/);
  assert.doesNotMatch(back, /keymap/);
});

Deno.test("discardPending() takes back the areas it is given alone, and keeps secrets", () => {
  const vnc = "<graphics type='vnc' port='-1' autoport='yes' passwd='s3cret'/>";
  const live = domain("", "", vnc);
  const next = domain("<title>later</title>", "", vnc).replace(">2<", ">4<");
  const back = discardPending(live, next, ["cpu"]);
  assert.deepEqual(pendingChanges(live, back).map(({ what }) => what), ["title"]);
  assert.match(back, /passwd='s3cret'/);
  assert.equal(discardPending(live, next, []), next);
});

Deno.test("pendingChanges() tells limits that differ, but none that a network's port group gives", () => {
  const card = (source: string, inside: string) =>
    domain(
      "",
      "",
      `<interface type='network'><mac address='52:54:00:00:00:01'/><source network='n'${source}/>${inside}</interface>`,
    );
  const limit = (average: number) => `<bandwidth><inbound average='${average}'/></bandwidth>`;
  assert.deepEqual(
    pendingChanges(card("", limit(5)), card("", limit(6))).map(({ live, next }) => [live, next]),
    [["bandwidth inbound average 5", "bandwidth inbound average 6"]],
  );
  assert.equal(pendingChanges(card("", limit(5)), card("", "")).length, 1);
  assert.deepEqual(pendingChanges(card(" portgroup='g'", limit(5)), card(" portgroup='g'", "")), []);
});

Deno.test("givesOfHost() tells host devices and shared folders that the next start would not have", () => {
  const hostdev = (product: number) =>
    `<hostdev mode='subsystem' type='usb'><source><vendor id='1'/><product id='${product}'/></source></hostdev>`;
  const share = "<filesystem type='mount'><source dir='/srv'/><target dir='data'/></filesystem>";
  const gives = (live: string, next: string, areas: readonly Area[] = AREAS) =>
    givesOfHost(pendingChanges(domain("", "", live), domain("", "", next)), areas);
  assert.equal(gives(hostdev(1), ""), true, "one that was taken away");
  assert.equal(gives(hostdev(1) + hostdev(2), hostdev(2)), true, "the first of two");
  assert.equal(gives(hostdev(1), hostdev(2)), true, "one that another takes the place of");
  assert.equal(gives(share, ""), true);
  assert.equal(gives("", hostdev(1)), false, "one that waits for the next start is taken away");
  assert.equal(gives(hostdev(1), hostdev(1)), false);
  assert.equal(gives("<sound model='ich6'/>", ""), false);
  assert.equal(gives(hostdev(1), "", ["cpu", "disks"]), false, "other areas");
  assert.equal(gives(hostdev(1), "", ["devices"]), true);
});
