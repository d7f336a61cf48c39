/**
 * The disks of a VM that runs, copied into volumes of a clone's own: QEMU writes them, all as they are at one moment, and
 * the guest goes on.
 */
import { message, type Sentence, vmName } from "../../../lib/i18n/message.ts";
import { ContractError, type Disk, type Role, type VM } from "../../../lib/contract/mod.ts";
import {
  type BackupDisk,
  backupXml,
  encryptedDisks,
  transientDisks,
} from "../../../lib/formats/xml/backup.ts";
import type { CopiedDisk } from "../../../lib/formats/xml/clone.ts";
import { summarizeDomain } from "../../../lib/formats/xml/domain.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import type { JobHandle } from "../../jobs/jobs.ts";
import type { Steps } from "../../operations/operation.ts";
import { checkImage } from "../../storage/disk_images/check.ts";
import { makeVolume } from "../../storage/volume_steps.ts";
import {
  copyTarget,
  createVolume,
  findVolumeNamed,
  keepsFiles,
  type PoolVolume,
} from "../../storage/volumes.ts";
import { copyDisks } from "../running_disks.ts";
import { unsettledImageText } from "../snapshots/next_start.ts";
import { editableXml } from "../xml.ts";
import { type DiskCopy, isOwnDisk } from "./disk_copies.ts";

/** A copy of disks of a VM that runs. */
export interface LiveCopy {
  readonly vm: VM;
  /** The name of the clone. */
  readonly name: string;
  readonly copies: readonly DiskCopy[];
  /** Role of the principal. */
  readonly role: Role;
}

const refuse = ({ target, source: path = "" }: Pick<Disk, "target" | "source">, reason: Sentence) =>
  new ContractError("DiskNotClonable", { target, path, reason });

/** Bytes that a copy of a disk takes: QEMU writes a raw one whole, and what a disk is built on, too. */
export const liveBytes = ({ source, used }: DiskCopy): number =>
  used === "raw" || source.backing !== undefined ? source.capacity : source.allocation;

/**
 * The definition of the next start of a VM that runs, whose disks QEMU can copy now.
 *
 * @throws {ContractError} DiskNotClonable, VmBusy @throws {LibvirtError}
 */
export async function liveDefinition(host: LibvirtHost, vm: VM): Promise<string> {
  const { link } = host, { id: uuid } = vm;
  const definition = await editableXml(host, vm);
  const running = await link.call("domainXml", { uuid, secure: false, inactive: false });
  const [now, next] = [running, definition].map((xml) => {
    const own = summarizeDomain(xml).disks.filter(isOwnDisk);
    return new Map(own.map((disk) => [disk.target, disk]));
  }) as [Map<string, Disk>, Map<string, Disk>];
  for (const disk of [...now.values(), ...next.values()]) {
    const other = now.get(disk.target), same = next.get(disk.target);
    if (other?.source === same?.source && other?.format === same?.format) continue;
    const unsettled = await unsettledImageText(host, vm);
    throw refuse(
      disk,
      unsettled ?? "it changes at the VM's next start: restart the VM, or discard that change, first",
    );
  }
  const encrypted = new Set(encryptedDisks(running)), transient = new Set(transientDisks(running));
  for (const disk of now.values()) {
    const { target, device } = disk;
    if (device === "lun") throw refuse(disk, "it is a device that is passed through: shut the VM down first");
    if (encrypted.has(target)) throw refuse(disk, "it is encrypted, and its passphrase belongs to it alone");
    if (transient.has(target)) throw refuse(disk, "what is written to it is dropped when the VM stops");
  }
  if (await link.call("backupNow", { uuid }) !== null) throw copiedAlready();
  return definition;
}

const copiedAlready = () => new ContractError("VmBusy", { operation: "copying its disks" });

/**
 * Copies the disks of a VM that runs.
 *
 * @param held the volumes, until the clone is made
 * @throws {ContractError} DiskNotClonable, VmBusy, CloneFailed, JobCancelled @throws {LibvirtError}
 */
export async function copyLive(
  host: LibvirtHost,
  { vm, name, copies, role }: LiveCopy,
  { job, steps, held }: { readonly job: JobHandle; readonly steps: Steps; readonly held: DisposableStack },
): Promise<Map<string, CopiedDisk>> {
  const { link, inventory } = host;
  const targets = copies.map(({ target }) => target);
  const sizes = await sizesOf(host, vm, copies);
  const made = new Map<string, PoolVolume>();
  for (const copy of copies) {
    const wish = { path: copy.source.path, format: copy.used === "qcow2" ? copy.used : "raw" } as const;
    await checkImage(host, wish, { purpose: "content", role }, held);
    made.set(
      copy.target,
      await makeTarget(host, {
        copy,
        name: `${name}-${copy.target}.${copy.used}`,
        capacity: sizes.get(copy.target)!,
      }, { job, steps, held }),
    );
  }
  const goals = vm.disks.filter(({ source }) => source !== undefined).map(({ target }): BackupDisk => {
    const volume = made.get(target);
    const format = volume?.format ?? "raw";
    return { target, file: volume?.path, format, isDevice: volume?.type === "block" };
  });
  const files = new Set([...made.values()].map(({ path }) => path));
  const total = [...sizes.values()].reduce((sum, bytes) => sum + bytes, 0);
  if (targets.length > 0) {
    const { isFrozen } = await copyDisks({
      host,
      vm,
      targets,
      steps,
      job,
      clock: host.clock,
      ways: [{ xml: backupXml(goals), checkpoint: null, isReused: true }],
      isOurs: (file) => files.has(file),
      label: "beginning a clone",
      onBytes: (done) => job.progress(Math.min(done, total), total),
      refused: copiedAlready,
      failed: (error, cause) => new ContractError("CloneFailed", { error }, { cause }),
    });
    job.log(
      isFrozen
        ? message`The disks are as they were when the guest agent had frozen the file systems of ${
          vmName(vm)
        }`
        : message`The disks are as after a power cut: no guest agent froze the file systems of ${vmName(vm)}`,
    );
  }
  const copied = new Map<string, CopiedDisk>();
  for (const [target, volume] of made) {
    const { path, type, format } = volume;
    const whole = await findVolumeNamed(link, volume.pool, volume.name);
    if (whole !== undefined) inventory.storage.put(whole);
    copied.set(target, { path, type, format, backing: [] });
  }
  return copied;
}

/**
 * Sizes of disks as their guest sees them: QEMU copies into nothing that is larger or smaller.
 *
 * @throws {ContractError} DiskNotClonable @throws {LibvirtError}
 */
export async function sizesOf(
  { link }: LibvirtHost,
  { id: uuid }: VM,
  copies: readonly Pick<DiskCopy, "target" | "source">[],
): Promise<Map<string, number>> {
  const targets = copies.map(({ target }) => target);
  const found = await link.call("domainDiskSizes", { uuid, targets });
  const sizes = new Map(found.map(({ target, capacity }) => [target, capacity]));
  for (const { target, source: { path } } of copies) {
    if (!sizes.has(target)) throw refuse({ target, source: path }, "QEMU does not tell its size");
  }
  return sizes;
}

/**
 * Makes the empty volume that QEMU copies a disk into, in the format of the copy.
 *
 * @param name the volume's
 * @throws {ContractError} DiskNotClonable, StorageBusy @throws {LibvirtError}
 */
export async function makeTarget(
  host: LibvirtHost,
  { name: volumeName, copy, capacity }: {
    readonly name: string;
    readonly copy: DiskCopy;
    readonly capacity: number;
  },
  { job, steps, held }: { readonly job: JobHandle; readonly steps: Steps; readonly held: DisposableStack },
): Promise<PoolVolume> {
  const { link } = host, { target, source, used, pool } = copy;
  job.log(message`Copying ${target}: ${source.path} to ${pool}/${volumeName}`);
  held.use(host.locks.take(pool, volumeName, { hold: "make" }));
  // A device has no format, and no holes.
  const format = await keepsFiles(link, pool) ? used : undefined;
  const wanted = copyTarget({ capacity, format }, { name: volumeName, format });
  const volume = await makeVolume(
    link,
    steps,
    { pool, name: volumeName },
    () => createVolume(link, pool, wanted),
  );
  const shown = { target, source: source.path };
  if (volume.type !== "file" && volume.type !== "block") {
    throw refuse(
      shown,
      message`QEMU copies to files and devices, and the pool ${pool} has neither: choose another`,
    );
  }
  // QEMU would refuse it, and libvirt 9.0 ends where it does for one of several disks.
  if (volume.capacity !== capacity) {
    throw refuse(
      shown,
      message`it has ${capacity} bytes, and the pool ${pool} makes volumes of ${volume.capacity}: choose another pool, or shut the VM down`,
    );
  }
  return { ...volume, format };
}
