/**
 * Dirty bitmaps in the disks of VMs. QEMU reverts no disk that has one ("Device has active dirty bitmaps"), and libvirt has
 * ended the VM by then: they are looked for in the disks, whoever has left them.
 */
import { checkpointOf } from "../../lib/backup/checkpoint.ts";
import type { VM } from "../../lib/contract/mod.ts";
import { bitmapDirectory, bitmapNames } from "../../lib/formats/qcow2/bitmaps.ts";
import { HEAD_BYTES, ImageError, readQcow2Header } from "../../lib/formats/qcow2/qcow2_header.ts";
import { messageOf } from "../../lib/text/message.ts";
import { oneLine } from "../../lib/text/text.ts";
import { keptDisks } from "../../lib/vm/snapshots.ts";
import { isSystemError } from "../files.ts";
import { openFile, readAt, readStart } from "../host_file.ts";
import type { Host } from "../hosts/host.ts";
import { isLocal } from "../libvirt/uri.ts";
import { log } from "../log.ts";

/** A bitmap in a disk. */
export interface DiskBitmap {
  readonly target: string;
  readonly path: string;
  readonly name: string;
}

/** The names of the bitmaps in a qcow2 file. @throws {ImageError} @throws {Error} from reading it */
async function bitmapsAt(path: string): Promise<string[]> {
  const directory = bitmapDirectory(readQcow2Header(await readStart(path, HEAD_BYTES)));
  if (directory === undefined) return [];
  const file = await openFile(path);
  // Not `using`: the bundler takes a variable out that is read once, and then nothing is closed.
  try {
    return bitmapNames(await readAt(file, directory.offset, directory.length), directory.count);
  } finally {
    file.close();
  }
}

/** The bitmaps in the qcow2 disks of a VM of this host. What cannot be read now is told by QEMU. */
export async function diskBitmaps(
  { link }: Pick<Host, "link">,
  { name: vm, disks }: Pick<VM, "name" | "disks">,
): Promise<DiskBitmap[]> {
  if (!isLocal(link.uri)) return [];
  const found: DiskBitmap[] = [];
  for (const { target, source: path, type, format } of keptDisks(disks)) {
    if (path === undefined || format !== "qcow2" || (type !== "file" && type !== "block")) continue;
    try {
      for (const name of await bitmapsAt(path)) found.push({ target, path, name });
    } catch (error) {
      if (!isSystemError(error) && !(error instanceof ImageError)) throw error;
      log.debug("the bitmaps of a disk cannot be read", { vm, path, error: messageOf(error) });
    }
  }
  return found;
}

/** What keeps a VM from being reverted to what is within its disks. */
export interface RevertBar {
  /** As a sentence's end. */
  readonly reason: string;
  /** What helps. */
  readonly remedy: string;
  /** libvirt knows of it, and takes no snapshot of a VM that is off with one. */
  readonly isCheckpoint: boolean;
}

/**
 * What keeps a VM from being reverted to what is within its disks; undefined where nothing does. What backups of ours have
 * left goes before, where libvirt knows it or the VM is off.
 *
 * @throws {LibvirtError}
 */
export async function revertBar(host: Host, vm: VM): Promise<RevertBar | undefined> {
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
  return bitmap && {
    reason: `disk ${bitmap.target} has the dirty bitmap ${oneLine(bitmap.name, 100)} of another program`,
    remedy: `Shut the VM down and remove it: qemu-img bitmap --remove ${oneLine(bitmap.path, 300)} ${
      oneLine(bitmap.name, 100)
    }`,
    isCheckpoint: false,
  };
}
