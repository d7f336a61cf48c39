/** A VM of another hypervisor, in our own words: what every reader of a foreign definition gives. Pure. */
import { fill } from "../../../i18n/fill.ts";
import type { DISK_BUSES, FIRMWARES, NIC_MODELS, OS_TYPES } from "../../../contract/choices.ts";
import type { ArrivingFormat } from "../mod.ts";

export type Bus = typeof DISK_BUSES[number];
export type ForeignNicModel = typeof NIC_MODELS[number];
export type Firmware = typeof FIRMWARES[number];

/** Disks and network interfaces of a VM here, at most (`VmConfig`). */
export const MOST_DISKS = 24, MOST_NICS = 16;
/** Characters kept of notes. */
const MOST_NOTES = 8192;
/** Bytes of the longest definition that is read. */
export const MOST_DEFINITION = 1024 * 1024;

/** Something that is imported otherwise than it is described. */
export interface ForeignWarning {
  /** `disks.0`, `nics.1`, empty for the whole. */
  readonly field: string;
  readonly code: string;
  readonly message: string;
}

/** A disk of the VM. */
export interface ForeignDisk {
  /** The file's name in the folder of the definition; null for an empty disk. */
  readonly file: string | null;
  /** As the definition has it: a path, or a volume of a storage. */
  readonly place?: string;
  /** Format in the definition; undefined if it names none. */
  readonly format: ArrivingFormat | undefined;
  /** Size that the guest sees, as the definition has it; 0 without one. */
  readonly capacityBytes: number;
  /** The bus that its guest boots from here. */
  readonly bus: Bus;
  /** Address at the source, in its own words: `scsi0:0 (lsilogic)`. */
  readonly was?: string;
}

/** A network interface of the VM. */
export interface ForeignNic {
  /** The network's name at the source; empty where it has none. */
  readonly network: string;
  readonly model: ForeignNicModel;
  readonly mac: string | undefined;
  /** The VLAN that the source puts it into. */
  readonly vlan?: number;
  /** False where the source has the cable unplugged. */
  readonly linkUp?: boolean;
  /** The model's name at the source. */
  readonly was?: string;
}

/** A VM as it is described, with what was taken instead of what has no match. */
export interface SourceVm {
  readonly name: string;
  readonly description: string | undefined;
  readonly osType: typeof OS_TYPES[number] | undefined;
  /** The guest system as the source calls it. */
  readonly guest?: string;
  readonly cpuCount: number;
  readonly coresPerSocket: number | undefined;
  readonly memoryMb: number;
  readonly firmware: Firmware;
  readonly tpm?: boolean;
  /** `pc` where the source has QEMU's older board: its guest knows its network interfaces by their places on it. */
  readonly machine: "pc" | undefined;
  /** In the order in which they are booted from. */
  readonly disks: readonly ForeignDisk[];
  readonly nics: readonly ForeignNic[];
  readonly warnings: readonly ForeignWarning[];
}

/** Why a definition is not taken, fit to be shown. */
export class ForeignVmError extends Error {
  override readonly name = "ForeignVmError";
}

/** Texts of {@link ForeignWarning}s, by code. */
export const FOREIGN_WARNINGS = {
  ControllerReplaced:
    "Disk controller {was} is not available here. The disk starts on {taken}, which every guest can boot from. " +
    "To get virtio: install its drivers in the guest, shut it down, then change the bus of the disk",
  NicReplaced:
    "Network interface {was} is not available here: {taken} is used instead. To get virtio: install its drivers in " +
    "the guest, shut it down, then change the model",
  RebuildInitramfs:
    "The start image of this system may lack the driver for {taken}. If it stops in an emergency shell, boot its rescue " +
    "entry and run: dracut --regenerate-all --force --no-hostonly",
  DeviceDropped: "{what} is not imported",
  CdDropped: "{what} is not imported: insert a medium after the import",
  DiskElsewhere: "{was} is a path at the source: the file {file} next to the definition is used",
  DiskNoFile: "{what} names no file and is not imported",
  MacInvalid: "The MAC address {mac} is not usable: a new one is made",
  VlanHere: "The network interface was in VLAN {vlan}. Choose a network or bridge of that VLAN",
  FirmwareState: "UEFI variables are not imported: the VM starts with the usual boot entries",
  TpmState:
    "The state of the TPM is not imported. What is sealed in it (BitLocker) asks for its recovery key",
  Snapshots: "Snapshots ({names}) are not imported: only the present state is",
  Pending: "Changes that wait for the next start at the source ({names}) are not imported",
  Suspended:
    "The VM is suspended at the source. Its memory is not imported: what was not written to its disks is lost. Shut it " +
    "down there first",
  GuestArch:
    "The guest is made for {arch}, which this import does not set. Create the VM from its disk instead",
  OptionIgnored: "The setting {what} has no match here and is not imported",
  NotClean: "Windows on {file} was not shut down: {reason}. It is imported only where that is allowed",
  NetworkReplaced: "There is no network {was} here: {taken} is used instead",
} as const;
export type ForeignWarningCode = keyof typeof FOREIGN_WARNINGS;

/** A warning in words. */
export function foreignWarning(
  field: string,
  code: ForeignWarningCode,
  details: Record<string, string> = {},
): ForeignWarning {
  return { field, code, message: fill(FOREIGN_WARNINGS[code], details) };
}

/** A VM of a source where paths are followed. */
export const withoutElsewhere = (vm: SourceVm): SourceVm => ({
  ...vm,
  warnings: vm.warnings.filter(({ code }) => code !== "DiskElsewhere"),
});

/** A unicast MAC address in libvirt's spelling; undefined for anything else. */
export function normalizedMac(text: string): string | undefined {
  const mac = text.trim().toLowerCase().replaceAll("-", ":");
  return /^[0-9a-f][02468ace](:[0-9a-f]{2}){5}$/.test(mac) && mac !== "00:00:00:00:00:00" ? mac : undefined;
}

/**
 * The last part of a path of any system: `[store] vm/a.vmdk`, `C:\vm\a.vmdk`, `/vmfs/volumes/x/a.vmdk`. Undefined where
 * that names no file.
 */
export function fileNameOf(path: string): string | undefined {
  const name = path.split(/[/\\]/).at(-1)!.replace(/^\[[^\]]*\]\s*/, "");
  return isPlainName(name) ? name : undefined;
}

// deno-lint-ignore no-control-regex -- they are what is refused
const NOT_PLAIN = /[/\\\u0000-\u001f\u007f]/;

/** Whether a text can only name a file of a folder itself. */
export const isPlainName = (name: string): boolean =>
  name.length > 0 && name.length <= 255 && name !== "." && name !== ".." && !NOT_PLAIN.test(name);

/** A whole number within bounds. @throws {ForeignVmError} */
export function wholeIn(text: string, what: string, least: number, most: number): number {
  const number = /^\d{1,15}$/.test(text.trim()) ? Number(text) : NaN;
  if (number >= least && number <= most) return number;
  throw new ForeignVmError(
    `its ${what} is ${JSON.stringify(text.slice(0, 40))}, not a number from ${least} to ${most}`,
  );
}

/** Most CPUs and MiB of memory that a VM may have here. */
export const MOST_CPUS = 1024, MOST_MEMORY_MB = 16 * 1024 * 1024;

/** Halves of surrogate pairs, and what else neither XML nor a page can hold. */
const UNHOLDABLE =
  // deno-lint-ignore no-control-regex -- these are the very characters that are taken out
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** Notes with breaks of lines, without what cannot be kept; undefined where none are left. */
export function notesOf(text: string): string | undefined {
  const kept = text.slice(0, MOST_NOTES).replace(/\r\n?/g, "\n").replace(UNHOLDABLE, "").trim();
  return kept === "" ? undefined : kept;
}
