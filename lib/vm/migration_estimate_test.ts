import assert from "node:assert/strict";
import { estimateOf } from "./migration_estimate.ts";

const MIB = 1024 ** 2, IDLE = { memory: 1000 * MIB, disks: 0, line: 100 * MIB, limit: undefined, dirty: 0 };

Deno.test("estimateOf(): disks, then memory, with what changes meanwhile", () => {
  assert.equal(estimateOf(IDLE).seconds, 10);
  assert.equal(estimateOf({ ...IDLE, disks: 500 * MIB }).seconds, 15);
  assert.equal(estimateOf({ ...IDLE, dirty: 50 * MIB }).seconds, 20);
  assert.deepEqual(estimateOf({ ...IDLE, dirty: undefined }), {
    lineBytesPerSecond: 100 * MIB,
    converges: true,
    seconds: 10,
  });
});

Deno.test("estimateOf(): a guest that changes memory as fast as it is sent does not converge", () => {
  const { converges, seconds } = estimateOf({ ...IDLE, dirty: 90 * MIB });
  assert.deepEqual([converges, seconds], [false, undefined]);
  // By a limit, the same guest does not either
  assert.equal(estimateOf({ ...IDLE, dirty: 50 * MIB }).converges, true);
  assert.equal(estimateOf({ ...IDLE, dirty: 50 * MIB, limit: 40 * MIB }).converges, false);
  assert.equal(estimateOf({ ...IDLE, line: 0 }).lineBytesPerSecond, 1);
});
