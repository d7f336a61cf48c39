/** VMs of Hyper-V: their definitions are binary and change with each version, so a form says what a disk cannot. Pure. */
import { busFor, type Guest, nicFor } from "./guests.ts";
import { type ForeignWarning, foreignWarning, type SourceVm } from "./model.ts";
import type { OS_TYPES } from "../../../contract/choices.ts";

/** Fields of the VM that the user fills in. */
export interface HyperVForm {
  readonly name: string;
  /** 1: BIOS and IDE; 2: UEFI with Secure Boot and SCSI. */
  readonly generation: 1 | 2;
  readonly osType: typeof OS_TYPES[number] | undefined;
  /** The files of its disks, that which it boots from first. */
  readonly files: readonly string[];
}

/** Hyper-V's defaults for a new VM. */
const USUAL = { cpuCount: 1, memoryMb: 2048 } as const;
/** Places on the IDE controllers of generation 1: the last one is the CD drive's. */
const MOST_IDE = 3;

/** The generation that a disk's file suggests: VHD is of generation 1 alone. */
export const usualGeneration = (files: readonly string[]): 1 | 2 =>
  files.some((file) => /\.vhd$/i.test(file)) ? 1 : 2;

/** The VM that a person describes. */
export function hyperVm({ name, generation, osType, files }: HyperVForm): SourceVm {
  const guest: Guest = { osType, hasVirtio: false, isHostOnly: osType === "linux", isOld: false };
  const warnings: ForeignWarning[] = [];
  const disks = files.map((file, index) => {
    const isIde = generation === 1 && index < MOST_IDE;
    const found = busFor(isIde ? "ide" : "scsi", "Hyper-V SCSI", guest, `disks.${index}`);
    warnings.push(...found.warnings);
    const was = isIde ? `IDE ${index}` : `SCSI ${generation === 1 ? index - MOST_IDE : index}`;
    return { file, format: undefined, capacityBytes: 0, bus: found.bus, was };
  });
  const nic = nicFor("Hyper-V", guest, "nics.0");
  warnings.push(...nic.warnings);
  if (generation === 2) warnings.push(foreignWarning("", "FirmwareState"));
  return {
    name,
    description: undefined,
    osType,
    ...USUAL,
    coresPerSocket: undefined,
    firmware: generation === 2 ? "uefi-secure" : "bios",
    machine: undefined,
    disks,
    nics: [{ network: "", model: nic.model, mac: undefined, was: "Hyper-V" }],
    warnings,
  };
}
