/**
 * Bitmaps and snapshots within the disks of VMs, by any program. QEMU reverts no disk that has a dirty bitmap ("Device
 * has active dirty bitmaps"), and libvirt has ended the VM by then; a snapshot takes the place of one of its name.
 */
import { checkpointOf } from "../../lib/backup/checkpoint.ts";
import type { VM } from "../../lib/contract/mod.ts";
import { bitmapDirectory, bitmapNames } from "../../lib/formats/qcow2/bitmaps.ts";
import { snapshotNames, TABLE_BYTES } from "../../lib/formats/qcow2/snapshots.ts";
import { HEAD_BYTES, ImageError, readQcow2Header } from "../../lib/formats/qcow2/qcow2_header.ts";
import { messageOf } from "../../lib/text/message.ts";
import { shellWord } from "../../lib/system/doctor/finding.ts";
import { oneLine } from "../../lib/text/text.ts";
import { keptDisks } from "../../lib/vm/snapshots.ts";
import { isSystemError } from "../machine/files.ts";
import { openFile, readAt, readStart } from "../machine/host_file.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import { log } from "../log.ts";
import { isNotResponding } from "../machine/mount_gate.ts";

/** Names of the bitmaps or snapshots within a disk. */
export interface DiskNames {
  readonly path: string;
  readonly names: readonly string[];
}

/** A bitmap in a disk. */
export interface DiskBitmap {
  readonly target: string;
  readonly path: string;
  readonly name: string;
}

/** Bytes of a file from a place on. @throws {Error} from reading it */
async function readFrom(path: string, offset: number, length: number): Promise<Uint8Array> {
  const file = await openFile(path);
  // Not `using`: the bundler takes a variable out that is read once, and then nothing is closed.
  try {
    return await readAt(file, offset, length);
  } finally {
    file.close();
  }
}

const headOf = async (path: string) => readQcow2Header(await readStart(path, HEAD_BYTES));

/** The names of the bitmaps in a qcow2 file. @throws {ImageError} @throws {Error} from reading it */
async function bitmapsAt(path: string): Promise<string[]> {
  const directory = bitmapDirectory(await headOf(path));
  if (directory === undefined) return [];
  return bitmapNames(await readFrom(path, directory.offset, directory.length), directory.count);
}

/** The names of the snapshots in a qcow2 file. @throws {ImageError} @throws {Error} from reading it */
async function snapshotsAt(path: string): Promise<string[]> {
  const { snapshots } = await headOf(path);
  if (snapshots === undefined) return [];
  return snapshotNames(await readFrom(path, Number(snapshots.offset), TABLE_BYTES), snapshots.count);
}

/** Results of `read` for each qcow2 disk of a VM of this host, by target. Unreadable disks are left out. */
async function inDisks(
  { link }: Pick<LibvirtHost, "link">,
  { name: vm, disks }: Pick<VM, "name" | "disks">,
  read: (path: string) => Promise<string[]>,
): Promise<Map<string, DiskNames>> {
  const found = new Map<string, DiskNames>();
  if (link.machine === null) return found;
  for (const { target, source: path, type, format } of keptDisks(disks)) {
    if (path === undefined || format !== "qcow2" || (type !== "file" && type !== "block")) continue;
    try {
      found.set(target, { path, names: await read(path) });
    } catch (error) {
      const isUnreadable = isSystemError(error) || isNotResponding(error) || error instanceof ImageError;
      if (!isUnreadable) throw error;
      log.debug("what a disk keeps within itself cannot be read", { vm, path, error: messageOf(error) });
    }
  }
  return found;
}

/** The bitmaps in the qcow2 disks of a VM. */
export async function diskBitmaps(
  host: Pick<LibvirtHost, "link">,
  vm: Pick<VM, "name" | "disks">,
): Promise<DiskBitmap[]> {
  const found = await inDisks(host, vm, bitmapsAt);
  return [...found].flatMap(([target, { path, names }]) => names.map((name) => ({ target, path, name })));
}

/** The snapshots that the qcow2 disks of a VM have within themselves, by target; disks that cannot be read are left out. */
export const diskSnapshots = (
  host: Pick<LibvirtHost, "link">,
  vm: Pick<VM, "name" | "disks">,
): Promise<Map<string, DiskNames>> => inDisks(host, vm, snapshotsAt);

/** Reason why a VM cannot be reverted to a snapshot within its disks. */
export interface RevertBar {
  /** As a sentence's end. */
  readonly reason: string;
  /** Advice to the user. */
  readonly remedy: string;
  /** libvirt knows of it, and takes no snapshot of a VM that is off with one. */
  readonly isCheckpoint: boolean;
}

/**
 * Reason why a VM cannot be reverted to a snapshot within its disks; undefined where there is none. Checkpoints of our
 * own backups are removed before the revert, where libvirt knows them or the VM is off.
 *
 * @throws {LibvirtError}
 */
export async function revertBar(host: LibvirtHost, vm: VM): Promise<RevertBar | undefined> {
  const isActive = host.inventory.active().includes(vm.id);
  const checkpoints = await host.link.call("checkpointNames", { uuid: vm.id });
  const foreign = checkpoints.find((name) => checkpointOf(name) === undefined);
  if (foreign !== undefined) {
    return {
      reason: `another program keeps the checkpoint ${oneLine(foreign, 100)} in it`,
      remedy: "Delete that with that program",
      isCheckpoint: true,
    };
  }
  const known = new Set(checkpoints);
  const bitmap = (await diskBitmaps(host, vm)).find(({ name }) =>
    !known.has(name) && (isActive || checkpointOf(name) === undefined)
  );
  if (bitmap === undefined) return undefined;
  const isForeign = checkpointOf(bitmap.name) === undefined;
  return {
    reason: `disk ${bitmap.target} has the dirty bitmap ${oneLine(bitmap.name, 100)} of ${
      isForeign ? "another program" : "an earlier backup"
    }`,
    remedy: isForeign ? removalOf(bitmap) : "Shut the VM down, then try again",
    isCheckpoint: false,
  };
}

/** Text on how to remove a bitmap. Its name comes from an image: one that is not safe to show is left out. */
function removalOf({ path, name }: Pick<DiskBitmap, "path" | "name">): string {
  const isShown = [path, name].every((text) => oneLine(text, 300) === text);
  const advice = "Shut the VM down and remove it";
  return isShown ? `${advice}: qemu-img bitmap --remove ${shellWord(path)} ${shellWord(name)}` : advice;
}
