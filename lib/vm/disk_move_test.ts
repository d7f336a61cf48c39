import assert from "node:assert/strict";
import type { VmDisk } from "../contract/mod.ts";
import { moveHindrance } from "./disk_move.ts";

const DISK: VmDisk = {
  target: "vda",
  device: "disk",
  bus: "virtio",
  type: "file",
  source: "/p/a.qcow2",
  format: "qcow2",
  readOnly: false,
  shareable: false,
  place: "both",
  pending: [],
  trayOpen: false,
  pool: "p",
  volume: "a.qcow2",
};

Deno.test("moveHindrance() tells what no server would move, and leaves the rest to it", () => {
  const { pool: _pool, ...without } = DISK;
  const cases: readonly [VmDisk, ReturnType<typeof moveHindrance>][] = [
    [DISK, undefined],
    [{ ...DISK, device: "cdrom" }, "devices.move_not_drive"],
    [{ ...DISK, device: "floppy" }, "devices.move_not_drive"],
    [{ ...DISK, device: "lun" }, "devices.move_not_lun"],
    [{ ...DISK, shareable: true }, "devices.move_not_shareable"],
    [{ ...DISK, readOnly: true }, "devices.move_not_read_only"],
    [{ ...DISK, place: "live" }, "devices.move_not_pending"],
    [{ ...DISK, place: "next" }, "devices.move_not_pending"],
    [{ ...DISK, pending: [{ field: "source", now: "/a", next: "/b" }] }, "devices.move_not_pending"],
    [{ ...DISK, pending: [{ field: "cache", now: null, next: "none" }] }, undefined],
    [without, "devices.move_not_pool"],
  ];
  for (const [disk, key] of cases) assert.equal(moveHindrance(disk), key, JSON.stringify(disk));
});
