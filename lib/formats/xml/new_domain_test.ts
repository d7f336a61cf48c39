import assert from "node:assert/strict";
import { FULL, resolved } from "../../vm/create/testing.ts";
import type { BackingImage } from "./new_vm.ts";
import { summarizeDomain } from "./domain.ts";
import { newDomainXml } from "./new_domain.ts";

const file = (path: string) => ({ path, type: "file" as const });
type Wish = Parameters<typeof resolved>;
/** The XML of a wish, its new images made. */
function xmlOf(wish: Wish[0], capabilities: Wish[1] = FULL, facts: Wish[2] = {}): string {
  const { vm, errors } = resolved(wish, capabilities, facts);
  assert.deepEqual(errors, []);
  return newDomainXml({
    ...vm,
    disks: vm.disks.map((disk) => ({ ...disk, source: disk.source ?? file("/new") })),
  });
}

Deno.test("newDomainXml() keeps every text as it is, and lets none become XML", () => {
  const evil = `</name><devices/>&"'<!--`;
  const wish = { title: evil, description: evil, tags: ["<b>&'\""], group: evil };
  const { title, description, tags, group, createdAt } = summarizeDomain(xmlOf(wish));
  assert.deepEqual([title, description, tags, group, createdAt], [
    evil,
    evil,
    ["<b>&'\""],
    evil,
    1_700_000_000_000,
  ]);
  const facts = { files: new Set([evil]), iso: file(evil) };
  const xml = xmlOf({ kernel: { path: evil, args: evil }, isoPath: evil, disks: [] }, FULL, facts);
  assert.equal(summarizeDomain(xml).disks[0]!.source, evil);
});

Deno.test("newDomainXml() is read back as what was wished for", () => {
  const table: [Wish[0], Partial<ReturnType<typeof summarizeDomain>>][] = [
    [{ osVariant: "debian12" }, {
      osType: "linux",
      osVariant: "debian12",
      firmware: "bios",
      virtType: "kvm",
    }],
    [{ osVariant: "win11" }, { osType: "windows", osVariant: "win11", firmware: "uefi-secure", cpuCount: 2 }],
    [{ osType: "windows" }, { osType: "windows", osVariant: undefined }],
    [{ osType: "other" }, { osType: "other", osVariant: undefined }],
    [{ osType: "linux" }, { osType: "linux", osVariant: undefined }],
    [{}, { osType: undefined, osVariant: undefined }],
    [{ firmware: "uefi" }, { firmware: "uefi" }],
    [{ cpuCount: 4, memoryMb: 1000 }, { cpuCount: 4, maxCpuCount: 4, memoryMb: 1000, maxMemoryMb: 1000 }],
    [{ guestAgent: false }, { guestAgent: "not configured" }],
    [{ guestAgent: true }, { guestAgent: "disconnected" }],
    [{ graphics: "none" }, { graphics: [] }],
    [{ graphics: "spice" }, { graphics: [{ type: "spice", listen: "127.0.0.1" }] }],
    [{}, { graphics: [{ type: "vnc", listen: "127.0.0.1" }] }],
  ];
  for (const [wish, expected] of table) {
    const found = summarizeDomain(xmlOf(wish));
    for (const [key, value] of Object.entries(expected)) {
      assert.deepEqual(found[key as keyof typeof found], value, `${JSON.stringify(wish)}: ${key}`);
    }
  }
});

Deno.test("newDomainXml() says the whole chain of a qcow2 image, so that no program follows what it names", () => {
  const image = (backing: readonly BackingImage[]) => ({
    images: new Map([["disks.0", {
      source: file("/i"),
      format: "qcow2" as const,
      backing,
      virtualBytes: null,
    }]]),
  });
  const of = (...backing: BackingImage[]) =>
    xmlOf({ disks: [{ path: "/i" }] }, FULL, image(backing)).replaceAll(/\s*\n\s*/g, "");
  assert.match(of(), /<source file='\/i'\/><backingStore\/>/);
  assert.match(
    of({ ...file("/b"), format: "qcow2" }, { path: "/dev/c", type: "block", format: "raw" }),
    new RegExp(
      "<backingStore type='file'><format type='qcow2'/><source file='/b'/><backingStore type='block'>" +
        "<format type='raw'/><source dev='/dev/c'/><backingStore/></backingStore></backingStore>",
    ),
  );
});

Deno.test("newDomainXml() gives each device its turn at the boot, in the order that was asked for", () => {
  const xml = xmlOf(
    { disks: [{ sizeGb: 1 }, { sizeGb: 1 }], isoPath: "/cd", bootOrder: ["network", "cdrom", "disk"] },
    FULL,
    { iso: file("/cd") },
  );
  const turns = [...xml.matchAll(/<(?:target dev='(\w+)'|model type='(virtio)')[^]*?<boot order='(\d)'/g)];
  assert.deepEqual(turns.map(([, disk, nic, order]) => [disk ?? nic, order]), [
    ["vda", "3"],
    ["vdb", "4"],
    ["sda", "2"],
    ["virtio", "1"],
  ]);
});

Deno.test("newDomainXml() is not written for a disk that was not made yet", () => {
  assert.throws(() => newDomainXml(resolved({}).vm), /not made yet/);
});
