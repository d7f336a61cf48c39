import assert from "node:assert/strict";
import { GIB } from "../../text/byte_units.ts";
import { offeredDiskGb, type RoomOptions } from "./offered_disk.ts";

const withFree = (availableBytes: number | null): RoomOptions => ({
  pool: "images",
  pools: [
    { name: "other", active: true, formats: ["qcow2"], capacityBytes: null, availableBytes: 500 * GIB },
    { name: "images", active: true, formats: ["qcow2"], capacityBytes: null, availableBytes },
  ],
});

Deno.test("offeredDiskGb() offers what fits into the pool, and at least one GiB", () => {
  assert.equal(offeredDiskGb(20, withFree(100 * GIB)), 20);
  assert.equal(offeredDiskGb(20, withFree(7.9 * GIB)), 7);
  assert.equal(offeredDiskGb(20, withFree(100)), 1);
});

Deno.test("offeredDiskGb() offers what is usual where the room is not known, or there is no pool", () => {
  assert.equal(offeredDiskGb(20, withFree(null)), 20);
  assert.equal(offeredDiskGb(20, { pool: null, pools: [] }), 20);
});
