import assert from "node:assert/strict";
import type { Hardware, HardwareOptions } from "../../contract/hardware.ts";
import { checkHardware } from "./hardware_check.ts";

const fit = (allowOvercommit = false) => ({
  next: { memory: { currentMb: 256, maxMb: 256 } } as Hardware,
  options: { hostMemoryMb: 10_000 } as HardwareOptions,
  allowOvercommit,
});
const change = (maxMb: number) => ({ memory: { maxMb } });

Deno.test("checkHardware() refuses more than 90 % of the host's memory, and says how much that is", () => {
  checkHardware(change(9000), fit());
  checkHardware(change(9500), fit(true));
  // Less than the host has in all, so that alone would not tell why it is refused.
  assert.throws(() => checkHardware(change(9500), fit()), {
    code: "MemoryExceedsHost",
    message: "Memory exceeds available host memory (requested: 9.27GB, available: 8.78GB)",
  });
});
