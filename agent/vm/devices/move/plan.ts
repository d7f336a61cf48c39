/** Plan of a disk's move: its target, and the obstacles to it. */
import { message, type Sentence, userName } from "../../../../lib/i18n/message.ts";
import { ContractError, type Disk, type Input, type Role, type VM } from "../../../../lib/contract/mod.ts";
import { encryptedDisks, transientDisks } from "../../../../lib/formats/xml/backup.ts";
import { summarizeDomain } from "../../../../lib/formats/xml/domain.ts";
import { includes } from "../../../access.ts";
import type { LibvirtHost } from "../../../hosts/libvirt_host.ts";
import { usesOf } from "../../../storage/disk_images/usage.ts";
import { requirePlaces, requireWritable } from "../../../storage/volume_checks.ts";
import { overlays, readKnownPools, unreadPoolText } from "../../../storage/overlays.ts";
import { requireFreeVolumeName, requireMakeable } from "../../../storage/volume_work.ts";
import { freeCopyName } from "../../../storage/free_name.ts";
import { hasFormats, type PoolVolume } from "../../../storage/volumes.ts";
import { foreignCheckpoint } from "../../checkpoints.ts";
import { type DiskCopy, diskCopyOf } from "../../lifecycle/disk_copies.ts";
import { requireOff } from "../../lifecycle/rename.ts";
import { unsettledImageText } from "../../snapshots/next_start.ts";
import { scan } from "../../snapshots/scan.ts";

/** A disk that can move. */
export interface MovePlan {
  readonly vm: VM;
  readonly target: string;
  /** The VM runs: QEMU copies. */
  readonly isLive: boolean;
  /** The volume it is, the pool it goes to, and the format that it gets. */
  readonly copy: DiskCopy & { readonly used: "qcow2" | "raw" };
  /** The format it has. */
  readonly format: "qcow2" | "raw";
  /** Whether the pool keeps files. */
  readonly toFiles: boolean;
  /** The new volume's. */
  readonly name: string;
  readonly keepsSource: boolean;
}

/** @throws what `work` throws, with what is said of clones said of moves */
export async function movable<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof ContractError) || error.code !== "DiskNotClonable") throw error;
    throw new ContractError("DiskNotMovable", error.details, { cause: error });
  }
}

const refuse = ({ target, source: path = "empty" }: Pick<Disk, "target" | "source">, reason: Sentence) =>
  new ContractError("DiskNotMovable", { target, path, reason });

/** The disk as the VM has it now and at its next start. @throws {ContractError} NoSuchDisk, DiskNotMovable */
async function diskOf(host: LibvirtHost, vm: VM, target: string, isLive: boolean): Promise<Disk> {
  const { link } = host, { id: uuid } = vm;
  const read = (inactive: boolean) => link.call("domainXml", { uuid, secure: false, inactive });
  const xmls = [await read(true), ...isLive ? [await read(false)] : []];
  const found = xmls.map((xml) => summarizeDomain(xml).disks.find((disk) => disk.target === target));
  const next = found.at(0), now = found.at(-1);
  const disk = now ?? next;
  if (disk === undefined) throw new ContractError("NoSuchDisk", { target });
  if (now?.source !== next?.source || now?.format !== next?.format) {
    const unsettled = await unsettledImageText(host, vm);
    throw refuse(
      disk,
      unsettled ?? "it changes at the VM's next start: restart the VM, or discard that change, first",
    );
  }
  refuseKind(disk);
  if (xmls.some((xml) => encryptedDisks(xml).includes(target))) {
    throw refuse(disk, "it is encrypted, and its passphrase belongs to it alone");
  }
  if (xmls.some((xml) => transientDisks(xml).includes(target))) {
    throw refuse(disk, "what is written to it is dropped when the VM stops");
  }
  return disk;
}

/** @throws {ContractError} DiskNotMovable for what is no disk that the VM has for itself */
function refuseKind(disk: Disk): void {
  const { device, source, readOnly, shareable } = disk;
  const why = device === "cdrom" || device === "floppy"
    ? "it is a drive: insert a medium of the other pool instead"
    : device === "lun"
    ? "it is a device that is passed through"
    : source === undefined
    ? "it has no image"
    : shareable
    ? "it is marked as shared with other VMs"
    : readOnly
    ? "it is read-only, so it is not this VM's own"
    : undefined;
  if (why !== undefined) throw refuse(disk, why);
}

/** @throws {ContractError} DiskNotMovable for a disk that snapshots have: they would be lost, or not be what they were */
async function refuseSnapshots(host: LibvirtHost, vm: VM, disk: Disk): Promise<void> {
  const has = (disks: readonly { readonly target: string }[]) =>
    disks.some(({ target }) => target === disk.target);
  const found = await scan(host, vm);
  const internal = found.filter(({ internalDisks }) => internalDisks.includes(disk.target));
  const external = found.filter(({ externalDisks }) => has(externalDisks));
  const names = (all: typeof found) => all.map(({ name }) => name).join(", ");
  if (internal.length > 0) {
    throw refuse(
      disk,
      message`snapshots are within its image (${names(internal)}), and would be lost: delete them first`,
    );
  }
  if (external.length === 0) return;
  throw refuse(
    disk,
    message`it is built on the images of snapshots (${
      names(external)
    }): delete them first, which merges them`,
  );
}

/** @throws {ContractError} DiskNotMovable, DiskInUse for what somebody else needs as it is, where it is */
async function refuseUsers(
  host: LibvirtHost,
  vm: VM,
  disk: Disk,
  { pool, path }: PoolVolume,
  keepsSource: boolean,
): Promise<void> {
  const other = (await usesOf(host, path)).find((use) => use.vmId !== vm.id || use.target !== disk.target);
  if (other !== undefined) throw new ContractError("DiskInUse", { vm: userName(other), path });
  const keeper = await host.keepers.of(path);
  if (keeper !== undefined) throw refuse(disk, message`it belongs to the ${keeper}`);
  if (keepsSource) return;
  await host.inventory.storage.volumes(pool);
  // An overlay may lie in any pool
  const [unread] = await readKnownPools(host);
  if (unread !== undefined) {
    throw refuse(disk, message`${unreadPoolText(unread, path)}, or keep the old volume`);
  }
  const above = await (await overlays(host))(path);
  if (above === undefined) return;
  throw refuse(disk, message`the volume ${above.name} of ${above.pool} is built on it: keep the old volume`);
}

/** @throws {ContractError} DiskNotMovable while QEMU works on the VM's disks already */
export async function refuseCopied(
  { link }: LibvirtHost,
  { id: uuid, disks }: VM,
  disk: Disk,
): Promise<void> {
  if (await link.call("backupNow", { uuid }) !== null) {
    throw refuse(
      disk,
      "the VM's disks are being copied just now, by a backup or a clone: wait until that has ended",
    );
  }
  for (const { target, source } of disks) {
    if (source === undefined || await link.call("blockJobNow", { uuid, target }) === null) continue;
    throw refuse(
      disk,
      message`QEMU copies or merges disk ${target} of the VM just now: wait until that has ended`,
    );
  }
}

/** @throws {ContractError} DiskNotMovable for what another program notes of it: libvirt does not take that along */
async function refuseCheckpoints(host: LibvirtHost, { id: uuid }: VM, disk: Disk): Promise<void> {
  const other = await foreignCheckpoint(host, uuid);
  if (other === undefined) return;
  throw refuse(
    disk,
    message`the VM has a checkpoint of another program (${other}), which would be lost: delete it with that`,
  );
}

/** Bytes that the copy may take: a device all of its size, and what a disk is built on is copied, too. */
const bytesOf = ({ source }: DiskCopy, toFiles: boolean): number =>
  !toFiles || source.backing !== undefined ? source.capacity : source.allocation;

/**
 * Decides whether a disk can move, and to what.
 *
 * @throws {ContractError} VmNotFound, VmNotPersistent, VmMustBeOff, NoSuchDisk, DiskNotMovable, DiskInUse, Forbidden,
 * StoragePoolNotFound, StoragePoolNotActive, StoragePoolReadOnly, NotOnThisHost, DiskExceedsPool, VolumeExists
 * @throws {LibvirtError}
 */
export async function planMove(
  host: LibvirtHost,
  { vmId, target, pool, format: wanted, name, keepSource: keepsSource = false }: Input<"move_disk">,
  role: Role,
): Promise<MovePlan> {
  const vm = host.requireVm(vmId);
  if (!vm.persistent) throw new ContractError("VmNotPersistent");
  const isLive = host.inventory.active().includes(vm.id);
  if (!isLive) requireOff(host, vm);
  if (!keepsSource && !includes(role, "administrator")) {
    throw new ContractError("Forbidden", { role: "administrator" }, {
      message: "Deleting the old volume is for administrators: keep it (keepSource)",
    });
  }
  const disk = await diskOf(host, vm, target, isLive);
  const toFiles = hasFormats(requireMakeable(host, pool));
  if (!toFiles && wanted === "qcow2") {
    const reason = `format: the pool ${pool} keeps raw devices`;
    throw new ContractError("InvalidInput", { reason, field: "format" });
  }
  const copy = await movable(diskCopyOf(host, disk, {}));
  if (copy.source.pool === pool) {
    throw refuse(disk, message`it is in the pool ${pool} already: choose another`);
  }
  if (copy.used !== "qcow2" && copy.used !== "raw") {
    throw refuse(disk, message`its format is ${copy.used}, and only qcow2 and raw disks are copied`);
  }
  const { used: format } = copy;
  await refuseSnapshots(host, vm, disk);
  await refuseUsers(host, vm, disk, copy.source, keepsSource);
  if (isLive) await refuseCopied(host, vm, disk);
  await refuseCheckpoints(host, vm, disk);
  if (!keepsSource) await requireWritable(host, copy.source.pool);
  await requirePlaces(host, [{ pool, bytes: bytesOf(copy, toFiles) }]);
  if (name !== undefined) await requireFreeVolumeName(host, pool, name);
  const goal = { ...copy, pool, used: toFiles ? wanted ?? format : "raw" } as const;
  return {
    vm,
    target,
    isLive,
    copy: goal,
    format,
    toFiles,
    keepsSource,
    name: name ?? await freeCopyName(host, {
      pool,
      target,
      from: copy.source.name,
      format: toFiles ? goal.used : undefined,
    }),
  };
}
