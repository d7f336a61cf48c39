/** A VM as an OVF describes it, in our own words. */
import type { DISK_BUSES, FIRMWARES, NIC_MODELS, OS_TYPES } from "../../contract/choices.ts";
import type { ArrivingFormat } from "../foreign/mod.ts";

/** Something that is imported otherwise than it is described. */
export interface OvfWarning {
  /** What it is about: `disks.0`, `nics.1`, empty for the whole. */
  readonly field: string;
  readonly code: string;
  readonly message: string;
}

/** A disk of the VM. */
export interface OvfDisk {
  /** The file in the archive; null for an empty disk. */
  readonly file: string | null;
  /** What the description says it is; undefined where it does not say. */
  readonly format: ArrivingFormat | undefined;
  /** What a guest sees, in bytes, as it is said. */
  readonly capacityBytes: number;
  readonly bus: typeof DISK_BUSES[number];
}

/** A network card of the VM. */
export interface OvfNic {
  /** The network's name where the VM comes from. */
  readonly network: string;
  readonly model: typeof NIC_MODELS[number];
  readonly mac: string | undefined;
}

/** A VM as it is described, with what was taken instead of what has no match. */
export interface OvfVm {
  readonly name: string;
  readonly description: string | undefined;
  readonly osType: typeof OS_TYPES[number] | undefined;
  readonly cpuCount: number;
  readonly coresPerSocket: number | undefined;
  readonly memoryMb: number;
  readonly firmware: typeof FIRMWARES[number];
  /** `pc` where its disks are on IDE, which newer boards have not. */
  readonly machine: "pc" | undefined;
  readonly disks: readonly OvfDisk[];
  /** The archive's disks where its hardware uses none of them: the VM would be one without a disk. */
  readonly leftOut: readonly string[];
  readonly nics: readonly OvfNic[];
  readonly warnings: readonly OvfWarning[];
}

/** Why a description is not taken, fit to be shown. */
export class OvfError extends Error {
  override readonly name = "OvfError";
}

/** Texts of {@link OvfWarning}s, by code. */
export const OVF_WARNINGS = {
  ControllerReplaced: "Disk controller {was} is not available here: {taken} is used instead",
  NicReplaced: "Network card {was} is not available here: {taken} is used instead",
  DeviceDropped: "{what} is not imported",
  CdDropped: "CD or floppy drive is not imported: insert a medium after the import",
  OptionIgnored: "The archive offers several configurations: {taken} is imported",
  StartupIgnored: "Settings for the guest in the archive (OVF properties) are not passed to it",
  LicenceInside: "The archive has a licence agreement. By importing it, you agree to it: {text}",
  NoManifest: "The archive has no checksums: whether it is damaged cannot be told",
  ManifestLineIgnored: "The archive's manifest has a line that is not understood and not used: {line}",
  ManifestFileMissing: "The archive's manifest lists {file}, which is not in the archive and not needed",
  DisksLeftOut: "The VM gets none of the archive's disks: {files}",
  FileUnchecked: "{file} has no checksum in the archive's manifest",
  SignatureUnchecked: "The archive is signed, but the signature is not checked",
  FileIgnored: "{file} in the archive is not imported",
  NetworkReplaced: "There is no network {was} here: {taken} is used instead",
  SizeDiffers: "{file} has {is}, not {said} as described",
  FirmwareState: "UEFI variables are not in the archive: the VM starts with the usual boot entries",
} as const;
export type OvfWarningCode = keyof typeof OVF_WARNINGS;
