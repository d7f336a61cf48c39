/**
 * Finds the earlier copy that a new one of a running VM can build on, so that only changes since are read; or
 * the reason for a full read.
 */
import type { ChunkList } from "../../lib/backup/chunk_list.ts";
import { type BackupManifest, CHUNK_BYTES, ManifestError } from "../../lib/backup/manifest.ts";
import type { Disk, VM } from "../../lib/contract/mod.ts";
import { isSystemError } from "../machine/files.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import { isUnsupported } from "../libvirt/failure.ts";
import { log } from "../log.ts";
import { isNotResponding } from "../machine/mount_gate.ts";
import { ImageRefused, qcow2Head } from "../storage/disk_images/chain.ts";
import { imageOf } from "../storage/disk_origin.ts";
import { pathOfDisk } from "../storage/disk_path.ts";
import { ownCheckpoints } from "../vm/checkpoints.ts";
import type { FoundCopy, Repository } from "./repository.ts";
import { chunksOf } from "./write_disk.ts";

/** A copy that a new one builds on. */
export interface Base {
  readonly checkpoint: string;
  readonly takenAt: number;
  /** The chunks of the disks of which only what changed is read, by target. */
  readonly disks: ReadonlyMap<string, ChunkList>;
}

/** How the disks of a running VM can be read. */
export interface ReadPlan {
  /** Disks on which QEMU can track writes from now on: target → identity of the image. */
  readonly noted: ReadonlyMap<string, string>;
  readonly base: Base | undefined;
  /** Notes on a copy that is read in this way. */
  readonly notes: readonly string[];
  /** Why all is read; empty where there is a base for every disk. */
  readonly reason: string;
}

/**
 * The disks that are qcow2 of version 2, which holds no dirty bitmaps: libvirt 9.0 may end when it is asked for a checkpoint
 * with one. What cannot be read is left to QEMU.
 */
export async function withoutBitmaps({ link }: LibvirtHost, disks: readonly Disk[]): Promise<Set<string>> {
  const found = new Set<string>();
  if (link.machine === null) return found;
  for (const disk of disks.filter(({ format }) => format === "qcow2")) {
    const path = await pathOfDisk(link, disk);
    try {
      if (path?.startsWith("/") && (await qcow2Head(path))?.version === 2) found.add(disk.target);
    } catch (error) {
      if (!isSystemError(error) && !isNotResponding(error) && !(error instanceof ImageRefused)) throw error;
      log.debug("the version of a qcow2 image cannot be read", { path, error });
    }
  }
  return found;
}

/** Whether libvirt knows of snapshots of a VM. @throws {LibvirtError} */
export async function hasSnapshots({ link }: LibvirtHost, uuid: string): Promise<boolean> {
  try {
    return (await link.call("snapshotScan", { uuid })).length > 0;
  } catch (error) {
    if (isUnsupported(error)) return false;
    throw error;
  }
}

/** Bytes of disks of a VM that runs, as QEMU has them now: another program may just have resized one. @throws {LibvirtError} */
export async function sizesNow(
  { link }: LibvirtHost,
  { id: uuid }: Pick<VM, "id">,
  disks: readonly Disk[],
): Promise<ReadonlyMap<string, number>> {
  const found = await link.call("domainDiskSizes", { uuid, targets: disks.map(({ target }) => target) });
  return new Map(found.map(({ target, capacity }) => [target, capacity]));
}

/** The disks of a copy that can be built on: same image as now, and all chunks present. */
async function usable(
  repository: Repository,
  copy: FoundCopy & { readonly manifest: BackupManifest },
  disks: readonly Disk[],
  noted: ReadonlyMap<string, string>,
  sizes: ReadonlyMap<string, number>,
): Promise<{ readonly disks: Map<string, ChunkList>; readonly reason: string }> {
  const { manifest } = copy, found = new Map<string, ChunkList>();
  let reason = "";
  for (const { target } of disks) {
    const image = noted.get(target), was = manifest.disks.find((each) => each.target === target);
    if (image === undefined) reason ||= `disk ${target} is no qcow2 that keeps notes of changes`;
    else if (was === undefined) reason ||= `disk ${target} is new`;
    else if (was.image !== image) reason ||= `disk ${target} is another image than before`;
    else if (sizes.get(target) !== was.bytes) {
      reason ||= `disk ${target} has another size than before`;
    } else {
      const chunks = await chunksOf(repository, copy, manifest, was);
      const missing = await repository.firstMissing(chunks.digests());
      if (missing === undefined) found.set(target, chunks);
      else reason ||= `the chunk ${missing} of the copy before is missing`;
    }
  }
  return { disks: found, reason };
}

/**
 * Looks for the newest copy of this backup that QEMU has noted the changes since.
 *
 * @param disks those that are copied, as the VM has them now
 * @throws {LibvirtError}
 */
export async function planRead(
  host: LibvirtHost,
  repository: Repository,
  { vm, backupId, disks, isFull }: {
    readonly vm: VM;
    readonly backupId: string;
    readonly disks: readonly Disk[];
    readonly isFull: boolean;
  },
): Promise<ReadPlan> {
  const noted = new Map<string, string>();
  if (await hasSnapshots(host, vm.id)) {
    return {
      noted,
      base: undefined,
      notes: [],
      reason: "it has snapshots, which do not go with QEMU's notes of changes",
    };
  }
  const old = await withoutBitmaps(host, disks);
  for (const disk of disks) {
    const image = disk.format === "qcow2" && !old.has(disk.target) ? await imageOf(disk) : undefined;
    if (image !== undefined) noted.set(disk.target, image);
  }
  const notes = [...old].map((target) =>
    `Disk ${target} is copied in full each time: qcow2 of compat 0.10 keeps no notes of changes. While the VM is off, ` +
    "qemu-img amend -f qcow2 -o compat=1.1 IMAGE makes it one that does"
  );
  const whole = (reason: string): ReadPlan => ({ noted, base: undefined, notes, reason });
  if (noted.size === 0) return whole("none of its disks is qcow2 that keeps notes of changes");
  if (isFull) return whole("that was asked for");
  const own = (await ownCheckpoints(host, vm.id)).filter((each) => each.backupId === backupId)
    .sort((a, b) => a.copyId < b.copyId ? 1 : -1);
  if (own.length === 0) return whole("nothing was noted since an earlier copy");
  const sizes = await sizesNow(host, vm, disks);
  let why = "";
  for (const { name, copyId } of own) {
    const copy = await repository.copy(copyId), { manifest } = copy;
    if (manifest === undefined) {
      why ||= "the copy that changes were noted since is not in the folder";
      continue;
    }
    if (manifest.vm.id !== vm.id || manifest.chunkBytes !== CHUNK_BYTES) continue;
    try {
      const { disks: found, reason } = await usable(repository, { ...copy, manifest }, disks, noted, sizes);
      if (found.size > 0) {
        return { noted, notes, base: { checkpoint: name, takenAt: manifest.takenAt, disks: found }, reason };
      }
      why ||= reason;
    } catch (error) {
      if (!(error instanceof ManifestError)) throw error;
      why ||= `the copy before is damaged: ${error.message}`;
    }
  }
  return whole(why || "nothing was noted since an earlier copy");
}
