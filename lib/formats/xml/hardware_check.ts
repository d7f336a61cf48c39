/** Whether a change of a VM's hardware fits: together, with what the VM has, and with the host. Pure. */
import { MEMORY_SHARE } from "../../contract/create.ts";
import { ContractError } from "../../contract/errors.ts";
import type { Hardware, HardwareChange, HardwareOptions } from "../../contract/hardware.ts";
import { gigabytes } from "../../text/quantity.ts";
import { parseCpus } from "./hardware.ts";
import { MIB } from "../../text/byte_units.ts";
import { message, type Sentence } from "../../i18n/message.ts";

/** VM and host that a change is checked against. */
export interface Fit {
  /** The stored hardware, before the change. */
  readonly next: Hardware;
  /** Null where the host does not tell. */
  readonly options: HardwareOptions | null;
  /** More memory than the host has is a warning. */
  readonly allowOvercommit: boolean;
}

/** @param field the field of the change that is wrong, for a page to say it there */
const mismatch = (reason: Sentence, field: string) =>
  new ContractError("HardwareMismatch", { reason, field });

/** Names of Intel's and AMD's VMs, which alone can be told that they have no SMM. */
const isOldPc = (machine: string) => /^pc(-i440fx|$)/.test(machine);

function checkCpu(change: NonNullable<HardwareChange["cpu"]>, { next, options }: Fit): void {
  const count = change.count ?? next.cpu.count;
  const max = change.max ?? next.cpu.max;
  if (count > max) throw new ContractError("CpuCountAboveMaximum", { count, max, field: "cpu.count" });
  if (change.max !== undefined && options?.maxCpus && max > options.maxCpus) {
    throw mismatch(
      message`the machine type ${next.machine} takes at most ${options.maxCpus} CPUs`,
      "cpu.max",
    );
  }
  const topology = change.topology === undefined ? next.cpu.topology : change.topology;
  if (topology && (change.topology !== undefined || change.max !== undefined)) {
    const product = topology.sockets * topology.cores * topology.threads;
    if (product !== max) {
      throw new ContractError("TopologyMismatch", { ...topology, product, max, field: "cpu.topology" });
    }
  }
  const mode = change.mode ?? (change.model === undefined ? next.cpu.mode : "custom");
  if (mode === "custom" && (change.model ?? next.cpu.model) === null) {
    throw mismatch("the CPU mode custom needs a model", "cpu.model");
  }
  if (mode !== "custom" && change.model !== undefined) {
    throw mismatch(message`the CPU mode ${mode} takes no model; only custom does`, "cpu.model");
  }
  if (change.mode !== undefined && options && !options.cpuModes.includes(mode)) {
    throw mismatch(
      message`this host cannot give the VM the CPU mode ${mode}. Choose ${options.cpuModes.join(", ")}.`,
      "cpu.mode",
    );
  }
  const isNew = change.model !== undefined && change.model !== next.cpu.model;
  if (isNew && options && !options.cpuModels.includes(change.model!)) {
    throw mismatch(message`this host cannot run the CPU model ${change.model}`, "cpu.model");
  }
  checkPinning(change.pinning, max, options);
}

function checkPinning(
  pinning: NonNullable<HardwareChange["cpu"]>["pinning"],
  max: number,
  options: HardwareOptions | null,
): void {
  const seen = new Set<number>();
  for (const { vcpu, cpus } of pinning ?? []) {
    const refuse = (reason: Sentence) =>
      new ContractError("PinningMismatch", { reason, field: "cpu.pinning" });
    if (seen.has(vcpu)) throw refuse(message`vCPU ${vcpu} is named twice`);
    seen.add(vcpu);
    if (vcpu >= max) {
      throw refuse(message`there is no vCPU ${vcpu}, the VM has at most ${max} (0-${max - 1})`);
    }
    const wanted = parseCpus(cpus);
    if (wanted.length === 0) throw refuse(message`${cpus} names no CPU`);
    const missing = options && wanted.find((cpu) => cpu >= options.hostCpus);
    if (missing) throw refuse(message`the host has no CPU ${missing} (0-${options.hostCpus - 1})`);
  }
}

function checkMemory(change: NonNullable<HardwareChange["memory"]>, fit: Fit): void {
  const { next } = fit;
  const currentMb = change.currentMb ?? next.memory.currentMb;
  const maxMb = change.maxMb ?? next.memory.maxMb;
  if (currentMb > maxMb) {
    throw new ContractError("MemoryAboveMaximum", { currentMb, maxMb, field: "memory.currentMb" });
  }
  const exceeds = memoryExceedsHost(change, fit);
  if (exceeds && !fit.allowOvercommit) throw exceeds;
}

/** The error of a change to more memory than the host has; a VM that has as much already may keep it. */
function memoryExceedsHost(
  { currentMb = 0, maxMb = 0 }: NonNullable<HardwareChange["memory"]>,
  { next, options }: Fit,
): ContractError | undefined {
  const wanted = Math.max(currentMb, maxMb);
  if (!options || wanted <= next.memory.maxMb) return undefined;
  const most = Math.floor(options.hostMemoryMb * MEMORY_SHARE);
  if (wanted <= most) return undefined;
  return new ContractError("MemoryExceedsHost", {
    requested: gigabytes(wanted * MIB),
    available: gigabytes(most * MIB),
    field: maxMb >= currentMb ? "memory.maxMb" : "memory.currentMb",
  });
}

function checkBoot({ order, devices }: NonNullable<HardwareChange["boot"]>, { next }: Fit): void {
  if (order && devices) {
    throw mismatch("boot takes either single devices (order) or kinds (devices), not both", "boot.order");
  }
  const missing = order?.find((id) => !next.boot.candidates.some((each) => each.id === id));
  if (missing !== undefined) {
    throw new ContractError("BootDeviceNotFound", { device: missing, field: "boot.order" });
  }
}

function checkFirmware(firmware: HardwareChange["firmware"], { next, options }: Fit): void {
  if (firmware === undefined || firmware === "bios" || firmware === next.firmware) return;
  if (options && !options.uefi) {
    throw mismatch(
      "this host has no UEFI firmware. Install it (Debian: ovmf, Fedora: edk2-ovmf).",
      "firmware",
    );
  }
  if (firmware !== "uefi-secure") return;
  if (isOldPc(next.machine)) {
    throw mismatch(message`Secure Boot needs the machine type q35, the VM has ${next.machine}`, "firmware");
  }
  if (options && !options.secureBoot) {
    throw mismatch("this host has no UEFI firmware with Secure Boot", "firmware");
  }
}

/**
 * Says no to what cannot be, before anything is touched.
 *
 * @throws {ContractError} CpuCountAboveMaximum, MemoryAboveMaximum, MemoryExceedsHost, TopologyMismatch, PinningMismatch,
 * BootDeviceNotFound, HardwareMismatch
 */
export function checkHardware(change: HardwareChange, fit: Fit): void {
  const { options, next } = fit;
  if (change.cpu) checkCpu(change.cpu, fit);
  if (change.memory) checkMemory(change.memory, fit);
  if (change.boot) checkBoot(change.boot, fit);
  checkFirmware(change.firmware, fit);
  if (change.tpm && options && !options.tpm) {
    throw mismatch("this host cannot emulate a TPM. Install swtpm (Debian: swtpm swtpm-tools).", "tpm");
  }
  if (change.tpm && options && !options.tpmModels.includes(change.tpm.model)) {
    throw mismatch(
      message`this machine type has no TPM ${change.tpm.model}. Choose ${options.tpmModels.join(", ")}.`,
      "tpm",
    );
  }
  if (change.video && change.video !== next.video && options && !options.videoModels.includes(change.video)) {
    throw mismatch(
      message`this host has no video card ${change.video}. Choose ${options.videoModels.join(", ")}.`,
      "video",
    );
  }
}

/** Warnings about a change that is made all the same, one sentence each. */
export function hardwareWarnings(change: HardwareChange, fit: Fit): string[] {
  const { next, options } = fit;
  const found: string[] = [];
  const most = Math.max(change.cpu?.count ?? 0, change.cpu?.max ?? 0);
  if (options && most > options.hostCpus) {
    found.push(`CPU count exceeds host capacity (requested: ${most}, available: ${options.hostCpus})`);
  }
  const exceeds = change.memory && memoryExceedsHost(change.memory, fit);
  if (exceeds) found.push(exceeds.message);
  if (change.firmware !== undefined && change.firmware !== next.firmware) {
    if ((change.firmware === "bios") !== (next.firmware === "bios")) {
      found.push(
        "A system that was installed for one firmware rarely boots with the other: BIOS and UEFI find it in different places.",
      );
    }
    if (next.nvram !== null) {
      found.push(
        `The variables of the UEFI firmware (boot entries, keys) stay in ${next.nvram}. Delete that file while the VM is off if the new firmware does not start with them.`,
      );
    }
  }
  if (change.tpm === null && next.tpm) {
    found.push(
      "What the guest has sealed with the TPM (keys of encrypted disks) cannot be opened without it.",
    );
  }
  if (change.boot && (change.boot.order || change.boot.devices) && next.boot.kernel) {
    found.push("The VM boots a kernel directly: the boot order is used only without it.");
  }
  return found;
}
