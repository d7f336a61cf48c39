/** Common parts of copies of VMs, for clones, templates and the VMs made of them: disks, UEFI variables, seeds. */
import { ContractError, type Disk, type VM } from "../../../lib/contract/mod.ts";
import { SEED_SUFFIX } from "../../../lib/formats/xml/seed_drive.ts";
import { summarizePool } from "../../../lib/formats/xml/volume.ts";
import { isSeed } from "../../../lib/vm/cloud_init/seed_file.ts";
import { isSystemError, isTaken } from "../../machine/files.ts";
import { plainPath } from "../../machine/host_file.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { log } from "../../log.ts";
import { identityAt } from "../../operations/file_identity.ts";
import type { Steps } from "../../operations/operation.ts";
import type { FileMade } from "../../operations/step.ts";
import { imageHeadBytes } from "../../storage/disk_images/chain.ts";
import { volumeOfDisk } from "../../storage/disk_path.ts";
import { volumePlace } from "../../storage/volume_steps.ts";
import { findVolumeAt, findVolumeNamed, keepsFiles, type PoolVolume } from "../../storage/volumes.ts";
import { message, type Sentence } from "../../../lib/i18n/message.ts";

/** A disk to be copied: which, its volume, and where the copy goes. */
export interface DiskCopy {
  readonly target: string;
  readonly source: PoolVolume;
  /** The format the VM has it in. */
  readonly used: string;
  readonly pool: string;
}

/** Pool of the copies, and whether they are overlays. */
export interface DiskCopyRequest {
  /** Each disk's own when left out. */
  readonly pool?: string | undefined;
  readonly linked?: boolean | undefined;
}

/** Disks that a VM writes to alone; CDs, read-only and shared ones are used by the copy as well. */
export const isOwnDisk = ({ device, readOnly, shareable, source }: Disk) =>
  source !== undefined && !readOnly && !shareable && device !== "cdrom" && device !== "floppy";

/** The volume of a file that lies in a pool's folder although the pool has not seen it yet. */
async function volumeAfterRefresh(
  { link }: LibvirtHost,
  { type, source: path }: Disk,
): Promise<PoolVolume | undefined> {
  if (path === undefined || (type !== "file" && type !== "block")) return undefined;
  const folder = path.slice(0, path.lastIndexOf("/"));
  for (const { name, state, xml } of await link.call("poolScan")) {
    if (state !== 2 || summarizePool(xml).path !== folder) continue;
    await link.call("poolRefresh", { pool: name });
    return await findVolumeAt(link, path);
  }
}

/** Why a disk is no volume that could be copied: what is missing, and what to do. */
async function whyNoVolume({ link }: LibvirtHost, { type, source = "" }: Disk): Promise<string> {
  if (type !== "file" && type !== "block" && type !== "volume") {
    return `it is of the type ${type}, which is in no storage pool of this host`;
  }
  const slash = type === "volume" ? source.indexOf("/") : source.lastIndexOf("/");
  const [place, name] = [source.slice(0, slash), source.slice(slash + 1)];
  for (const pool of await link.call("poolScan")) {
    const isHere = type === "volume" ? pool.name === place : summarizePool(pool.xml).path === place;
    if (!isHere) continue;
    return pool.state === 2
      ? `there is no volume ${name} in the storage pool ${pool.name}: the image is missing. Put it back or detach the disk`
      : `its storage pool ${pool.name} is not active. Start it, then try again`;
  }
  return type === "volume"
    ? `there is no storage pool ${place}. Define it again or detach the disk`
    : "it is in no storage pool. Make a pool of the folder it is in, then try again";
}

/** @throws {ContractError} DiskNotClonable, before anything is made */
export async function diskCopyOf(
  host: LibvirtHost,
  disk: Disk,
  { pool, linked = false }: DiskCopyRequest,
): Promise<DiskCopy> {
  const { target, source: path = "" } = disk;
  const refuse = (reason: Sentence) => new ContractError("DiskNotClonable", { target, path, reason });
  const source = await volumeOfDisk(host.link, disk) ?? await volumeAfterRefresh(host, disk);
  if (source === undefined) throw refuse(await whyNoVolume(host, disk));
  if (source.encryption?.secret !== undefined) {
    throw refuse("it is encrypted, and its passphrase belongs to it alone");
  }
  // libvirt guesses a volume's format from what is in it, and a guest can write what it likes into a raw disk: copied
  // as the qcow2 it pretends to be, it could name any file of the host as its content (CVE-2013-1922 and its kin).
  const format = disk.format ?? "raw";
  if (format !== (source.format ?? "raw")) {
    throw refuse(message`it is used as ${format}, but its content looks like ${source.format}`);
  }
  if (linked && format === "raw") {
    throw refuse("it is raw, and no disk is built on what a guest has as raw: clone it in full");
  }
  const goal = pool ?? source.pool;
  if (
    (linked || pool !== undefined) && (linked || format !== "raw") && !await keepsFiles(host.link, goal)
  ) {
    throw refuse(message`the pool ${goal} cannot keep ${linked ? "linked disks" : `${format} disks`}`);
  }
  return { target, source, used: format, pool: goal };
}

/** Why volumes cannot be made, told before any is: the first whose name is taken. @throws {LibvirtError} */
export async function takenVolume(
  { link }: LibvirtHost,
  wanted: readonly { readonly pool: string; readonly name: string }[],
): Promise<string | undefined> {
  for (const { pool, name } of wanted) {
    const path = await volumePlace(link, pool, name);
    const isThere = await findVolumeNamed(link, pool, name) !== undefined ||
      (path !== null && await isTaken(plainPath(path)));
    if (isThere) return `the volume ${name} exists already in the pool ${pool}. Choose another name`;
  }
}

/** Drives with a cloud-init seed: it has the original's name and secrets, and belongs to it alone. */
export async function seedDrives({ link }: LibvirtHost, { disks }: VM): Promise<string[]> {
  const found: string[] = [];
  for (const { source, device, target } of disks) {
    if (device !== "cdrom" || source === undefined) continue;
    if (await isSeedAt(link, source)) found.push(target);
  }
  return found;
}

/** Whether a medium is a cloud-init seed. What cannot be read is told by its name. */
export async function isSeedAt(
  { machine }: Pick<LibvirtHost["link"], "machine">,
  path: string,
): Promise<boolean> {
  const canRead = machine !== null && path.endsWith(SEED_SUFFIX) && path.startsWith("/");
  const head = canRead
    ? await imageHeadBytes(machine, path).catch((error) => {
      log.debug("a medium cannot be looked at", { path, error });
      return new Uint8Array();
    })
    : new Uint8Array();
  return isSeed(path, head);
}

/**
 * Copies the file of UEFI variables: boot entries and keys are in it. A source that is not there was never started, and
 * libvirt makes the variables again.
 *
 * @returns whether there is a copy now
 * @param failed makes the error for what else keeps it from being copied
 */
export async function copyNvram(
  { link }: LibvirtHost,
  { from, to }: { readonly from: string; readonly to: string },
  steps: Steps,
  failed: (error: Sentence, cause: unknown) => ContractError,
): Promise<boolean> {
  if (link.machine === null) return false;
  try {
    using source = await link.machine.files.openFile(from);
    if (await link.machine.files.isTaken(plainPath(to))) {
      throw new Deno.errors.AlreadyExists(`${to} exists already`);
    }
    const noted = steps.add<FileMade>({ kind: "file-made", path: to, file: null, at: Date.now() });
    using copy = await link.machine.files.open(plainPath(to), { write: true, createNew: true, mode: 0o600 });
    noted.know({ file: await identityAt(to) });
    await source.readable.pipeTo(copy.writable);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    if (!isSystemError(error)) throw error;
    throw failed(`the UEFI variables cannot be copied: ${error.message}`, error);
  }
}
