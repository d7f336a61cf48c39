/** Tests the conversion of guests' reports to figures. */
import assert from "node:assert/strict";
import type { GuestFilesystem } from "../contract/guest.ts";
import { AdmittedLabels, filesystemReading, memoryReading, MOST_FILESYSTEMS } from "./figures.ts";

const fs = (change: Partial<GuestFilesystem>): GuestFilesystem => ({
  name: "/dev/vda1",
  mountpoint: "/",
  type: "ext4",
  totalBytes: 100,
  usedBytes: 40,
  disks: [],
  ...change,
});
const all = () => true;

Deno.test("file systems are figures: each device once, and none that is full by nature", () => {
  const reading = filesystemReading([
    fs({ mountpoint: "/var/lib/docker/overlay" }),
    fs({}),
    fs({ name: "/dev/sr0", mountpoint: "/media/cd", type: "iso9660", usedBytes: 100 }),
    fs({ name: "/dev/vdb", mountpoint: "/srv", usedBytes: 99 }),
    { name: "proc", mountpoint: "/proc", type: "proc", disks: [] },
  ], all);
  assert.deepEqual(reading, {
    "fs.0.name": "/",
    "fs.0.total": 100,
    "fs.0.used": 40,
    "fs.1.name": "/srv",
    "fs.1.total": 100,
    "fs.1.used": 99,
    "fs.count": 2,
  });
});

Deno.test("a guest that lies gets no more labels, no share above the whole, and no endless figure", () => {
  const labels = new AdmittedLabels();
  const lie = (round: number) =>
    filesystemReading(
      Array.from({ length: 500 }, (_, n) =>
        fs({
          name: `d${n}`,
          mountpoint: `/${round}/${n}\u001b[31m\n`,
          totalBytes: Number.MAX_SAFE_INTEGER * 4096,
          usedBytes: Number.MAX_VALUE,
        })),
      (label) => labels.admits("vm", label),
    );
  const first = lie(1);
  assert.equal(first["fs.count"], MOST_FILESYSTEMS);
  assert.equal(first["fs.0.used"], first["fs.0.total"]);
  assert.ok(Number(first["fs.0.total"]) <= 2 ** 60);
  // deno-lint-ignore no-control-regex
  assert.doesNotMatch(String(first["fs.0.name"]), /[\u0000-\u001f]/);
  assert.equal(lie(2)["fs.count"], 0);
  assert.equal(
    filesystemReading([fs({ mountpoint: "/other" })], (label) => labels.admits("b", label))["fs.count"],
    1,
  );
  const memory = memoryReading({
    cpuUsagePercent: 0,
    cores: [],
    memoryAvailableMb: 0,
    swapTotalMb: 0,
    diskIo: [],
    networkIo: [],
    memoryUsedMb: 900,
    memoryTotalMb: 512,
    swapUsedMb: -7,
  });
  assert.deepEqual(memory, { "guest.memory.used": 512 * 1024 ** 2, "guest.swap.used": 0 });
});
