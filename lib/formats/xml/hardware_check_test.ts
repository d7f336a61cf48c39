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

Deno.test("checkHardware() names the field of what does not fit together", () => {
  const next = { cpu: { count: 1, max: 1, mode: "host-model", model: null } } as Hardware;
  const field = (change: Parameters<typeof checkHardware>[0], options: Partial<HardwareOptions>) => {
    try {
      checkHardware(change, { next, options: options as HardwareOptions, allowOvercommit: false });
    } catch (error) {
      return (error as { details?: { field?: string } }).details?.field;
    }
    return "it fits";
  };
  assert.equal(field({ cpu: { mode: "custom" } }, {}), "cpu.model");
  assert.equal(field({ cpu: { mode: "maximum" } }, { cpuModes: ["host-model"] }), "cpu.mode");
  assert.equal(field({ cpu: { max: 9 } }, { maxCpus: 8 }), "cpu.max");
  assert.equal(field({ firmware: "uefi" }, { uefi: false }), "firmware");
  assert.equal(field({ tpm: { model: "tpm-crb", version: "2.0" } }, { tpm: false }), "tpm");
  assert.equal(field({ video: "qxl" }, { videoModels: ["vga"] }), "video");
});
