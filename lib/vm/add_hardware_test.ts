import assert from "node:assert/strict";
import type { HardwareOptions } from "../contract/mod.ts";
import { DOMAIN } from "../formats/xml/hardware_fixture_test.ts";
import { readHardware } from "../formats/xml/hardware.ts";
import { addableTo } from "./add_hardware.ts";
import { BOUNDS } from "./hardware_bounds.ts";

const NEXT = { ...readHardware(DOMAIN), video: null, tpm: null, sound: null, watchdog: null, rng: false };
const OPTIONS: HardwareOptions = {
  cpuModes: [],
  cpuModels: [],
  maxCpus: null,
  uefi: true,
  secureBoot: true,
  tpm: true,
  tpmModels: ["tpm-tis"],
  videoModels: ["vga"],
  shareDrivers: ["virtiofs", "9p"],
  hostCpus: 2,
  hostMemoryMb: 4096,
};
type Asked = readonly [Parameters<typeof addableTo>[0], HardwareOptions | null, typeof BOUNDS];
const find = (kind: string, ...args: Asked) =>
  addableTo(...args, { mayShare: true }).find((each) => each.kind === kind)!;

Deno.test("addableTo() sets a field to the first that the host has", () => {
  assert.deepEqual(find("tpm", NEXT, OPTIONS, BOUNDS).field, {
    section: "firmware",
    name: "tpm",
    value: "tpm-tis 2.0",
  });
  assert.equal(find("video", NEXT, OPTIONS, BOUNDS).field?.value, "vga");
  assert.equal(find("tpm", NEXT, null, BOUNDS).field?.value, "tpm-crb 2.0", "a host that does not tell");
  assert.equal(find("rng", NEXT, OPTIONS, BOUNDS).field?.value, "yes");
});

Deno.test("addableTo() says why something cannot be added", () => {
  assert.deepEqual(find("rng", { ...NEXT, rng: true }, OPTIONS, BOUNDS), {
    kind: "rng",
    needsRestart: true,
    refused: "present",
  });
  assert.equal(find("tpm", NEXT, { ...OPTIONS, tpm: false }, BOUNDS).refused, "swtpm");
  assert.equal(find("video", NEXT, { ...OPTIONS, videoModels: [] }, BOUNDS).refused, "not_here");
  assert.equal(find("video", { ...NEXT, video: "none" }, OPTIONS, BOUNDS).refused, undefined);
});

Deno.test("addableTo() tells what a running VM takes at once", () => {
  const atOnce = addableTo(NEXT, OPTIONS, BOUNDS, { mayShare: true }).filter(({ needsRestart }) =>
    !needsRestart
  );
  assert.deepEqual(atOnce.map(({ kind }) => kind), ["disk", "nic"]);
});

Deno.test("addableTo() offers shared folders to who may share, where virtiofsd is", () => {
  assert.equal(find("share", NEXT, OPTIONS, BOUNDS).refused, undefined);
  assert.equal(find("share", NEXT, { ...OPTIONS, shareDrivers: ["9p"] }, BOUNDS).refused, "virtiofsd");
  const others = addableTo(NEXT, OPTIONS, BOUNDS, { mayShare: false });
  assert.equal(others.find(({ kind }) => kind === "share")?.refused, "administrators");
});
