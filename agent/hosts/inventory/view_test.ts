import assert from "node:assert/strict";
import { Compile } from "typebox/compile";
import type { DomainRecord, GuestAddress } from "../../../ffi/calls/mod.ts";
import { VM } from "../../../lib/contract/vm.ts";
import { summarizeDomain } from "../../../lib/formats/xml/domain.ts";
import { newVmEntry } from "./entry.ts";
import { type Extras, vmView } from "./view.ts";

const MAC = "52:54:00:00:00:01";
const record = (devices = "", more: Partial<DomainRecord> = {}): DomainRecord => ({
  uuid: "u-1",
  name: "web",
  state: 1,
  reason: 1,
  persistent: true,
  autostart: false,
  managedSave: false,
  readAt: 0,
  summary: summarizeDomain(
    `<domain type='kvm'><memory unit='MiB'>512</memory><devices>${devices}</devices></domain>`,
  ),
  ...more,
});
const EXTRAS: Extras = { ...newVmEntry(record(), undefined), host: "h" };
const NIC = `<interface type='network'><mac address='${MAC}'/><source network='default'/></interface>`;
const at = (address: string, prefix = 24, mac = MAC): GuestAddress => ({ mac, address, prefix });
const nic = (...addresses: GuestAddress[]) =>
  vmView(record(NIC), { ...EXTRAS, addresses }).networkInterfaces[0]!;

Deno.test("vmView() leaves out what is unknown, and always fits the contract", () => {
  const bare = vmView(record(), EXTRAS);
  for (
    const name of [
      "title",
      "stateSince",
      "operation",
      "powerRequest",
      "vncPort",
      "startedAt",
      "stats",
      "group",
      "description",
      "osType",
    ]
  ) {
    assert.ok(!(name in bare), name);
  }
  assert.equal(bare.diskSizeGb, 0);
  const full = vmView(record(NIC + "<graphics type='vnc' port='5901'/><disk><target dev='vda'/></disk>"), {
    ...EXTRAS,
    addresses: [at("10.0.0.1")],
    stateSince: 1,
    startedAt: 2,
    operation: "starting",
    powerRequest: { action: "stop", requestedAt: 3 },
    trouble: "Disk error.",
  });
  for (const vm of [bare, full]) assert.deepEqual(Compile(VM).Errors(vm), []);
  assert.deepEqual([full.vncPort, full.stateSince, full.startedAt, full.operation, full.host], [
    5901,
    1,
    2,
    "starting",
    "h",
  ]);
});

Deno.test("vmView() shows a global IPv4 address first, then IPv6, then link-local, and never loopback", () => {
  assert.equal(
    nic(at("fe80::1", 64), at("2001:db8::1", 64), at("10.0.0.2"), at("169.254.0.1")).ipAddress,
    "10.0.0.2",
  );
  assert.equal(nic(at("fe80::1", 64), at("2001:db8::1", 64)).ipAddress, "2001:db8::1");
  assert.equal(nic(at("FE80::1", 64)).ipAddress, "FE80::1");
  assert.deepEqual(nic(at("127.0.0.1", 8), at("::1", 128)).ipAddresses, []);
  assert.ok(!("ipAddress" in nic()));
});

Deno.test("vmView() gives an address to the card it belongs to, once", () => {
  const { ipAddresses } = nic(
    at("10.0.0.1"),
    at("10.0.0.1"),
    at("10.0.0.1", 16),
    at("10.0.0.9", 24, "52:54:00:00:00:02"),
  );
  assert.deepEqual(ipAddresses, ["10.0.0.1/24", "10.0.0.1/16"]);
  assert.equal(nic(at("10.0.0.1", 24, MAC.toUpperCase())).ipAddress, "10.0.0.1");
});

Deno.test("vmView() adds its disks up, and says null while one of them is unknown", () => {
  const disk = (target: string, device = "disk") =>
    `<disk type='file' device='${device}'><source file='/x'/><target dev='${target}'/></disk>`;
  const sizes = (...entries: [string, number][]) =>
    new Map(entries.map(([target, gib]) => [target, { capacity: gib * 1024 ** 3, allocation: 5 }]));
  const view = (xml: string, known: Extras["sizes"]) => vmView(record(xml), { ...EXTRAS, sizes: known });
  assert.equal(view(disk("vda") + disk("vdb"), sizes(["vda", 10], ["vdb", 2.25])).diskSizeGb, 12.3);
  assert.equal(view(disk("vda"), sizes(["vda", 0.0625])).diskSizeGb, 0.0625);
  assert.equal(view(disk("vda") + disk("vdb"), sizes(["vda", 10])).diskSizeGb, null);
  assert.equal(view(disk("vda") + disk("sda", "cdrom"), sizes(["vda", 10])).diskSizeGb, 10);
  const [first] = view(disk("vda"), sizes(["vda", 1])).disks;
  assert.deepEqual([first!.capacityBytes, first!.allocationBytes], [1024 ** 3, 5]);
});

Deno.test("vmView() asks for attention where an image or a medium is missing", () => {
  const disk = (target: string, device: string, file: string) =>
    `<disk type='file' device='${device}'><source file='${file}'/><target dev='${target}'/></disk>`;
  const xml = disk("vda", "disk", "/a.img") + disk("sda", "cdrom", "/b.iso") + disk("vdb", "disk", "/c.img");
  const missing = new Set(["/a.img", "/b.iso", "/was-detached.img"]);
  assert.deepEqual(vmView(record(xml, { state: 5, reason: 1 }), { ...EXTRAS, missing }).attention, [
    "The image of its disk vda is missing: /a.img. Put it back, or detach the disk.",
    "The medium of its drive sda is missing: /b.iso. Put it back, or eject it.",
  ]);
});

Deno.test("vmView() asks for attention where a person is needed, and only there", () => {
  const attention = (state: number, reason: number, more: Partial<Extras> = {}) =>
    vmView(record("", { state, reason }), { ...EXTRAS, ...more }).attention;
  assert.deepEqual(attention(1, 1), []);
  assert.deepEqual(attention(5, 1), []);
  assert.deepEqual(attention(3, 1), []);
  assert.match(attention(3, 5).join(), /^It was paused by an I\/O error/);
  const startRisk = "other images are built on its disk vda";
  assert.deepEqual(attention(5, 1, { startRisk }), [], "nothing starts it");
  assert.deepEqual(attention(1, 1, { startRisk }), [`It runs, although ${startRisk}.`]);
  assert.deepEqual(
    vmView(record("", { state: 5, reason: 1, autostart: true }), { ...EXTRAS, startRisk }).attention,
    [`libvirt starts it with the host (autostart), although ${startRisk}.`],
  );
  assert.match(attention(3, 6).join(), /^Its watchdog paused it/);
  for (const reason of [3, 4, 9]) {
    assert.match(
      attention(3, reason).join(),
      /^libvirt paused it while it wrote its memory.+resume the VM\.$/,
    );
    assert.deepEqual(attention(3, reason, { operation: "taking a snapshot" }), []);
  }
  assert.match(attention(5, 8).join(), /^libvirt was restarted.+ended it\. Start it again\.$/);
  assert.match(attention(5, 3).join(), /^It crashed/);
  assert.match(attention(6, 1).join(), /^It crashed/);
  const notResponding = { since: 0, call: "virDomainSuspend" };
  assert.match(
    attention(1, 1, { notResponding }).join(),
    /^It has not responded since 1970-.*virDomainSuspend/,
  );
  assert.equal(attention(3, 5, { notResponding, trouble: "Disk error on /a." }).length, 3);
  assert.match(
    attention(3, 11, { notResponding }).join(),
    /^libvirt is starting it, and does not answer for it/,
  );
  assert.match(attention(5, 1, { lostPid: 4711 }).join(), /^It still runs as process 4711 of the host, but/);
});
