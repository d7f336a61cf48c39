/**
 * Going back to an external snapshot, which libvirt 9 cannot: the VM is stopped, its disks go on in new images on
 * those of the snapshot, and the images that nothing needs any more are deleted.
 */
import { sentenceOf } from "../../../lib/contract/errors.ts";
import { message, vmName } from "../../../lib/i18n/message.ts";
import { ContractError, type Disk, type VM } from "../../../lib/contract/mod.ts";
import { disksOf } from "../../../lib/formats/xml/device_diff.ts";
import { keptDisks } from "../../../lib/vm/snapshots.ts";
import type { Principal } from "../../access.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { contractError, isConnectionLost } from "../../libvirt/failure.ts";
import { log } from "../../log.ts";
import type { Operation } from "../../operations/operation.ts";
import { NOTHING, Refused, t } from "../../operations/outcome.ts";
import type { StepRule } from "../../operations/settlement.ts";
import { keyOf } from "../../operations/operation_record.ts";
import { backingChain } from "../../storage/disk_images/backing.ts";
import type { CheckedImage } from "../../storage/disk_images/check.ts";
import { imageUsers } from "../../storage/disk_images/users.ts";
import { fileOf } from "../../storage/volume_steps.ts";
import { deleteDisk } from "../lifecycle/delete.ts";
import { leftOn } from "../../storage/overlays.ts";
import { forceOff } from "../lifecycle/force_off.ts";
import { originOf } from "../../storage/disk_origin.ts";
import { noteSuccessor } from "../disk_lineage.ts";
import { builtOn, type DiskAt, judge, makeOverlay, storeDisks } from "./overlays.ts";
import { contentsOf, type FoundSnapshot } from "./scan.ts";

/**
 * The images of a disk that no snapshot has, what the VM writes to first: several where a snapshot was cut short, of which the
 * image stays in use (docs/snapshots.md). Images below those of all snapshots are the disk's own.
 */
async function imagesSince(
  host: LibvirtHost,
  { type, source, format }: Disk,
  contents: ReadonlyMap<string, unknown>,
): Promise<readonly string[]> {
  if (type !== "file" || source === undefined || contents.has(source)) return [];
  const isRead = host.link.machine !== null && format === "qcow2";
  const chain = [source, ...isRead ? await backingChain(source) : []];
  return chain.slice(0, Math.max(1, chain.findIndex((path) => contents.has(path))));
}

/** Images that a VM writes to now, and that nothing else needs: what a revert throws away. @throws {LibvirtError} */
export async function lostImages(
  host: LibvirtHost,
  vm: VM,
  snapshots: readonly FoundSnapshot[],
): Promise<string[]> {
  const contents = contentsOf(snapshots), stoppedOn = await leftOn(host);
  const chains = await Promise.all(keptDisks(vm.disks).map((disk) => imagesSince(host, disk, contents)));
  const otherVms = host.inventory.vms().filter(({ id }) => id !== vm.id);
  const others = await imageUsers(host, chains.flat(), otherVms);
  const isNeeded = async (path: string, lost: readonly string[]) =>
    others.has(path) || await host.keepers.of(path) !== undefined || await stoppedOn(path) !== undefined ||
    (await builtOn(host, path)).some((volume) => !lost.includes(volume.path));
  const all: string[] = [];
  for (const chain of chains) {
    const lost: string[] = [];
    for (const path of chain) {
      if (await isNeeded(path, lost)) break;
      lost.push(path);
    }
    all.push(...lost);
  }
  return all;
}

/** The image of a snapshot's disk. Their hindrances were looked at before. */
const contentOf = ({ target, path, format }: FoundSnapshot["externalDisks"][number]): DiskAt => ({
  target,
  path: path ?? "",
  format: format === "raw" ? "raw" : "qcow2",
});

/**
 * Brings a VM's disks back to a snapshot. It is off then. What fails before its definition is changed is taken back.
 *
 * @throws {ContractError} SnapshotNotRevertable, SnapshotRevertFailed, StorageBusy, StoragePoolReadOnly
 */
export async function revertExternalSnapshot(
  host: LibvirtHost,
  vm: VM,
  snapshot: FoundSnapshot,
  all: readonly FoundSnapshot[],
  principal: Pick<Principal, "name">,
): Promise<void> {
  const { link, operations } = host;
  const { name } = snapshot;
  using held = new DisposableStack();
  const work = async (operation: Operation) => {
    const images = new Map<string, Pick<CheckedImage, "path" | "format" | "type" | "backing">>();
    for (const disk of snapshot.externalDisks) {
      const { target } = disk;
      const image = await judged(host, vm, name, contentOf(disk), held);
      const what = `after-${name}`;
      const { path } = await makeOverlay(host, operation, { vm, target, image, what }, held);
      images.set(target, { path, format: "qcow2", type: "file", backing: [image, ...image.backing] });
    }
    const lost = await lostImages(host, vm, all);
    const doomed = await Promise.all(lost.map(async (path) => ({
      kind: "disk-doomed" as const,
      path,
      file: await fileOf(link, path),
    })));
    const paths = [...images.values()].map(({ path }) => path);
    operation.addAll([
      { kind: "disks-reverted", uuid: vm.id, name: vm.name, snapshot: name, paths },
      ...doomed,
    ]);
    if (host.inventory.active().includes(vm.id)) await forceOff(host, vm);
    await storeDisks(host, vm, images);
    await noteGoneBack(host, vm, images);
    // From here on the VM is where it was to be: what is still to do is no reason to go back.
    await host.reread(vm);
    await markCurrent(host, vm.id, name);
    for (const { path } of doomed) await removeLost(host, path);
  };
  const spec = {
    command: "revert_snapshot",
    subject: vm.name,
    vmId: vm.id,
    actor: principal.name,
    keys: [keyOf.vm(vm.id)],
  } as const;
  try {
    await operations.run(spec, work);
  } catch (error) {
    throw contractError(error, "SnapshotRevertFailed", "revert_snapshot");
  }
}

/** Notes that disks go on in new images: copies of what they were on before are of the same disks. @throws {LibvirtError} */
async function noteGoneBack(
  host: LibvirtHost,
  { id, disks }: VM,
  images: ReadonlyMap<string, { readonly path: string }>,
): Promise<void> {
  for (const [target, { path }] of images) {
    const disk = disks.find((each) => each.target === target);
    if (disk !== undefined) await noteSuccessor(host, id, await originOf(host, disk), path);
  }
}

/**
 * Deletes an image that nothing needs. One that stays is told of in the log alone.
 *
 * @throws {LibvirtError} when libvirt is away: it is deleted when the operation is settled
 */
export async function removeLost(host: LibvirtHost, path: string): Promise<void> {
  try {
    await deleteDisk(host, path);
  } catch (error) {
    if (isConnectionLost(error)) throw error;
    log.warn("an image that a revert left behind could not be deleted", { path, error });
  }
}

/** @throws {ContractError} SnapshotNotRevertable where the image of a snapshot is missing or not what it was */
async function judged(host: LibvirtHost, vm: VM, name: string, disk: DiskAt, held: DisposableStack) {
  try {
    const image = await judge(host, vm, disk, held);
    const other = image.uses.find(({ vmId, format }) => vmId !== vm.id && format !== undefined);
    if (other === undefined) return image;
    throw new ContractError("DiskRefused", {
      path: disk.path,
      reason: message`${vmName(other)} writes to it now`,
    });
  } catch (error) {
    const isOfImage = error instanceof ContractError &&
      (error.code === "DiskRefused" || error.code === "DiskNotFound");
    if (!isOfImage) throw error;
    throw new ContractError("SnapshotNotRevertable", { name, reason: sentenceOf(error) }, { cause: error });
  }
}

/** Has libvirt note which snapshot the VM came from: the next one is its child. */
async function markCurrent({ link }: LibvirtHost, uuid: string, name: string): Promise<void> {
  try {
    const xml = await link.call("snapshotXml", { uuid, name });
    await link.call("snapshotRedefine", { uuid, xml, current: true });
  } catch (error) {
    log.warn("the snapshot that a VM was reverted to could not be noted as its current one", { uuid, error });
  }
}

/** Looks whether a VM's disks go on in the new images. If not, these go; if so, the old ones do. */
export const disksReverted: StepRule<"disks-reverted"> = {
  finish: async ({ uuid, snapshot, paths }, { vms }) => {
    const domain = await vms.link.call("domainRead", { uuid });
    if (domain === null) return { ...NOTHING, stop: true };
    const xml = await vms.link.call("domainXml", { uuid, secure: false, inactive: true });
    const now = new Set(disksOf(xml).map(({ source }) => source));
    if (!paths.every((path) => now.has(path))) throw new Refused(t("operations.snapshot_not_reverted"));
    await markCurrent(vms, uuid, snapshot);
    await vms.inventory.refresh(uuid);
    return { did: "done" };
  },
};
