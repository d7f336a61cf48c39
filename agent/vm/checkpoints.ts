/**
 * Checkpoints that backups have in VMs. QEMU notes from each on what is written, in the disks themselves. They stand in
 * the way of snapshots: libvirt takes none of a VM that is off, and a revert ends a VM that runs (QEMU: "Device has active
 * dirty bitmaps"). So they go before; the next backup reads the disks in full.
 */
import { LibvirtError } from "../../ffi/error.ts";
import { checkpointOf } from "../../lib/backup/checkpoint.ts";
import type { VM } from "../../lib/contract/mod.ts";
import {
  HEAD_BYTES,
  headRefusal,
  ImageError,
  readQcow2Header,
} from "../../lib/formats/qcow2/qcow2_header.ts";
import { messageOf } from "../../lib/text/message.ts";
import { plainPath, readStart } from "../machine/host_file.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import { log } from "../log.ts";
import { runProgram } from "../machine/programs.ts";
import { diskBitmaps } from "./disk_bitmaps.ts";

/** A checkpoint of ours. */
export interface OwnCheckpoint {
  readonly name: string;
  readonly backupId: string;
  readonly copyId: string;
}

/** The checkpoints of a VM that are ours. @throws {LibvirtError} */
export async function ownCheckpoints({ link }: LibvirtHost, uuid: string): Promise<OwnCheckpoint[]> {
  const names = await link.call("checkpointNames", { uuid });
  return names.flatMap((name) => {
    const of = checkpointOf(name);
    return of === undefined ? [] : [{ name, ...of }];
  });
}

/** The name of a checkpoint that another program has in a VM; undefined where there is none. @throws {LibvirtError} */
export async function foreignCheckpoint(
  { link }: Pick<LibvirtHost, "link">,
  uuid: string,
): Promise<string | undefined> {
  const names = await link.call("checkpointNames", { uuid });
  return names.find((each) => checkpointOf(each) === undefined);
}

/** Milliseconds that qemu-img may take to forget one: it writes little. */
const BITMAP_MS = 60_000;

/** Takes what a checkpoint has left out of an unused qcow2 file. One without the file has nothing to take out. */
async function forget(path: string, name: string): Promise<void> {
  try {
    const refusal = headRefusal(readQcow2Header(await readStart(path, HEAD_BYTES)));
    if (refusal !== null) throw new ImageError(refusal);
    // Without the images that it is built on: nothing of them is needed.
    const node = { driver: "qcow2", file: { driver: "file", filename: plainPath(path) }, backing: null };
    const args = ["bitmap", "--remove", `json:${JSON.stringify(node)}`, name];
    const { success, stderr } = await runProgram("qemu-img", args, { limitMs: BITMAP_MS });
    const error = stderr.trim();
    if (!success && !/not found/i.test(error)) throw new ImageError(error);
  } catch (error) {
    log.warn("a disk keeps what a checkpoint noted", { path, error: messageOf(error) });
  }
}

/**
 * Deletes a checkpoint of ours. libvirt leaves what is in the disks of a VM that is off, or that QEMU does not know any
 * more: then the record goes at least.
 *
 * @throws {LibvirtError}
 */
async function drop(host: LibvirtHost, vm: VM, name: string): Promise<void> {
  const { link, inventory } = host, { id: uuid } = vm;
  if (inventory.active().includes(uuid)) {
    try {
      await link.call("checkpointDelete", { uuid, name, metadataOnly: false });
      return;
    } catch (error) {
      if (!(error instanceof LibvirtError) || error.kind !== "libvirt") throw error;
      log.debug("a checkpoint could not be deleted whole", { vm: vm.name, name, error });
    }
  }
  await link.call("checkpointDelete", { uuid, name, metadataOnly: true });
  if (inventory.active().includes(uuid)) return;
  for (const { source, format, device } of vm.disks) {
    if (source !== undefined && format === "qcow2" && device === "disk") await forget(source, name);
  }
}

/** Deletes checkpoints of ours that fit, and of a VM that is off what those have left in its disks. @throws {LibvirtError} */
export async function dropCheckpoints(
  host: LibvirtHost,
  vm: VM,
  fits: (checkpoint: OwnCheckpoint) => boolean = () => true,
): Promise<void> {
  for (const checkpoint of await ownCheckpoints(host, vm.id)) {
    if (fits(checkpoint)) await drop(host, vm, checkpoint.name);
  }
  if (host.inventory.active().includes(vm.id)) return;
  // Whose records are lost, as by a definition that was taken away and brought back
  for (const { path, name } of await diskBitmaps(host, vm)) {
    const of = checkpointOf(name);
    if (of !== undefined && fits({ name, ...of })) await forget(path, name);
  }
}

/** As {@link dropCheckpoints}, where it is no harm if some stay: the next run looks again. */
export async function dropQuietly(
  host: LibvirtHost,
  vm: VM,
  fits: (checkpoint: OwnCheckpoint) => boolean,
): Promise<void> {
  await dropCheckpoints(host, vm, fits).catch((error) =>
    log.warn("checkpoints of earlier backups stay for now", { vm: vm.name, error: messageOf(error) })
  );
}
