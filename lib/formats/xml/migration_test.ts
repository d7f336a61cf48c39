import assert from "node:assert/strict";
import { cardPlaces, hindrancesOf, placedDefinition } from "./migration.ts";

const domain = (devices: string) =>
  `<domain type='kvm'><name>web</name><devices>${devices}</devices></domain>`;

Deno.test("hindrancesOf() finds what cannot leave its host, each by what says so", () => {
  const none = {
    devices: 0,
    sharedFolders: false,
    sharedMemory: false,
    vdpa: false,
    acceleration: false,
    transient: [],
    encrypted: [],
  };
  const cases: readonly (readonly [string, object])[] = [
    ["", {}],
    ["<hostdev mode='subsystem' type='pci'><source/></hostdev>", { devices: 1 }],
    ["<filesystem type='mount'/>", { sharedFolders: true }],
    ["<shmem name='s'/>", { sharedMemory: true }],
    ["<interface type='vdpa'/>", { vdpa: true }],
    ["<graphics type='spice'><gl enable='yes'/></graphics>", { acceleration: true }],
    ["<graphics type='spice'><gl enable='no'/></graphics>", {}],
    [
      "<video><model type='virtio'><acceleration accel3d='yes'/></model></video>",
      { acceleration: true },
    ],
    ["<disk><target dev='vda'/><transient/></disk>", { transient: ["vda"] }],
    ["<disk><source file='/d'><encryption format='luks'/></source><target dev='vdb'/></disk>", {
      encrypted: ["vdb"],
    }],
  ];
  for (const [devices, found] of cases) {
    assert.deepEqual(hindrancesOf(domain(devices)), { ...none, ...found });
  }
});

Deno.test("cardPlaces() tells what cards are plugged into, each once", () => {
  const cards = [
    "<interface type='network'><source network='lan'/></interface>",
    "<interface type='network'><source network='lan'/></interface>",
    "<interface type='bridge'><source bridge='br0'/></interface>",
    "<interface type='direct'><source dev='eth0'/></interface>",
    "<interface type='user'/>",
  ];
  assert.deepEqual(cardPlaces(domain(cards.join(""))), [
    { kind: "network", name: "lan" },
    { kind: "bridge", name: "br0" },
    { kind: "device", name: "eth0" },
    { kind: "own", name: "user" },
  ]);
});

Deno.test("placedDefinition() puts copies into disks, and cards into networks; the rest stays as it is", () => {
  const source = domain(
    "<disk type='file'><driver name='qemu' type='qcow2'/><source file='/a/web.qcow2' index='1'/>" +
      "<backingStore type='file'><format type='raw'/><source file='/base'/></backingStore><target dev='vda'/></disk>" +
      "<disk type='network'><source protocol='rbd' name='p/i'/><target dev='vdb'/></disk>" +
      "<interface type='network'><source network='lan' portid='1' bridge='virbr1'/></interface>" +
      "<interface type='network'><source network='dmz'/></interface>",
  );
  const placed = placedDefinition(
    source,
    [{ target: "vda", path: "/b/web-2.qcow2", format: "qcow2", type: "file" }],
    { lan: "office", nothing: "x" },
  );
  assert.match(placed, /<source index='1' file='\/b\/web-2.qcow2'\/>/);
  assert.doesNotMatch(placed, /\/base|virbr1|portid/);
  assert.match(placed, /<source network='office'\/>.*<source network='dmz'\/>/);
  assert.match(placed, /protocol='rbd' name='p\/i'/);
});

Deno.test("placedDefinition() exchanges two networks, each card once", () => {
  const card = (network: string) => `<interface type='network'><source network='${network}'/></interface>`;
  const placed = placedDefinition(domain(card("lan") + card("wan") + card("dmz")), [], {
    lan: "wan",
    wan: "lan",
  });
  assert.deepEqual(cardPlaces(placed).map(({ name }) => name), ["wan", "lan", "dmz"]);
});
