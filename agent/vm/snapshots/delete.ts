/**
 * Deleting an external snapshot: its image and the one that went on from it become one, so that chains
 * get short again. It is marked before anything of it changes, and can be deleted again where that ends in the middle.
 */
import { message, type Sentence, vmName } from "../../../lib/i18n/message.ts";
import { LibvirtError } from "../../../ffi/error.ts";
import { ContractError, type VM } from "../../../lib/contract/mod.ts";
import {
  isBeingDeleted,
  markedAsDeleting,
  pivotingDisk,
  withImageMoved,
} from "../../../lib/formats/xml/snapshot.ts";
import { keptDisks } from "../../../lib/vm/snapshots.ts";
import type { Principal } from "../../access.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { undefinedIfMissing } from "../../machine/files.ts";
import { plainPath } from "../../machine/host_file.ts";
import type { JobHandle } from "../../jobs/jobs.ts";
import { ToolError } from "../../libvirt/failure.ts";
import type { ChangeWanted } from "../../operations/step.ts";
import { keyOf } from "../../operations/operation_record.ts";
import { t } from "../../operations/outcome.ts";
import { wholeChain } from "../../storage/disk_images/backing.ts";
import type { CheckedImage } from "../../storage/disk_images/check.ts";
import { imageUsers } from "../../storage/disk_images/users.ts";
import { ImageLocked, rebaseImage } from "../../storage/qemu_img.ts";
import { findVolumeAt, type PoolVolume } from "../../storage/volumes.ts";
import { deleteDisk } from "../lifecycle/delete.ts";
import { originOf } from "../../storage/disk_origin.ts";
import { noteSuccessor } from "../disk_lineage.ts";
import { mergeImages } from "./merge.ts";
import { leftOn } from "../../storage/overlays.ts";
import { builtOn, diskAt, judge, rereadBackings, storeDisks } from "./overlays.ts";
import { unsettledImageText } from "./next_start.ts";
import { contentsOf, type FoundSnapshot, snapshotError } from "./scan.ts";

type ExternalDisk = FoundSnapshot["externalDisks"][number];

/** The change of the image of a snapshot's disk. */
type Fate =
  /** It stays: something else needs it, as it is. */
  | { readonly does: "keep" }
  /** Nothing is built on it, and no VM has it. */
  | { readonly does: "drop"; readonly path: string }
  /** The image built on it was merged before, and this one is of no use now. */
  | {
    readonly does: "clean";
    readonly path: string;
    /** The VM's disk that was on it, and whose stored definition may still be. */
    readonly target: string | undefined;
  }
  | {
    readonly does: "merge";
    readonly lower: { readonly path: string; readonly format: "raw" | "qcow2" };
    readonly upper: PoolVolume;
    /** The VM's disk in whose chain the upper one is. */
    readonly target: string | undefined;
    readonly isHead: boolean;
  };

/** Present images of a VM's disks. */
interface Chains {
  /** Target → paths, what the VM writes to first. */
  readonly byTarget: ReadonlyMap<string, readonly string[]>;
}

/**
 * Reads what the VM's disks are on, and that every image of it and of its snapshots is there: what an image that is missing
 * is built on cannot be told, and would be taken for an image that nothing needs.
 *
 * @throws {ContractError} SnapshotNotDeletable
 */
async function chainsOf(
  { link: { machine } }: LibvirtHost,
  vm: VM,
  snapshot: FoundSnapshot,
  all: readonly FoundSnapshot[],
): Promise<Chains> {
  const chainAt = async (path: string, format: string | undefined, whose: string): Promise<string[]> => {
    if (machine === null) return [];
    const { images, missing } = format === "qcow2" ? await wholeChain(path) : {
      images: [],
      missing: await undefinedIfMissing(machine.files.lstat(plainPath(path))) ? undefined : path,
    };
    if (missing === undefined) return images.map((image) => image.path);
    throw refused(
      snapshot.name,
      message`the image ${missing} of ${whose} is missing. Put it back, or start its storage pool`,
    );
  };
  const byTarget = new Map<string, readonly string[]>();
  for (const { target, source, format, type } of keptDisks(vm.disks)) {
    if (source === undefined) continue;
    const isImage = type === "file" || (type === "block" && format === "qcow2");
    const below = isImage ? await chainAt(source, format, `the disk ${target}`) : [];
    byTarget.set(target, [source, ...below]);
  }
  // Of one that is being deleted, images may have gone
  const whole = isBeingDeleted(snapshot) ? all.filter((each) => each !== snapshot) : all;
  const seen = new Set([...byTarget.values()].flat());
  for (const each of whole) {
    for (const { path, format, type } of each.externalDisks) {
      if (type !== "file" || path === undefined || seen.has(path)) continue;
      for (const below of [path, ...await chainAt(path, format, `the snapshot ${each.name}`)]) {
        seen.add(below);
      }
    }
  }
  return { byTarget };
}

const refused = (name: string, reason: Sentence) =>
  new ContractError("SnapshotNotDeletable", { name, reason });

/** @throws {ContractError} SnapshotNotDeletable for a snapshot that is not of disks alone */
function requireOurKind({ name, memory, internalDisks, externalDisks }: FoundSnapshot): void {
  if (memory === "no" && internalDisks.length === 0) {
    const odd = externalDisks.find(({ type, path, format }) =>
      type !== "file" || path === undefined || (format !== "raw" && format !== "qcow2")
    );
    if (odd === undefined) return;
    throw refused(name, message`its image of disk ${odd.target} is no file of this host`);
  }
  throw refused(
    name,
    "another program made it, with its memory in a file or with some disks within themselves. " +
      "Delete it with that program",
  );
}

/**
 * The volumes that are built on an image; undefined where the one that a VM's disk is on is in no pool.
 *
 * @param chain the images of that disk, what the VM writes to first
 */
async function volumesAbove(
  host: LibvirtHost,
  path: string,
  chain: readonly string[],
): Promise<PoolVolume[] | undefined> {
  const next = chain[chain.indexOf(path) - 1];
  await rereadBackings(host, path);
  const found = await builtOn(host, path);
  return next === undefined || found.some((volume) => volume.path === next) ? found : undefined;
}

/** Another user of one of these images than the VM and its snapshots. @throws {LibvirtError} */
async function otherUser(
  host: LibvirtHost,
  vm: VM,
  paths: readonly string[],
): Promise<string | undefined> {
  const otherVms = host.inventory.vms().filter(({ id }) => id !== vm.id), stoppedOn = await leftOn(host);
  const stopped = (await Promise.all(paths.map(stoppedOn))).find((overlay) => overlay !== undefined);
  if (stopped !== undefined) return `the volume ${stopped.name} of ${stopped.pool}`;
  return (await imageUsers(host, paths, otherVms)).values().next().value ??
    (await Promise.all(paths.map((each) => host.keepers.of(each, vm.id)))).find((keeper) =>
      keeper !== undefined
    );
}

/**
 * Refuses snapshots of which one cannot be deleted whatever becomes of the others, before any of them is.
 *
 * @throws {ContractError} SnapshotNotDeletable @throws {LibvirtError}
 */
export async function requireDeletable(
  host: LibvirtHost,
  vm: VM,
  names: readonly string[],
  all: readonly FoundSnapshot[],
): Promise<void> {
  const staying = contentsOf(all.filter(({ name }) => !names.includes(name)));
  const unsettled = await unsettledImageText(host, vm);
  for (const snapshot of all.filter(({ name }) => names.includes(name))) {
    requireOurKind(snapshot);
    await chainsOf(host, vm, snapshot, all);
    // What a deletion has left that was cut short is put right by the next one
    if (unsettled !== undefined && !isBeingDeleted(snapshot)) throw refused(snapshot.name, unsettled);
    for (const { path } of snapshot.externalDisks) {
      if (staying.has(path!)) continue;
      const user = await otherUser(host, vm, [path!]);
      if (user !== undefined) {
        throw refused(snapshot.name, message`its image ${path} is also used by ${user}`);
      }
    }
  }
}

/** Decides what is done with one image. @throws {ContractError} SnapshotNotDeletable @throws {LibvirtError} */
async function fateOf(
  host: LibvirtHost,
  vm: VM,
  snapshot: FoundSnapshot,
  all: readonly FoundSnapshot[],
  { path, format }: ExternalDisk,
  { byTarget }: Chains,
): Promise<Fate> {
  const { name } = snapshot;
  const others = all.filter((each) => each.name !== name);
  const contents = contentsOf(others);
  const lower = { path: path!, format: format === "raw" ? "raw" as const : "qcow2" as const };
  if (contents.has(lower.path)) return { does: "keep" };
  const chain = [...byTarget].find(([, paths]) => paths.includes(lower.path));
  const above = await volumesAbove(host, lower.path, chain?.[1] ?? []);
  if (above === undefined) {
    throw refused(
      name,
      message`an image that is built on ${lower.path} is in no active storage pool. Start its pool, or make one of its folder`,
    );
  }
  const [upper, more] = above;
  const user = await otherUser(host, vm, [lower.path, ...above.map((each) => each.path)]);
  if (user !== undefined) throw refused(name, message`its image ${lower.path} is also used by ${user}`);
  if (upper === undefined) {
    return chain === undefined ? { does: "drop", path: lower.path } : { does: "keep" };
  }
  const isDeleting = isBeingDeleted(snapshot);
  const needed = (image: PoolVolume) =>
    contents.has(image.path) || [...byTarget.values()].some((paths) => paths.includes(image.path));
  if (more !== undefined) {
    const names = above.map((each) => contents.get(each.path)?.[0] ?? each.name).join(", ");
    throw refused(
      name,
      message`several images are built on it (${names}): the VM was reverted to it. Delete what came from it first`,
    );
  }
  if (!needed(upper)) {
    // The VM is on the lower one by now, or another snapshot is: all of it was merged.
    if (isDeleting && (await builtOn(host, upper.path)).length === 0) {
      return { does: "clean", path: upper.path, target: chain?.[0] };
    }
    throw refused(name, message`the volume ${upper.name} of ${upper.pool} is built on it`);
  }
  const target = [...byTarget].find(([, paths]) => paths.includes(upper.path))?.[0];
  const isHead = target !== undefined && byTarget.get(target)?.[0] === upper.path;
  return { does: "merge", lower, upper, target, isHead };
}

/** Writes a snapshot's mark: its content changes from here on. @param pivot the disk that QEMU is about to change over */
async function mark(
  { link }: LibvirtHost,
  uuid: string,
  { name, isCurrent }: FoundSnapshot,
  pivot?: string,
): Promise<void> {
  const xml = await link.call("snapshotXml", { uuid, name });
  await link.call("snapshotRedefine", { uuid, xml: markedAsDeleting(xml, pivot), current: isCurrent });
}

/** Merges what goes on from a snapshot's image into it, and has all that was built on the former be built on the latter. */
async function carryOutMerge(
  host: LibvirtHost,
  vm: VM,
  { lower, upper, target, isHead }: Extract<Fate, { does: "merge" }>,
  { snapshot, all, job, onShare, held }: {
    readonly snapshot: FoundSnapshot;
    readonly all: readonly FoundSnapshot[];
    readonly job: JobHandle;
    readonly onShare: (share: number) => void;
    readonly held: DisposableStack;
  },
): Promise<void> {
  const { link } = host;
  const image: CheckedImage = await judge(host, vm, {
    target: target ?? "",
    path: upper.path,
    format: "qcow2",
  }, held);
  job.log(message`Merging ${upper.path} into ${lower.path}`);
  const wish = {
    vm,
    target,
    upper: image,
    lower,
    isHead,
    wasPivoting: target !== undefined && pivotingDisk(snapshot) === target,
  };
  // Before it: a run that ends in the middle goes on without the upper image.
  const before = isHead ? await originOf(host, { type: upper.type, source: upper.path }) : undefined;
  await noteSuccessor(host, vm.id, before, lower.path);
  await mergeImages(host, wish, { job, onShare, beforePivot: () => mark(host, vm.id, snapshot, target) });
  for (const { path } of await builtOn(host, upper.path)) {
    job.log(message`Building ${path} on ${lower.path}`);
    await rebaseImage(path, lower, job.signal);
  }
  await rereadBackings(host, lower.path);
  for (const { name, isCurrent, externalDisks } of all) {
    if (!externalDisks.some(({ path }) => path === upper.path)) continue;
    const xml = await link.call("snapshotXml", { uuid: vm.id, name });
    const moved = withImageMoved(xml, upper.path, lower);
    await link.call("snapshotRedefine", { uuid: vm.id, xml: moved, current: isCurrent });
  }
  if (target !== undefined) await storeChain(host, vm, target, isHead ? lower : undefined);
}

/**
 * Writes into the VM's stored definition what one of its disks is on, with the whole chain.
 *
 * @param head the image it writes to; the one that the VM has now when left out
 */
async function storeChain(
  host: LibvirtHost,
  vm: VM,
  target: string,
  head?: Extract<Fate, { does: "merge" }>["lower"],
): Promise<void> {
  using judging = new DisposableStack();
  const disk = head === undefined
    ? diskAt(vm.disks.find((each) => each.target === target)!)
    : { target, ...head };
  const stored = await judge(host, vm, disk, judging);
  await storeDisks(host, vm, new Map([[target, stored]]));
  await host.reread(vm);
}

/** Deletes an image that nothing needs, unless that was done before. @throws {Error} */
async function discard(host: LibvirtHost, path: string): Promise<void> {
  const volume = await findVolumeAt(host.link, path);
  using _held = volume && host.locks.take(volume.pool, volume.name);
  await undefinedIfMissing(deleteDisk(host, path));
}

/**
 * Deletes one external snapshot of a VM that the caller holds.
 *
 * @throws {ContractError} SnapshotNotDeletable, SnapshotDeleteFailed, JobCancelled, StorageBusy
 */
export async function deleteExternalSnapshot(
  host: LibvirtHost,
  vmId: string,
  name: string,
  all: readonly FoundSnapshot[],
  principal: Pick<Principal, "name">,
): Promise<void> {
  const vm = host.requireVm(vmId);
  const snapshot = all.find((each) => each.name === name);
  if (snapshot === undefined) throw new ContractError("SnapshotNotFound", { name });
  requireOurKind(snapshot);
  const chains = await chainsOf(host, vm, snapshot, all);
  const fates: Fate[] = [];
  for (const disk of snapshot.externalDisks) {
    fates.push(await fateOf(host, vm, snapshot, all, disk, chains));
  }
  const about = {
    command: "delete_snapshot",
    subject: vm.name,
    vmId,
    actor: principal.name,
    keys: [keyOf.vm(vmId)],
  } as const;
  const carryOut = (job: JobHandle) =>
    host.operations.run(about, async (operation) => {
      operation.showsAs(job.id);
      await mark(host, vmId, snapshot);
      // What ends in the middle is begun again: the mark says that this snapshot is to go.
      const noted = operation.add<ChangeWanted>({
        kind: "change-wanted",
        command: "delete_snapshot",
        input: { vmId, name },
      });
      const merged: string[] = [];
      const onMerged = (target: string) => {
        merged.push(target);
        noted.know({ parts: [...merged] }, true);
      };
      await carryOutAll(host, vmId, snapshot, { fates, all, job, onMerged }).catch((error) => {
        if (merged.length > 0 && isFailed(error)) throw partlyMerged(error, merged);
        if (!(error instanceof ToolError)) throw error;
        // A QEMU that is on its way out, or one that libvirt has lost: nothing is refused for good.
        if (error instanceof ImageLocked) {
          throw new ContractError("StorageBusy", { what: vmName(vm) }, { cause: error });
        }
        throw new ContractError("SnapshotDeleteFailed", { error: error.message }, { cause: error });
      });
    });
  const spec = {
    command: "delete_snapshot",
    title: message`Delete the snapshot ${name} of ${vmName(vm)}`,
    actor: principal.name,
    vmId,
    lane: "copy",
    ifInterrupted: t("operations.later"),
  } as const;
  try {
    await host.jobs.run(spec, carryOut);
  } catch (error) {
    throw snapshotError(error, name, "SnapshotDeleteFailed", "delete_snapshot");
  }
}

/** Whether it is what keeps a merge from its end, other than a storage that is busy or a libvirt that is away. */
const isFailed = (error: unknown): error is Error =>
  (error instanceof ContractError && error.code === "SnapshotDeleteFailed") ||
  (error instanceof ToolError && !(error instanceof ImageLocked)) ||
  (error instanceof LibvirtError && error.kind === "libvirt");

/** Why a deletion ended after the images of some disks were merged: those stay so. */
function partlyMerged(cause: Error, merged: readonly string[]): ContractError {
  const why = cause instanceof ContractError ? String(cause.details?.error) : cause.message;
  const error = `${why}. Disks whose images are merged already: ${merged.join(", ")}. ` +
    "Delete the snapshot again to finish it";
  return new ContractError("SnapshotDeleteFailed", { error }, { cause });
}

async function carryOutAll(
  host: LibvirtHost,
  vmId: string,
  snapshot: FoundSnapshot,
  { fates, all, job, onMerged }: {
    readonly fates: readonly Fate[];
    readonly all: readonly FoundSnapshot[];
    readonly job: JobHandle;
    /** Is told the target of each disk that is done. */
    readonly onMerged: (target: string) => void;
  },
): Promise<void> {
  const merges = fates.flatMap((fate) => fate.does === "merge" ? [fate] : []);
  const total = merges.reduce((sum, { upper }) => sum + Math.max(1, upper.allocation), 0);
  let before = 0;
  for (const fate of merges) {
    using held = new DisposableStack();
    const size = Math.max(1, fate.upper.allocation);
    const onShare = (share: number) => job.progress(Math.round(before + size * Math.min(1, share)), total);
    await carryOutMerge(host, host.requireVm(vmId), fate, { snapshot, all, job, onShare, held });
    onMerged(snapshot.externalDisks.find(({ path }) => path === fate.lower.path)!.target);
    before += size;
    job.progress(before, total);
  }
  for (const fate of fates) {
    // QEMU was on the other image already when the merge was cut off; the definition for the next start may not be.
    if (fate.does === "clean" && fate.target !== undefined) {
      await storeChain(host, host.requireVm(vmId), fate.target);
    }
    if (fate.does === "merge") await discard(host, fate.upper.path);
    else if (fate.does !== "keep") await discard(host, fate.path);
  }
  // Last: as long as libvirt knows it, what was left can be deleted by its name.
  await host.link.call("snapshotForget", { uuid: vmId, name: snapshot.name });
}
