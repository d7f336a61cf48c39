/** The commands on snapshots. */
import { message, render, rendered, type Unrendered } from "../../../lib/i18n/message.ts";
import { ContractError, type DiskChain, type Snapshot, type VM } from "../../../lib/contract/mod.ts";
import type { snapshotCommands } from "../../../lib/contract/mod.ts";
import { encryptedDisks } from "../../../lib/formats/xml/backup.ts";
import { isBeingDeleted } from "../../../lib/formats/xml/snapshot.ts";
import { parseXml, type XmlElement } from "../../../lib/formats/xml/tree.ts";
import {
  externalRevertHindrance,
  keptDisks,
  noSnapshot,
  type RevertHindrance,
  revertHindrance,
  savedMemoryHindrance,
  snapshotKind,
  snapshotNameAt,
} from "../../../lib/vm/snapshots.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { descendants } from "../../../lib/vm/snapshot_tree.ts";
import { isLive } from "../../../lib/vm/state.ts";
import { includes, type Principal } from "../../access.ts";
import type { Clock } from "../../clock.ts";
import type { Handlers } from "../../dispatch.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { log } from "../../log.ts";
import { backingChain } from "../../storage/disk_images/backing.ts";
import { snapshotsChanged } from "../../storage/volume_usage.ts";
import { findVolumeAt } from "../../storage/volumes.ts";
import { deleteExternalSnapshot, requireDeletable } from "./delete.ts";
import type { SnapshotImages } from "./images.ts";
import { overlayHindrance } from "./overlays.ts";
import { lostImages, revertExternalSnapshot } from "./revert.ts";
import { contentsOf, type FoundSnapshot, scan } from "./scan.ts";
import { takeExternalSnapshot } from "./take.ts";
import { unsettledImageText } from "./next_start.ts";
import { deleteWithin, revertWithin, takeWithin } from "./within.ts";
import { requireOwnImages } from "../../storage/image_conflicts.ts";
import { dropCheckpoints } from "../checkpoints.ts";
import { type DiskNames, diskSnapshots, type RevertBar, revertBar } from "../disk_bitmaps.ts";
import { requireOwner } from "../lifecycle/power.ts";
import { sizeInSnapshot } from "../vm_size.ts";
import { keepLabels } from "./keep_labels.ts";
import { broughtMac } from "../mac_owner.ts";
import { requireReachable } from "../../storage/reachable.ts";
import { requireNoSavedMemory } from "../saved_memory.ts";

type SnapshotHandlers = Pick<Handlers, keyof typeof snapshotCommands>;

/** libvirt's words for the state a VM had → ours. */
const STATES: Readonly<Record<string, Snapshot["state"]>> = {
  "shutoff": "stopped",
  "disk-snapshot": "stopped",
  "running": "running",
  "paused": "paused",
};

/** The definitions of a VM: what is stored, and what runs. */
async function definitions({ link }: LibvirtHost, vm: VM): Promise<[string, ...string[]]> {
  const read = (inactive: boolean) => link.call("domainXml", { uuid: vm.id, secure: false, inactive });
  return isLive(vm) ? [await read(true), await read(false)] : [await read(true)];
}

/** Facts of a VM whose snapshots are worked on. */
interface Known {
  readonly vm: VM;
  readonly stored: string;
  readonly domains: readonly XmlElement[];
  readonly present: readonly FoundSnapshot[];
  /** Reason why it cannot be reverted to snapshots within its disks. */
  readonly bar: RevertBar | undefined;
  /** Snapshots within its disks, by target, as far as they are known. */
  readonly within: ReadonlyMap<string, DiskNames>;
}

/** Why a VM cannot go back to a snapshot. */
function hindranceOf(found: FoundSnapshot, { vm, domains, bar, within }: Known): RevertHindrance | undefined {
  if (isBeingDeleted(found)) {
    return { reason: "its deletion was begun and did not end: it can only be deleted", forOthers: false };
  }
  const saved = savedMemoryHindrance(vm);
  if (saved !== undefined) return { reason: saved, forOthers: false };
  if (!found.isExternal && bar !== undefined) {
    return {
      reason: message`${bar.reason}, with which QEMU reverts no disk. ${bar.remedy}`,
      forOthers: false,
    };
  }
  if (!found.isExternal) {
    const definition = revertHindrance(found, domains);
    const lost = found.internalDisks.find((target) =>
      within.get(target)?.names.includes(found.name) === false
    );
    return lost === undefined || definition?.forOthers === false
      ? definition
      : { reason: message`disk ${lost} does not hold it any more: it can only be deleted`, forOthers: false };
  }
  const reason = externalRevertHindrance(found, vm.disks);
  return reason === undefined ? undefined : { reason, forOthers: false };
}

/** Why a VM cannot go back to a definition with a network card whose address another VM has by now. */
function macHindrance({ inventory }: LibvirtHost, found: FoundSnapshot, vm: VM): RevertHindrance | undefined {
  if (found.isExternal) return undefined; // it leaves the configuration as it is
  const other = broughtMac(inventory.vms(), vm, found.domains);
  if (other === undefined) return undefined;
  const owner = { ...other.vm, name: oneLine(other.vm.name, 60) };
  const reason =
    message`its network card ${other.mac} has the MAC address that ${owner} has by now. Give ${owner} another one first`;
  return { reason, forOthers: false };
}

/** Images of external snapshots that are in no storage pool. */
async function outsidePools(
  { link }: LibvirtHost,
  present: readonly FoundSnapshot[],
): Promise<ReadonlySet<string>> {
  const outside = new Set<string>();
  for (const path of contentsOf(present).keys()) {
    if (await findVolumeAt(link, path) === undefined) outside.add(path);
  }
  return outside;
}

/** Why a VM cannot go back to a snapshot that lies outside the pools. */
function outsideHindrance(
  { externalDisks }: FoundSnapshot,
  outside: ReadonlySet<string>,
): RevertHindrance | undefined {
  const disk = externalDisks.find(({ path }) => path !== undefined && outside.has(path));
  return disk && {
    reason:
      message`its external image ${disk.path} is in no active storage pool. Start its pool, or make one of its folder, first`,
    forOthers: false,
  };
}

/** The images that the disks of a VM are made of, where they are several. */
async function chainsOf({ link }: LibvirtHost, { vm, present }: Known): Promise<DiskChain[]> {
  if (link.machine === null) return [];
  const contents = contentsOf(present);
  const image = (path: string) => ({ path, snapshots: contents.get(path) ?? [] });
  const chains: DiskChain[] = [];
  for (const { target, source, type, format } of keptDisks(vm.disks)) {
    if (source === undefined || type !== "file" || format !== "qcow2") continue;
    try {
      const below = await backingChain(source);
      if (below.length > 0) chains.push({ target, images: [source, ...below].map(image) });
    } catch (error) {
      log.debug("the chain of a disk cannot be read", { path: source, error });
    }
  }
  return chains;
}

/** Dependencies of the snapshot commands. */
export interface SnapshotContext {
  readonly host: LibvirtHost;
  readonly images: SnapshotImages;
  readonly clock: Clock;
}
/** Reads and checks of a VM before its snapshots are changed. */
function snapshotLookup({ host, images }: SnapshotContext) {
  async function know(vmId: string): Promise<Known> {
    const vm = host.requireVm(vmId);
    const [present, xmls, bar, within] = await Promise.all([
      scan(host, vm),
      definitions(host, vm),
      revertBar(host, vm),
      diskSnapshots(host, vm),
    ]);
    images.take(vmId, present);
    return { vm, stored: xmls[0], domains: xmls.map((xml) => parseXml(xml)), present, bar, within };
  }

  async function kindOf({ vm, stored, domains, present, bar }: Known, disksOnly: boolean) {
    if (bar?.isCheckpoint && !isLive(vm)) {
      return noSnapshot(message`${bar.reason}, and the VM is off. ${bar.remedy}`);
    }
    const subject = {
      vm,
      domain: domains[0]!,
      present,
      encrypted: encryptedDisks(stored),
      bar: bar?.reason,
    };
    const kind = snapshotKind(subject, disksOnly);
    if (kind.kind !== "external") return kind;
    const elsewhere = await overlayHindrance(host, keptDisks(vm.disks));
    return elsewhere === undefined ? kind : noSnapshot(message`${kind.reason}, and ${elsewhere}`);
  }

  const shown = (
    found: FoundSnapshot,
    known: Known,
    { lost = [], outside = new Set() }: { lost?: readonly string[]; outside?: ReadonlySet<string> } = {},
  ): Unrendered<Snapshot> => {
    const hindrance = macHindrance(host, found, known.vm) ?? hindranceOf(found, known) ??
      outsideHindrance(found, outside);
    return {
      name: found.name,
      description: found.description ?? "",
      createdAt: found.createdAt * 1000,
      ...(found.parent !== undefined && { parent: found.parent }),
      current: found.isCurrent,
      state: STATES[found.state] ?? "other",
      memory: found.memory !== "no",
      external: found.isExternal,
      ...(hindrance && { hindrance: hindrance.reason }),
      ...(!hindrance && found.isExternal && lost.length > 0 && { loses: [...lost] }),
    };
  };

  /** Images that a revert would delete; empty where the pools cannot be read now. */
  const lostOf = (vm: VM, present: readonly FoundSnapshot[]) =>
    lostImages(host, vm, present).catch((error) => {
      log.debug("what a revert would delete is not known", { vm: vm.name, error });
      return [];
    });

  /** The snapshot of this name. @throws {ContractError} SnapshotNotFound */
  function requireFound({ present }: Known, name: string): FoundSnapshot {
    const found = present.find((each) => each.name === name);
    if (found === undefined) throw new ContractError("SnapshotNotFound", { name });
    return found;
  }

  async function requireRevertable(known: Known, name: string, principal: Pick<Principal, "role">) {
    const found = requireFound(known, name);
    const hindrance = macHindrance(host, found, known.vm) ?? hindranceOf(found, known) ??
      outsideHindrance(found, await outsidePools(host, [found]));
    if (hindrance === undefined) return found;
    if (hindrance.forOthers && includes(principal.role, "administrator")) return found;
    throw new ContractError("SnapshotNotRevertable", { name, reason: hindrance.reason });
  }

  return { know, kindOf, shown, lostOf, requireFound, requireRevertable };
}

type SnapshotLookup = ReturnType<typeof snapshotLookup>;

function listHandler(
  { host }: SnapshotContext,
  { know, kindOf, lostOf, shown }: SnapshotLookup,
): Pick<Handlers, "list_snapshots"> {
  return {
    list_snapshots: async ({ vmId }) => {
      const known = await know(vmId);
      const { vm, present } = known;
      const kind = await kindOf(known, false);
      const isExternalKind = kind.kind === "external";
      const [lost, outside, chains] = await Promise.all([
        present.some(({ isExternal }) => isExternal) ? lostOf(vm, present) : [],
        outsidePools(host, present),
        chainsOf(host, known),
      ]);
      return {
        snapshots: present.map((each) => shown(each, known, { lost, outside })),
        ...(kind.kind === "none" && { hindrance: kind.reason }),
        withMemory: isLive(vm) && !isExternalKind,
        ...(isExternalKind && { external: render(kind.reason) }),
        ...(isExternalKind && isLive(vm) && vm.guestAgent === "connected" && { quiesces: true }),
        ...(chains.length > 0 && { chains }),
      };
    },
  };
}

function createHandler(
  { host, images, clock }: SnapshotContext,
  { know, kindOf }: SnapshotLookup,
): Pick<Handlers, "create_snapshot"> {
  return {
    create_snapshot: async (
      { vmId, name = snapshotNameAt(clock.now()), description, memory = true, quiesce },
      { principal },
    ) => {
      const vm = host.requireVm(vmId);
      let taken: Awaited<ReturnType<SnapshotHandlers["create_snapshot"]>> = { name };
      await host.claims.operate(vm, "taking a snapshot", async () => {
        const known = await know(vmId);
        await requireReachable(host, known.stored);
        const kind = await kindOf(known, !memory || quiesce === true);
        if (kind.kind === "none") throw new ContractError("SnapshotNotPossible", { reason: kind.reason });
        if (known.present.some((each) => each.name === name)) {
          throw new ContractError("SnapshotExists", { name });
        }
        if (kind.kind === "internal") await takeWithin(host, known, { name, description }, principal);
        else {
          await dropCheckpoints(host, known.vm);
          taken = await takeExternalSnapshot(host, known.vm, { name, description, quiesce }, {
            principal,
            clock,
          });
          images.take(vmId, await scan(host, known.vm));
        }
      }).finally(() => snapshotsChanged(host.link));
      return taken;
    },
  };
}

function revertHandler(
  { host }: SnapshotContext,
  { know, requireRevertable }: SnapshotLookup,
): Pick<Handlers, "revert_snapshot"> {
  const { link } = host;
  return {
    revert_snapshot: async ({ vmId, name }, { principal }) => {
      const vm = host.requireVm(vmId);
      await host.claims.operate(vm, "reverting to a snapshot", async () => {
        await requireNoSavedMemory(host, vm);
        const known = await know(vmId);
        await requireReachable(host, known.stored);
        const found = await requireRevertable(known, name, principal);
        const startsIt = !host.inventory.active().includes(vmId) && found.memory !== "no";
        if (startsIt) {
          host.maintenance.requireInService();
          requireOwner(host, vm);
        }
        const reason = await unsettledImageText(host, known.vm);
        if (reason !== undefined) throw new ContractError("SnapshotNotRevertable", { name, reason });
        await requireReachable(host, await link.call("snapshotXml", { uuid: vmId, name }));
        if (!found.isExternal) {
          await requireOwnImages(host, known.vm);
          using admission = host.projects.grow(vm, await sizeInSnapshot(host, vmId, name));
          await revertWithin(host, known.vm, found, principal);
          admission.keep();
        } else {
          await dropCheckpoints(host, known.vm);
          await revertExternalSnapshot(host, known.vm, found, known.present, principal);
          await keepLabels(host, known.vm);
        }
      }).finally(() => snapshotsChanged(link));
      return null;
    },
  };
}

function deleteHandler(
  { host, images }: SnapshotContext,
  { know, requireFound, shown }: SnapshotLookup,
): Pick<Handlers, "delete_snapshot"> {
  return {
    delete_snapshot: async ({ vmId, name, children = false }, { principal }) => {
      const vm = host.requireVm(vmId);
      await host.claims.operate(vm, "deleting a snapshot", async () => {
        const known = await know(vmId);
        await requireReachable(host, known.stored);
        const { isExternal } = requireFound(known, name);
        // What memory was saved with is what the disks have now, which deletion within them leaves.
        if (!isExternal) return await deleteWithin(host, known.vm, name, children);
        await requireNoSavedMemory(host, vm);
        const all = known.present.map((each) => shown(each, known));
        const below = children ? descendants(rendered<Snapshot[]>(all), name).toReversed() : [];
        const doomed = [...below.map((child) => child.name), name];
        await requireDeletable(host, known.vm, doomed, known.present);
        await dropCheckpoints(host, known.vm);
        for (const each of doomed) {
          const present = await scan(host, vm);
          await deleteExternalSnapshot(host, vmId, each, present, principal);
        }
        images.take(vmId, await scan(host, vm));
      }).finally(() => snapshotsChanged(host.link));
      return null;
    },
  };
}

/** A handler for each of them. */
export function snapshotHandlers(context: SnapshotContext): SnapshotHandlers {
  const lookup = snapshotLookup(context);
  return {
    ...listHandler(context, lookup),
    ...createHandler(context, lookup),
    ...revertHandler(context, lookup),
    ...deleteHandler(context, lookup),
  };
}
