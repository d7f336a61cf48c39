/** A VM as an OVF describes it, in our own words. */
import type { ForeignDisk, ForeignNic, ForeignWarning, SourceVm } from "../foreign/vm/model.ts";

/** Parts of an archive: the same as of every foreign VM. */
export type OvfWarning = ForeignWarning;
export type OvfDisk = ForeignDisk;
export type OvfNic = ForeignNic;

/** A VM as an OVF describes it. */
export interface OvfVm extends SourceVm {
  /** The archive's disks where its hardware uses none of them: the VM would be one without a disk. */
  readonly leftOut: readonly string[];
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
