import assert from "node:assert/strict";
import { ContractError } from "../../contract/errors.ts";
import { type Guests, plainCapabilities } from "../../formats/xml/capabilities.ts";
import { supportedHardwareOf } from "./supported_hardware.ts";
import { choosePlatform, type PlatformDefaults } from "./platform.ts";
import { FULL } from "./testing.ts";

const machines = (...names: string[]) => names.map((name) => ({ name, canonical: undefined }));
const HOST: Guests = {
  arch: "x86_64",
  guests: [
    { arch: "aarch64", virtTypes: ["qemu"], emulator: "/q/aarch64", machines: machines("virt-7.2", "virt") },
    {
      arch: "x86_64",
      virtTypes: ["qemu", "kvm"],
      emulator: "/q/x86_64",
      machines: machines("pc", "q35", "pc-q35-5.2"),
    },
  ],
};
const DEFAULTS: PlatformDefaults = { virtType: "auto", kvmTrouble: null, machine: "q35" };

Deno.test("choosePlatform() takes KVM where it works, and says why not where it was asked for", () => {
  assert.equal(choosePlatform({}, HOST, DEFAULTS).virtType, "kvm");
  const broken = { ...DEFAULTS, kvmTrouble: "guests under it hang" };
  assert.equal(choosePlatform({}, HOST, broken).virtType, "qemu");
  assert.equal(choosePlatform({ virtType: "qemu" }, HOST, DEFAULTS).virtType, "qemu");
  assert.equal(choosePlatform({}, HOST, { ...DEFAULTS, virtType: "qemu" }).virtType, "qemu");
  assert.throws(
    () => choosePlatform({ virtType: "kvm" }, HOST, broken),
    (error) =>
      error instanceof ContractError && error.details?.field === "virtType" &&
      /guests under it hang$/.test(error.message),
  );
  assert.throws(() => choosePlatform({ virtType: "kvm", arch: "aarch64" }, HOST, DEFAULTS), /offers qemu/);
  const demo: Guests = {
    arch: "i686",
    guests: [{ arch: "i686", virtTypes: ["test"], emulator: undefined, machines: [] }],
  };
  assert.equal(choosePlatform({}, demo, { ...DEFAULTS, virtType: "qemu" }).virtType, "test");
});

Deno.test("choosePlatform() takes the machine type that suits, of those QEMU has", () => {
  const machine = (config: Parameters<typeof choosePlatform>[0], fallback = "q35") =>
    choosePlatform(config, HOST, { ...DEFAULTS, machine: fallback }).machine;
  assert.equal(machine({}), "q35");
  assert.equal(machine({}, "pc"), "pc");
  assert.equal(machine({ machine: "pc-q35-5.2" }), "pc-q35-5.2");
  assert.equal(machine({ arch: "aarch64" }), "virt");
  assert.throws(() => machine({ machine: "q36" }), /machine type q36/);
  assert.throws(() => machine({ arch: "z80" }), /architecture z80/);
});

Deno.test("supportedHardwareOf() says why not for what a host lacks", () => {
  const reasons = (capabilities: typeof FULL) =>
    supportedHardwareOf(capabilities, 9_000_000).firmwares.map(({ available, reason = "" }) =>
      available || reason
    );
  assert.deepEqual(reasons(FULL), [true, true, true]);
  assert.match(String(reasons({ ...FULL, secureBoot: false })[2]), /Secure Boot/);
  assert.match(String(reasons({ ...FULL, firmwares: [] })[1]), /ovmf/);
  assert.match(String(reasons({ ...FULL, machine: "pc-i440fx-7.2" })[2]), /q35/);
  assert.match(String(reasons({ ...FULL, arch: "aarch64", machine: "virt" })[0]), /no BIOS/);
  const poor = supportedHardwareOf(
    { ...FULL, virtType: "qemu", cpuModes: ["custom"], tpmBackends: [], graphics: [] },
    9_000_000,
  );
  assert.match(poor.tpm.reason ?? "", /swtpm/);
  assert.match(poor.cpuModes.find(({ id }) => id === "host-passthrough")?.reason ?? "", /KVM/);
  assert.deepEqual(poor.graphics.filter(({ available }) => available).map(({ id }) => id), ["none"]);
  assert.deepEqual([poor.hyperv, supportedHardwareOf(FULL, 9_000_000).hyperv], [false, true]);
  assert.deepEqual(
    [supportedHardwareOf(FULL, 9_000_000).watchdogs, supportedHardwareOf(FULL, 9_001_000).watchdogs],
    [["none", "i6300esb"], ["none", "i6300esb", "itco"]],
  );
});

Deno.test("supportedHardwareOf() has enough for a machine where a driver tells nothing of what it can", () => {
  const offer = supportedHardwareOf(plainCapabilities({ arch: "i686", virtType: "test" }), 9_000_000);
  const available = offer.firmwares.filter((each) => each.available).map(({ id }) => id);
  assert.deepEqual([available, offer.tpm.available, offer.diskBuses.includes("virtio")], [
    ["bios"],
    false,
    true,
  ]);
});
