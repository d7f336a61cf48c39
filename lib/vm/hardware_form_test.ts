import assert from "node:assert/strict";
import { ContractError } from "../contract/errors.ts";
import { DOMAIN } from "../formats/xml/hardware_fixture_test.ts";
import { readHardware } from "../formats/xml/hardware.ts";
import { BOUNDS } from "./hardware_bounds.ts";
import {
  changeOf,
  failedWith,
  FormError,
  type HardwareSectionName,
  isSection,
  pinLines,
} from "./hardware_form.ts";

const BEFORE = readHardware(DOMAIN);
const TEXTS = { pins: "bad pins" };

/** A form as it is first shown, with some fields filled in otherwise. */
function filled(section: HardwareSectionName, changes: Record<string, string | null> = {}): FormData {
  const shown: Record<HardwareSectionName, Record<string, string>> = {
    cpu: {
      count: "2",
      max: "4",
      mode: "custom",
      model: "qemu64",
      sockets: "",
      cores: "",
      threads: "",
      pinning: "",
    },
    memory: { currentMb: "512", maxMb: "1024" },
    boot: { by: "kinds", devices: "hd", "place disk:vda": "0", "place nic:52:54:00:00:00:01": "0" },
    firmware: { firmware: "bios", tpm: "" },
    devices: { video: "vga", sound: "", watchdog: "", watchdogAction: "reset" },
    general: { title: "", description: "", tags: "a b" },
  };
  const form = new FormData();
  for (const [name, value] of Object.entries({ ...shown[section], ...changes })) {
    if (value !== null) form.set(name, value);
  }
  return form;
}

const change = (section: HardwareSectionName, changes: Record<string, string | null> = {}) =>
  changeOf(section, filled(section, changes), BEFORE, { autostart: false, tags: ["a", "b"] }, TEXTS);

Deno.test("changeOf() asks for nothing where a form was left as it was shown", () => {
  for (const section of ["cpu", "memory", "boot", "firmware", "devices", "general"] as const) {
    assert.deepEqual(change(section), {}, section);
  }
});

Deno.test("changeOf() asks for what was changed alone", () => {
  assert.deepEqual(change("cpu", { count: "3" }), { cpu: { count: 3 } });
  assert.deepEqual(change("cpu", { mode: "host-model" }), { cpu: { mode: "host-model" } });
  assert.deepEqual(change("cpu", { model: "EPYC" }), { cpu: { mode: "custom", model: "EPYC" } });
  assert.deepEqual(change("cpu", { sockets: "2", cores: "2" }), {
    cpu: { topology: { sockets: 2, cores: 2, threads: 1 } },
  });
  assert.deepEqual(change("cpu", { pinning: "0: 0-1\n1 = 1, 3\n" }), {
    cpu: { pinning: [{ vcpu: 0, cpus: "0-1" }, { vcpu: 1, cpus: "1,3" }] },
  });
  assert.deepEqual(change("memory", { maxMb: "2048" }), { memory: { maxMb: 2048 } });
  assert.deepEqual(
    change("boot", { by: "order", "place disk:vda": "2", "place nic:52:54:00:00:00:01": "1" }),
    {
      boot: { order: ["nic:52:54:00:00:00:01", "disk:vda"] },
    },
  );
  assert.deepEqual(change("boot", { devices: "cdrom,hd", menu: "yes" }), {
    boot: { devices: ["cdrom", "hd"], menu: true },
  });
  assert.deepEqual(change("firmware", { tpm: "tpm-crb 2.0" }), { tpm: { model: "tpm-crb", version: "2.0" } });
  assert.deepEqual(change("devices", { watchdog: "i6300esb", watchdogAction: "pause", rng: "yes" }), {
    watchdog: { model: "i6300esb", action: "pause" },
    rng: true,
  });
  assert.deepEqual(change("general", { description: "a\r\nb", tags: "", autostart: "yes" }), {
    description: "a\nb",
    autostart: true,
    tags: [],
  });
});

Deno.test("changeOf() says which field cannot be sent", () => {
  assert.throws(() => change("cpu", { pinning: "all" }), (error) => {
    assert.ok(error instanceof FormError);
    assert.deepEqual([error.field, error.message], ["cpu.pinning", "bad pins"]);
    return true;
  });
});

Deno.test("failedWith() finds the field that is wrong", () => {
  const field = (error: unknown) => failedWith("cpu", error).failure?.field;
  assert.equal(
    field(new ContractError("CpuCountAboveMaximum", { count: 3, max: 2, field: "cpu.count" })),
    "cpu.count",
  );
  assert.equal(
    field(new ContractError("InvalidInput", { reason: "cpu.count must be at most 256" })),
    "cpu.count",
  );
  assert.equal(field(new ContractError("UpdateFailed", { error: "no" })), undefined);
  assert.equal(field(new FormError("bad", "cpu.pinning")), "cpu.pinning");
});

Deno.test("BOUNDS are the contract's", () => {
  assert.deepEqual([BOUNDS.maxCpus, BOUNDS.minMemoryMb, BOUNDS.longestTitle], [256, 128, 256]);
  assert.equal(pinLines([{ vcpu: 0, cpus: "0-1" }, { vcpu: 2, cpus: "3" }]), "0: 0-1\n2: 3");
  assert.deepEqual([isSection("cpu"), isSection("pending"), isSection(null)], [true, false, false]);
});
