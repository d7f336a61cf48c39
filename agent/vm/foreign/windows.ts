/** Whether a Windows was shut down before its disk was copied: one that was not loses what it had not written. */
import { ContractError } from "../../../lib/contract/mod.ts";
import { type NtfsFault, ntfsFault } from "../../../lib/formats/ntfs/state.ts";
import { readImage } from "../../storage/qemu_img.ts";
import type { FolderDisk } from "./disk.ts";
import type { GuestDiskReader } from "./model.ts";

const REASONS: Readonly<Record<NtfsFault, string>> = {
  hibernated: "it is hibernated, which fast startup does at each shutdown",
  dirty: "its file system is marked for a check",
  journal: "its file system's journal is not closed, as after a power cut",
};

/** A disk as a guest would see it. */
export interface GuestDisk {
  readonly file: string;
  readonly readGuest: GuestDiskReader;
}

/** Reads a local disk as its guest would, before it is converted. */
export const localReader =
  ({ image, virtualBytes }: Pick<FolderDisk, "image" | "virtualBytes">): GuestDiskReader =>
  async (offset, length, signal) =>
    offset >= virtualBytes
      ? new Uint8Array()
      : await readImage(image, offset, Math.min(length, virtualBytes - offset), signal);

/** Why a Windows on a disk is not shut down, for people; undefined where it is, and where there is none. */
export async function uncleanReason(disk: GuestDisk, signal: AbortSignal): Promise<string | undefined> {
  const fault = await ntfsFault((offset, length) => disk.readGuest(offset, length, signal));
  return fault && REASONS[fault];
}

/** @throws {ContractError} GuestNotClean */
export async function requireClean(disk: GuestDisk, signal: AbortSignal): Promise<void> {
  const reason = await uncleanReason(disk, signal);
  if (reason !== undefined) throw new ContractError("GuestNotClean", { file: disk.file, reason });
}
