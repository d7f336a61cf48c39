/** A made-up host for the tests of what a configuration comes to: everything is offered, nothing is there. */
import { render } from "../../i18n/message.ts";
import { BUILTIN_SYSTEMS, findSystem } from "../os/mod.ts";
import type { DomainCapabilities } from "../../formats/xml/capabilities.ts";
import type { VmConfig } from "../../contract/create.ts";
import type { Facts } from "./facts.ts";
import { Findings } from "./findings.ts";
import { supportedHardwareOf } from "./supported_hardware.ts";
import { resolveVm } from "./resolve.ts";

/** A host with all that libvirt 9.0 knows, on a PC with KVM. */
export const FULL: DomainCapabilities = {
  arch: "x86_64",
  machine: "pc-q35-7.2",
  virtType: "kvm",
  emulator: "/usr/bin/qemu-system-x86_64",
  maxCpus: 288,
  firmwares: ["efi"],
  secureBoot: true,
  cpuModes: ["host-passthrough", "maximum", "host-model", "custom"],
  cpuModels: [{ name: "qemu64", usable: true }, { name: "EPYC", usable: false }],
  diskBuses: ["fdc", "scsi", "virtio", "usb", "sata"],
  graphics: ["vnc", "spice"],
  videoModels: ["vga", "cirrus", "qxl", "virtio", "none", "bochs", "ramfb"],
  tpmModels: ["tpm-tis", "tpm-crb"],
  tpmBackends: ["passthrough", "emulator"],
  rng: true,
  shareDrivers: ["path", "handle", "virtiofs"],
  hyperv: [],
};

/** Facts of a made-up host. */
export function factsOf(
  config: Pick<VmConfig, "osVariant" | "osType">,
  capabilities: DomainCapabilities = FULL,
  more: Partial<Facts> = {},
): Facts {
  const { arch, virtType, emulator } = capabilities;
  const machine = { q35: "q35", pc: "pc" }[capabilities.machine.includes("q35") ? "q35" : "pc"]!;
  const os = findSystem(BUILTIN_SYSTEMS, config);
  let byte = 0;
  return {
    platform: { arch, machine: arch === "x86_64" ? machine : "virt", virtType, emulator },
    offer: supportedHardwareOf(capabilities, 9_000_000),
    os: os ?? findSystem(BUILTIN_SYSTEMS, {})!,
    osKnown: os !== undefined,
    allowOvercommit: false,
    host: { cpus: 8, memoryMb: 16_384 },
    vmNames: new Set(),
    macs: new Map(),
    networks: [{ name: "default", active: true }],
    bridges: new Set(["br0"]),
    pools: [{ name: "default", active: true, formats: ["qcow2", "raw"], availableBytes: 250 * 1024 ** 3 }],
    defaultPool: "default",
    images: new Map(),
    iso: undefined,
    closed: new Map(),
    readOnly: new Map(),
    files: new Set(),
    emulated: false,
    uuid: "11111111-2222-3333-4444-555555555555",
    now: 1_700_000_000_000,
    randomByte: () => byte++ % 256,
    ...more,
  };
}

/** Resolves a configuration on a made-up host. */
export function resolved(
  config: Omit<VmConfig, "name"> & { name?: string },
  capabilities: DomainCapabilities = FULL,
  more: Partial<Facts> = {},
) {
  const findings = new Findings();
  const named = { name: "web", ...config };
  const vm = resolveVm(named, factsOf(named, capabilities, more), findings);
  return {
    vm,
    errors: findings.errors.map(({ field, code }) => `${field} ${code}`),
    messages: findings.errors.map(({ message }) => render(message)),
    warnings: findings.warnings.map(({ field, message }) => `${field}: ${render(message)}`),
  };
}
