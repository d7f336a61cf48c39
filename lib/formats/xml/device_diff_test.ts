import assert from "node:assert/strict";
import { compareDisks, compareNics, disksOf, nicDevicesOf } from "./device_diff.ts";

const domain = (...devices: string[]) => `<domain><devices>${devices.join("")}</devices></domain>`;
const disk = (target: string, driver = "", inside = "") =>
  `<disk type='file' device='disk'><driver name='qemu' type='qcow2'${driver}/><source file='/d/${target}'/>` +
  `<target dev='${target}' bus='virtio'/>${inside}</disk>`;
const nic = (mac: string, slot: string, inside = "") =>
  `<interface type='network'><mac address='${mac}'/><source network='default' portid='1' bridge='virbr0'/>` +
  `<model type='virtio'/>${inside}<address type='pci' domain='0x0000' bus='0x01' slot='${slot}' function='0x0'/></interface>`;

Deno.test("disksOf() reads what a disk is and how it is run", () => {
  const [found] = disksOf(domain(disk(
    "vdb",
    " cache='none' io='native' discard='unmap' detect_zeroes='unmap'",
    "<readonly/><shareable/><serial>S1</serial><boot order='3'/>",
  )));
  assert.deepEqual(found, {
    target: "vdb",
    bus: "virtio",
    device: "disk",
    type: "file",
    source: "/d/vdb",
    volume: undefined,
    format: "qcow2",
    cache: "none",
    io: "native",
    discard: "unmap",
    detectZeroes: "unmap",
    readOnly: true,
    shareable: true,
    serial: "S1",
    bootOrder: 3,
    trayOpen: false,
    isChainComplete: false,
  });
});

Deno.test("disksOf() tells whether a disk's chain is said to its end", () => {
  const below = (inside: string) =>
    `<backingStore type='file'><format type='raw'/><source file='/b'/>${inside}</backingStore>`;
  const complete = (inside: string) => disksOf(domain(disk("vda", "", inside)))[0]?.isChainComplete;
  assert.deepEqual(
    ["", "<backingStore/>", below(""), below("<backingStore/>"), below(below("<backingStore/>"))].map(
      complete,
    ),
    [false, true, false, true, true],
  );
});

Deno.test("disksOf() reads a volume's pool and an open tray", () => {
  const [volume, drive] = disksOf(domain(
    "<disk type='volume' device='disk'><source pool='p' volume='v'/><target dev='vda' bus='virtio'/></disk>",
    "<disk type='file' device='cdrom'><target dev='sda' bus='sata' tray='open'/><readonly/></disk>",
  ));
  assert.deepEqual([volume?.source, volume?.volume], ["p/v", { pool: "p", name: "v" }]);
  assert.deepEqual([drive?.source, drive?.trayOpen, drive?.device], [undefined, true, "cdrom"]);
});

Deno.test("compareDisks() tells what is only live, only next, and what differs", () => {
  const live = domain(disk("vda"), disk("vdb", " cache='none'"));
  const next = domain(disk("vdb", " cache='writeback'", "<serial>S</serial>"), disk("vdc"));
  const found = compareDisks(live, next).map(({ device, place, pending }) => [device.target, place, pending]);
  assert.deepEqual(found, [
    ["vda", "live", []],
    ["vdb", "both", [
      { field: "cache", now: "none", next: "writeback" },
      { field: "serial", now: null, next: "S" },
    ]],
    ["vdc", "next", []],
  ]);
});

Deno.test("compareDisks() marks nothing of a machine that has one configuration", () => {
  for (const [live, next] of [[domain(disk("vda")), undefined], [undefined, domain(disk("vda"))]]) {
    assert.deepEqual(compareDisks(live, next).map(({ place, pending }) => [place, pending]), [["both", []]]);
  }
});

Deno.test("compareNics() knows a card again whose address changes", () => {
  const live = domain(nic("52:54:00:00:00:01", "0x00"), nic("52:54:00:00:00:02", "0x01"));
  const next = domain(
    nic("52:54:00:00:00:09", "0x00"),
    nic("52:54:00:00:00:02", "0x01", "<link state='down'/>"),
  );
  assert.deepEqual(
    compareNics(live, next).map(({ device, place, pending }) => [device.mac, place, pending]),
    [
      ["52:54:00:00:00:01", "both", [
        { field: "mac", now: "52:54:00:00:00:01", next: "52:54:00:00:00:09" },
      ]],
      ["52:54:00:00:00:02", "both", [{ field: "linkUp", now: "true", next: "false" }]],
    ],
  );
});

Deno.test("nicDevicesOf() takes a network over a host's bridge for that network", () => {
  const [found] = nicDevicesOf(domain(
    "<interface type='bridge'><mac address='52:54:00:AA:00:01'/><source network='lan' bridge='br0'/></interface>",
  ));
  assert.deepEqual([found?.type, found?.network, found?.mac], ["network", "lan", "52:54:00:aa:00:01"]);
});

Deno.test("limits that differ are told; those that a network's port group gives are no difference", () => {
  const card = (source: string, limits: string) =>
    `<interface type='network'><mac address='52:54:00:00:00:01'/><source network='n'${source}/>${limits}</interface>`;
  const limit = (average: number) => `<bandwidth><inbound average='${average}'/></bandwidth>`;
  const pending = (source: string, now: string, next: string) =>
    compareNics(domain(card(source, now)), domain(card(source, next)))[0]!.pending;
  assert.deepEqual(pending("", limit(5), ""), [{ field: "inboundAverage", now: "5", next: null }]);
  assert.deepEqual(pending(" portgroup='g'", limit(5), ""), []);
  assert.deepEqual(pending(" portgroup='g'", limit(5), limit(6)), [
    { field: "inboundAverage", now: "5", next: "6" },
  ]);
  const limited = (limit: string) =>
    domain(
      `<disk><target dev='vda' bus='virtio'/><iotune><total_iops_sec>${limit}</total_iops_sec></iotune></disk>`,
    );
  assert.deepEqual(compareDisks(limited("5"), limited("6"))[0]!.pending, [
    { field: "totalIopsSec", now: "5", next: "6" },
  ]);
});
