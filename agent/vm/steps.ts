/** VMs as steps: defined, started, forgotten. */
import { undefinedIfMissing } from "../machine/files.ts";
import type { DomainRecord } from "../../ffi/calls/mod.ts";
import { isStartingUp } from "../hosts/inventory/states.ts";
import { requireItsNetworksRespond } from "../hosts/responsive.ts";
import { contractError, isConnectionLost } from "../libvirt/failure.ts";
import { log } from "../log.ts";
import { messageOf } from "../../lib/text/message.ts";
import { rebase } from "../storage/bin/rebase.ts";
import { recordSnapshots } from "./lifecycle/bin.ts";
import { deleteDisk } from "./lifecycle/delete.ts";
import { replaceState } from "./lifecycle/replace_state.ts";
import { vmRenamed } from "./lifecycle/rename.ts";
import { definitionFor } from "./lifecycle/unbin.ts";
import { defineAgain, eraseNvram, isOff, keepRunning, undefineStopped } from "./lifecycle/undefine.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import { forgetEntry, forgetUnlessKept } from "../storage/bin/keep.ts";
import { binReplaced } from "../storage/bin/replaced.ts";
import { findVolumeNamed } from "../storage/volumes.ts";
import { left, NOTHING, Refused, removed, type StepOutcome, t, Unsettled } from "../operations/outcome.ts";
import type { Settlement, StepRule, StepRules } from "../operations/settlement.ts";
import { requireOwnImages } from "../storage/image_conflicts.ts";
import { requireSourcesReachable } from "../storage/reachable.ts";

/** Milliseconds a definition and what belongs to it may take: what is written to a disk later, a guest wrote. */
const DEFINING_MS = 120_000;
/** Milliseconds in which a start that was cut short is over, or never will be: libvirt is given less for one that is not. */
const STARTING_MS = 150_000;
/** Milliseconds after which a start that was asked for is no longer what somebody waits for. */
const START_WITHIN_MS = 600_000;

/** Whether a disk of the VM was changed after it was made: somebody has used it since. */
async function wasUsed(
  { vms: { link } }: Settlement,
  paths: readonly string[],
  at: number,
): Promise<boolean> {
  if (link.machine === null) return false;
  for (const path of paths) {
    const info = await undefinedIfMissing(link.machine.files.statFile(path));
    if (info?.isFile && (info.mtime?.getTime() ?? 0) > at + DEFINING_MS) return true;
  }
  return false;
}

/**
 * Reads a VM whose start, if there was one, is over. What is left of a start in which libvirtd was killed the new
 * one ends as soon as QEMU answers it; a QEMU that never does would be left for good, and is ended here. Its CPUs never
 * ran, so nothing is lost with it.
 *
 * @throws {Unsettled} while a start is under way, whose end is not known
 */
export async function afterItsStart(
  uuid: string,
  { vms: { link }, operation: { subject, cut } }: Settlement,
): Promise<DomainRecord | null> {
  const domain = await link.call("domainRead", { uuid });
  if (domain === null || !isStartingUp(domain)) return domain;
  if (Date.now() - (cut?.at ?? Date.now()) > STARTING_MS) {
    log.warn("a start that was cut short does not end by itself: its QEMU is ended", { vm: subject });
    await link.call("domainDestroy", { uuid });
    const after = await link.call("domainRead", { uuid });
    if (after === null || !isStartingUp(after)) return after;
  }
  throw new Unsettled(t("operations.is_starting"));
}

/** Takes a definition back, unless somebody uses the VM by now. */
const domainMade: StepRule<"domain-made"> = {
  undo: async ({ uuid, name, at, keepsState }, settlement) => {
    const { vms: { inventory } } = settlement;
    const domain = await afterItsStart(uuid, settlement);
    if (domain === null) return NOTHING;
    const stays = (reason: string): StepOutcome => ({ ...left(name, reason), stop: true });
    if (!isOff(domain)) return stays(t("operations.is_running"));
    const paths = domain.summary.disks.flatMap(({ source, readOnly }) => source && !readOnly ? [source] : []);
    if (await wasUsed(settlement, paths, at)) return stays(t("operations.was_used"));
    // With whatever libvirt keeps for it, unless that was there before.
    const call = keepsState ? "domainUndefineKeeping" : "domainUndefine";
    if (!await undefineStopped(settlement.vms, uuid, call)) return stays(t("operations.is_running"));
    await inventory.refresh(uuid);
    return removed(name);
  },
};

/** Starts a VM that was asked to be started, with the networks it needs. */
const startWanted: StepRule<"start-wanted"> = {
  finish: async ({ uuid, name, networks, at }, settlement) => {
    const { vms: { link, inventory }, run, operation: { actor } } = settlement;
    const domain = await afterItsStart(uuid, settlement);
    if (domain === null) return NOTHING;
    if (!isOff(domain)) return { did: "done", note: t("operations.started", { what: name }) };
    if (Date.now() - at > START_WITHIN_MS) {
      const reason = t("operations.too_late");
      return { did: "left", note: t("operations.not_started", { what: name, reason }) };
    }
    try {
      for (const network of networks) {
        if (inventory.networks.record(network)?.active === false) {
          await run("start_network", { name: network }, actor);
        }
      }
      requireItsNetworksRespond(settlement.vms, settlement.vms.requireVm(uuid));
      await requireSourcesReachable(settlement.vms, { id: uuid });
      await requireOwnImages(settlement.vms, { id: uuid, disks: domain.summary.disks });
      await link.call("domainStart", { uuid });
    } catch (error) {
      if (isConnectionLost(error)) throw error;
      const told = contractError(error, "StartFailed", "create_vm");
      throw new Refused(told instanceof Error ? told.message : String(told), { cause: error });
    }
    await inventory.refresh(uuid);
    return { did: "done", note: t("operations.started", { what: name }) };
  },
};

/** Looks whether a VM is gone: only then is anything of it deleted, its NVRAM first. One that runs by now is defined again. */
const domainDoomed: StepRule<"domain-doomed"> = {
  finish: async ({ uuid, nvram }, { vms }) => {
    if (await keepRunning(vms.link, uuid)) return { did: "nothing", stop: true };
    if (nvram !== undefined) await eraseNvram(vms, uuid, nvram);
    return { did: "done" };
  },
};

/** Looks whether a VM that was going into the bin is gone. One that is there stays, and the bin knows nothing of it. */
const vmBinned: StepRule<"vm-binned"> = {
  finish: async ({ uuid, entry: id, nvram }, { vms }) => {
    const { link, bin } = vms, entry = bin.get(id);
    if (await keepRunning(link, uuid)) {
      if (entry !== undefined) await forgetEntry(vms, entry);
      return { did: "nothing", stop: true };
    }
    if (entry === undefined) return { did: "nothing", stop: true };
    if (nvram !== undefined) await eraseNvram(vms, uuid, nvram);
    bin.put({ ...entry, state: "kept" });
    return { did: "done" };
  },
  undo: async ({ uuid, name, entry: id }, { vms }) => {
    const { link, bin, inventory } = vms, entry = bin.get(id);
    if (entry === undefined) return NOTHING;
    if (!await keepRunning(link, uuid) && entry.definition !== undefined) {
      const { xml, autostart, snapshots } = entry.definition;
      await defineAgain(link, { uuid, xml, autostart });
      await recordSnapshots(vms, uuid, snapshots);
      await inventory.refresh(uuid);
    }
    await forgetUnlessKept(vms, entry);
    return { did: "done", note: t("operations.restored", { what: name }) };
  },
};

/** Defines a VM again whose files have come out of the bin. */
const vmUnbinned: StepRule<"vm-unbinned"> = {
  finish: async (step, { vms }) => {
    const { link, bin, inventory } = vms, { uuid, name } = step, entry = bin.get(step.entry);
    if (entry?.definition === undefined) return NOTHING;
    if (await link.call("domainRead", { uuid }) !== null) return NOTHING;
    const { autostart, snapshots } = entry.definition;
    try {
      await rebase(step.rebased ?? []);
      await defineAgain(link, { uuid, xml: definitionFor(entry, step), autostart });
    } catch (error) {
      if (isConnectionLost(error)) throw error;
      throw new Refused(messageOf(error), { cause: error });
    }
    if (uuid === entry.vmId && step.moved.length === 0) await recordSnapshots(vms, uuid, snapshots);
    await inventory.refresh(uuid);
    return { did: "done", note: t("operations.restored", { what: name }) };
  },
  undo: async ({ uuid, name, entry }, { vms }) => {
    const { link, bin, inventory } = vms;
    const domain = await link.call("domainRead", { uuid });
    if (domain === null || bin.get(entry) === undefined) return NOTHING;
    if (!isOff(domain) || !await undefineStopped(vms, uuid, "domainUndefineForBin")) {
      return { ...left(name, t("operations.is_running")), stop: true };
    }
    await inventory.refresh(uuid);
    return removed(name);
  },
};

/**
 * Moves a disk that a VM had before into the bin, unless it is there already, or deletes what that cannot keep. One that
 * cannot go stays where it is.
 */
async function binOld(
  host: LibvirtHost,
  { pool, name }: { readonly pool: string; readonly name: string },
  actor: string,
): Promise<void> {
  try {
    const volume = await findVolumeNamed(host.link, pool, name);
    if (volume === undefined || await binReplaced(host, volume, actor)) return;
    await deleteDisk(host, volume.path);
  } catch (error) {
    if (isConnectionLost(error)) throw error;
    log.warn("a disk that was replaced stays where it is", { pool, name, error });
  }
}

/** Replaces what belongs to a VM's disks once it has them; before that the steps before take the new files away. */
const stateReplaced: StepRule<"state-replaced"> = {
  undo: async ({ uuid, name, disks, old = [], ...change }, { vms, operation }) => {
    const { link } = vms, domain = await link.call("domainRead", { uuid });
    const isDefined = domain?.summary.disks.some(({ source }) => source && disks.includes(source));
    if (domain === null || !isDefined) return NOTHING;
    if (!isOff(domain)) return left(name, t("operations.is_running"));
    await replaceState(change);
    for (const each of old) await binOld(vms, each, operation.actor);
    return { did: "kept", stop: true };
  },
};

/** How the steps of VMs are settled. */
export const vmSteps = {
  "domain-made": domainMade,
  "start-wanted": startWanted,
  "domain-doomed": domainDoomed,
  "vm-binned": vmBinned,
  "vm-unbinned": vmUnbinned,
  "state-replaced": stateReplaced,
  "vm-renamed": vmRenamed,
} satisfies Partial<StepRules>;
