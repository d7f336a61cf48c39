import assert from "node:assert/strict";
import type { VmStats } from "../contract/mod.ts";
import { ratesBetween } from "./rates.ts";

const sample = (timestamp: number, bytes: number): VmStats => ({
  vmId: "a",
  cpuUsagePercent: 0,
  memoryUsedMb: 0,
  memoryAvailableMb: 0,
  diskReadBytes: bytes,
  diskWriteBytes: bytes,
  networkRxBytes: bytes,
  networkTxBytes: bytes,
  timestamp,
});

Deno.test("ratesBetween() divides by the time between the samples", () => {
  assert.equal(ratesBetween(sample(0, 100), sample(2_000, 300))?.diskRead, 100);
});

Deno.test("ratesBetween() is unknown without a sample before, after a restart, or without time between", () => {
  assert.equal(ratesBetween(undefined, sample(0, 1)), null);
  assert.equal(ratesBetween(sample(0, 100), sample(1_000, 5)), null);
  assert.equal(ratesBetween(sample(5, 1), sample(5, 2)), null);
});
