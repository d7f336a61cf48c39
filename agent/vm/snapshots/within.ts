/**
 * Snapshots within the disks, with the memory of what runs: libvirt takes, brings back and deletes them. What it does of
 * several steps is written down before: one that is ended in the middle leaves a VM paused or off.
 */
import { LibvirtError } from "../../../ffi/error.ts";
import { ContractError, type VM } from "../../../lib/contract/mod.ts";
import { drivesOf } from "../../../lib/formats/xml/seed_drive.ts";
import { withHostRules } from "../../../lib/formats/xml/host_rules.ts";
import { LEFT_AT, leftSnapshotXml, newSnapshotXml } from "../../../lib/formats/xml/snapshot.ts";
import { messageOf } from "../../../lib/text/message.ts";
import { keptDisks } from "../../../lib/vm/snapshots.ts";
import { isLive } from "../../../lib/vm/state.ts";
import type { Principal } from "../../access.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { isFromSnapshot, isPaused, isStoppedForSnapshot, wasShutDown } from "../../hosts/inventory/states.ts";
import { contractError, isConnectionLost } from "../../libvirt/failure.ts";
import { log } from "../../log.ts";
import type { Operation } from "../../operations/operation.ts";
import { left, NOTHING, Refused, removed, t } from "../../operations/outcome.ts";
import type { StepRule } from "../../operations/settlement.ts";
import type { SnapshotMade, SnapshotReverted } from "../../operations/step.ts";
import { keyOf } from "../../operations/operation_record.ts";
import { dropCheckpoints } from "../checkpoints.ts";
import { isOff } from "../lifecycle/undefine.ts";
import { diskSnapshots } from "../disk_bitmaps.ts";
import { afterItsStart } from "../steps.ts";
import { emptyForeignSeeds } from "./foreign_seeds.ts";
import { keepLabels } from "./keep_labels.ts";
import { type FoundSnapshot, scan, snapshotError } from "./scan.ts";

/** Milliseconds after which going back to a snapshot is no longer what somebody waits for. */
const REVERT_WITHIN_MS = 600_000;

type Actor = Pick<Principal, "name">;

const specOf = (command: "create_snapshot" | "revert_snapshot", { id, name }: VM, actor: Actor) =>
  ({ command, subject: name, vmId: id, actor: actor.name, keys: [keyOf.vm(id)] }) as const;

/** Paths of the cloud-init seeds that a VM has in its drives, now and at its next start. @throws {LibvirtError} */
async function seedsNow({ link }: LibvirtHost, vm: VM): Promise<string[]> {
  const xmls = await Promise.all(
    (isLive(vm) ? [false, true] : [true]).map((inactive) =>
      link.call("domainXml", { uuid: vm.id, secure: false, inactive })
    ),
  );
  return xmls.flatMap((xml) => drivesOf(xml).seed?.path ?? []);
}

/** libvirt said no, or that it failed: it has taken back what it did, and nothing is settled. */
const isAnswer = (error: unknown): boolean => error instanceof LibvirtError && error.kind === "libvirt";

/**
 * Takes one. A VM that runs stands still meanwhile.
 *
 * @throws {ContractError} SnapshotNotPossible, SnapshotFailed
 */
export async function takeWithin(
  host: LibvirtHost,
  { vm }: { readonly vm: VM },
  { name, description }: { readonly name: string; readonly description: string | undefined },
  actor: Actor,
): Promise<void> {
  const { link, operations } = host, { id: uuid } = vm;
  const kept = new Set(keptDisks(vm.disks));
  const disks = vm.disks.map((disk) => ({ target: disk.target, isKept: kept.has(disk) }));
  const xml = newSnapshotXml({ name, description, memory: isLive(vm), disks });
  const taken = [...await diskSnapshots(host, vm)].find(([, { names }]) => names.includes(name));
  if (taken !== undefined) {
    const reason =
      `disk ${taken[0]} has a snapshot of this name that libvirt does not know, and that this one would ` +
      "take the place of. Choose another name";
    throw new ContractError("SnapshotNotPossible", { reason });
  }
  try {
    await dropCheckpoints(host, vm);
    await operations.run(specOf("create_snapshot", vm, actor), async (operation: Operation) => {
      // Of a moment that is over nothing is taken later.
      operation.turnBack();
      const noted = operation.add<SnapshotMade>({
        kind: "snapshot-made",
        uuid,
        name: vm.name,
        snapshot: name,
        xml,
        wasRunning: vm.state === "running",
      });
      await link.call("snapshotCreate", { uuid, xml }).catch((error) => {
        if (isAnswer(error)) noted.drop();
        throw error;
      });
    });
  } catch (error) {
    throw contractError(error, "SnapshotFailed", "create_snapshot");
  }
}

/** Follow-up work of a revert: the screen's password, the tags and group, seeds of other VMs. @throws {LibvirtError} */
async function afterRevert(
  host: LibvirtHost,
  { uuid, name, tags, group, seeds = [] }: Pick<
    SnapshotReverted,
    "uuid" | "name" | "tags" | "group" | "seeds"
  >,
): Promise<void> {
  // A memory that was kept had the password of its run.
  await host.link.call("domainRenewPasswords", { uuid, restored: true }).catch((error) =>
    log.warn("a VM continues with the screen password of its snapshot", { vm: name, error })
  );
  await keepLabels(host, { id: uuid, tags, ...(group !== undefined && { group }) });
  await emptyForeignSeeds(host, uuid, seeds);
}

/**
 * Writes into a snapshot what the host enforces on the VM's cards and disks now: libvirt brings back all that is in it, and
 * runs it so at once.
 *
 * @throws {LibvirtError}
 */
async function keepHostRules(
  { link }: LibvirtHost,
  uuid: string,
  { name, isCurrent }: Pick<FoundSnapshot, "name" | "isCurrent">,
): Promise<void> {
  const [before, definition] = await Promise.all([
    link.call("snapshotXml", { uuid, name }),
    link.call("domainXml", { uuid, secure: false, inactive: true }),
  ]);
  const xml = withHostRules(before, definition);
  if (xml !== before) await link.call("snapshotRedefine", { uuid, xml, current: isCurrent });
}

/**
 * Brings a VM back to one. Network filters and limits stay as they are.
 *
 * @throws {ContractError} SnapshotNotFound, SnapshotRevertFailed
 */
export async function revertWithin(
  host: LibvirtHost,
  vm: VM,
  snapshot: Pick<FoundSnapshot, "name" | "state" | "isCurrent">,
  actor: Actor,
): Promise<void> {
  const { link, operations } = host, { id: uuid, tags, group } = vm, { name, state } = snapshot;
  const step: SnapshotReverted = {
    kind: "snapshot-reverted",
    uuid,
    name: vm.name,
    snapshot: name,
    state,
    wasLive: isLive(vm),
    at: Date.now(),
    tags,
    ...(group !== undefined && { group }),
    seeds: await seedsNow(host, vm),
  };
  try {
    await dropCheckpoints(host, vm);
    await operations.run(specOf("revert_snapshot", vm, actor), async (operation: Operation) => {
      await keepHostRules(host, uuid, snapshot);
      const noted = operation.add<SnapshotReverted>(step);
      await link.call("snapshotRevert", { uuid, name }).catch((error) => {
        if (isAnswer(error)) noted.drop();
        throw error;
      });
      await afterRevert(host, step);
    });
  } catch (error) {
    throw snapshotError(error, name, "SnapshotRevertFailed", "revert_snapshot");
  }
}

/** Deletes one, with those that came from it where wished. @throws {ContractError} SnapshotNotFound, SnapshotDeleteFailed */
export async function deleteWithin(
  host: LibvirtHost,
  vm: VM,
  name: string,
  children: boolean,
): Promise<void> {
  try {
    await dropCheckpoints(host, vm);
    await host.link.call("snapshotDelete", { uuid: vm.id, name, children });
  } catch (error) {
    throw snapshotError(error, name, "SnapshotDeleteFailed", "delete_snapshot");
  }
}

/**
 * Lets a VM run on that libvirt had stopped for a snapshot, and takes away what is in its disks of one that libvirt does not
 * know: it deletes only what it knows, so it is told of it first.
 */
export const snapshotMade: StepRule<"snapshot-made"> = {
  undo: async ({ uuid, snapshot, xml: wanted, wasRunning }, { vms }) => {
    const { link, inventory } = vms, domain = await link.call("domainRead", { uuid });
    if (domain === null) return NOTHING;
    // While libvirt still takes it, it refuses this: then it is tried again.
    if (wasRunning && isStoppedForSnapshot(domain)) await link.call("domainResume", { uuid });
    await inventory.refresh(uuid);
    const found = (await scan(vms, { id: uuid })).find(({ name }) => name === snapshot);
    if (found !== undefined && found.createdAt !== LEFT_AT) return { did: "kept" };
    if (found === undefined) {
      const definition = await link.call("domainXml", { uuid, secure: true, inactive: true });
      const xml = leftSnapshotXml(wanted, { definition, isOff: isOff(domain) });
      await link.call("snapshotRecord", { uuid, xml, isCurrent: false });
    }
    await link.call("snapshotDelete", { uuid, name: snapshot, children: false });
    return removed(snapshot);
  },
};

/** Brings a VM back that a revert has left off or stopped. One that runs as before stays as it is. */
export const snapshotReverted: StepRule<"snapshot-reverted"> = {
  finish: async (step, settlement) => {
    const { vms } = settlement, { link } = vms, { uuid, name, snapshot, state, wasLive, at } = step;
    // A libvirt that was killed while it began the VM from there: the new one ends that QEMU.
    const domain = await afterItsStart(uuid, settlement);
    if (domain === null) return { ...NOTHING, stop: true };
    if (!isOff(domain) && !isFromSnapshot(domain)) return { ...NOTHING, stop: true };
    // It was let run since, and shut down or suspended: what it did stays
    if (wasLive && isOff(domain) && (wasShutDown(domain) || domain.managedSave)) {
      return { ...NOTHING, stop: true };
    }
    try {
      if (isOff(domain)) {
        if (Date.now() - at > REVERT_WITHIN_MS) return left(name, t("operations.too_late"));
        await link.call("snapshotRevert", { uuid, name: snapshot });
      } else if (isPaused(domain) && state === "running") await link.call("domainResume", { uuid });
    } catch (error) {
      if (isConnectionLost(error) || !(error instanceof LibvirtError)) throw error;
      throw new Refused(messageOf(error), { cause: error });
    }
    await afterRevert(vms, step);
    return { did: "done" };
  },
};
