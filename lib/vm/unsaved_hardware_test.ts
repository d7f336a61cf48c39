import assert from "node:assert/strict";
import type { HardwareChange } from "../contract/mod.ts";
import { DOMAIN } from "../formats/xml/hardware_fixture_test.ts";
import { readHardware } from "../formats/xml/hardware.ts";
import { appliesAtOnce, unsavedIn } from "./unsaved_hardware.ts";

/** 2 of 4 vCPUs, 512 of 1024 MiB. */
const NEXT = readHardware(DOMAIN);
const LIVE = { ...NEXT, cpu: { ...NEXT.cpu, max: 3 } };

/** `field` or, where it needs a restart, `field!`. */
function told(change: HardwareChange, live: typeof NEXT | null = LIVE, nextBootOnly = false): string[] {
  return unsavedIn(change, { next: NEXT, live }, nextBootOnly)
    .map(({ field, needsRestart }) => needsRestart ? `${field}!` : field);
}

Deno.test("unsavedIn() tells what a running VM takes at once from what needs a restart", () => {
  assert.deepEqual(
    told({ cpu: { count: 3, pinning: [{ vcpu: 0, cpus: "0" }] }, memory: { currentMb: 600, maxMb: 2048 } }),
    ["cpu.count", "cpu.pinning", "memory.currentMb", "memory.maxMb!"],
  );
  assert.deepEqual(told({ title: "a", tags: ["b"], autostart: true, rng: true }), [
    "title",
    "tags",
    "autostart",
    "rng!",
  ]);
  assert.deepEqual(told({ tpm: { model: "tpm-crb", version: "2.0" }, firmware: "uefi" }), [
    "tpm!",
    "firmware!",
  ]);
});

Deno.test("unsavedIn() goes by what the VM runs with, not by what is stored", () => {
  assert.deepEqual(told({ cpu: { count: 4 } }), ["cpu.count!"], "above what it was started with");
  assert.deepEqual(told({ memory: { currentMb: 1025 } }), ["memory.currentMb!"]);
  assert.deepEqual(told({ cpu: { max: 3 } }), ["cpu.max"], "back to what it runs with");
});

Deno.test("unsavedIn() of a VM that is off needs no restart; of the next boot alone everything that can wait", () => {
  assert.deepEqual(told({ cpu: { max: 8 }, rng: true }, null), ["cpu.max", "rng"]);
  assert.deepEqual(told({ cpu: { count: 3 }, title: "a", tags: [] }, LIVE, true), [
    "cpu.count!",
    "title!",
    "tags",
  ]);
});

Deno.test("unsavedIn() leaves out what a form sends along although it stays", () => {
  const { mode, model } = NEXT.cpu;
  assert.deepEqual(told({ cpu: { mode, model: "EPYC" } }), ["cpu.model!"]);
  assert.deepEqual(told({ cpu: { mode, model: model! } }), []);
  const tpm = { model: "tpm-crb", version: "2.0", backend: "emulator" };
  assert.deepEqual(
    unsavedIn({ tpm: { model: "tpm-crb", version: "2.0" } }, { next: { ...NEXT, tpm }, live: null }),
    [],
  );
});

Deno.test("appliesAtOnce() knows the fields that a running VM can take", () => {
  assert.deepEqual(["cpu.count", "tags", "cpu.max", "toString"].map(appliesAtOnce), [
    true,
    true,
    false,
    false,
  ]);
});
