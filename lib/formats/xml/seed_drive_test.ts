import assert from "node:assert/strict";
import { renderXml } from "./build.ts";
import { drivesOf, freeDrivePlace, freeDriveTarget, seedDisk } from "./seed_drive.ts";

const domain = (machine: string, devices: string) =>
  `<domain type='kvm'><os><type arch='x86_64' machine='${machine}'>hvm</type></os><devices>${devices}</devices></domain>`;
const SEED = { target: "sdb", bus: "scsi", path: "/pool/web-seed.iso" };

Deno.test("drivesOf() finds the seed by its mark, wherever it is, and no other medium in its drive", () => {
  const found = drivesOf(domain("pc-q35-7.2", renderXml(seedDisk(SEED))));
  assert.deepEqual(found.seed, { ...SEED, alias: "ua-kvmm-seed" });
  const empty = drivesOf(domain("pc-q35-7.2", renderXml(seedDisk({ ...SEED, path: undefined }))));
  assert.equal(empty.seed?.path, undefined);
  assert.equal(empty.seed?.target, "sdb");
  const foreign = drivesOf(domain("pc-q35-7.2", renderXml(seedDisk({ ...SEED, path: "/iso/debian.iso" }))));
  assert.equal(foreign.seed, undefined);
  assert.equal(foreign.freeAlias, "ua-kvmm-seed-2");
  const unmarked = renderXml(seedDisk({ ...SEED, alias: "ua-mine" }));
  assert.equal(drivesOf(domain("pc", unmarked)).seed, undefined);
});

Deno.test("seedDisk() escapes what it is given, and lets a machine start when the seed is gone", () => {
  const text = renderXml(seedDisk({ ...SEED, path: "/a'/><b&-seed.iso" }));
  assert.equal(drivesOf(domain("pc", text)).seed?.path, "/a'/><b&-seed.iso");
  assert.match(text, /startupPolicy='optional'/);
});

Deno.test("freeDrivePlace() takes SCSI where it can be driven, the machine's own bus elsewhere, and no taken place", () => {
  const scsi = (model: string) => `<controller type='scsi' index='0' model='${model}'/>`;
  const taken = (letters: string) =>
    [...letters].map((each) => `<disk><target dev='sd${each}'/></disk>`).join("");
  const cases = [
    ["pc-q35-7.2", "", false, { bus: "scsi", target: "sda" }],
    ["pc-q35-7.2", scsi("virtio-scsi"), true, { bus: "scsi", target: "sda" }],
    ["pc-q35-7.2", "", true, { bus: "sata", target: "sda" }],
    ["pc-i440fx-7.2", "", true, { bus: "ide", target: "hda" }],
    ["pc-i440fx-7.2", scsi("lsilogic"), false, { bus: "ide", target: "hda" }],
    ["virt-7.2", "", false, { bus: "scsi", target: "sda" }],
    ["pc-q35-7.2", taken("abc"), false, { bus: "scsi", target: "sdd" }],
    ["pc-q35-7.2", taken("abcdef"), false, undefined],
  ] as const;
  for (const [machine, devices, isWindows, place] of cases) {
    assert.deepEqual(freeDrivePlace(drivesOf(domain(machine, devices)), isWindows), place, machine + devices);
  }
});

Deno.test("freeDriveTarget() counts on", () => {
  assert.equal(freeDriveTarget("ide", new Set(["hda", "hdb"])), "hdc");
  assert.equal(freeDriveTarget("ide", new Set(["hda", "hdb", "hdc", "hdd"])), undefined);
});
