/**
 * Moves of disks as steps. The VM decides: where it is on the copy, the move is brought to its end; where it is not, it stays
 * on what it had, and the copy goes with the step before. Where that is not known, both images stay.
 */
import { undefinedIfMissing } from "../../../machine/files.ts";
import type { LibvirtHost } from "../../../hosts/libvirt_host.ts";
import { left, NOTHING, type StepOutcome, t, Unsettled } from "../../../operations/outcome.ts";
import type { Settlement, StepRule, StepRules } from "../../../operations/settlement.ts";
import type { DiskMoved } from "../../../operations/step.ts";
import { hasQemuImg, sameContent } from "../../../storage/qemu_img.ts";
import { type DiskPlaces, nameImage, placesOfDisk } from "./definitions.ts";
import { completeMove } from "./settle.ts";

/** When an image was written to last, where it is a file of this host: milliseconds since 1970. */
export async function writtenAt({ link }: LibvirtHost, path: string): Promise<number | null> {
  if (link.machine === null) return null;
  const info = await undefinedIfMissing(link.machine.files.statFile(path));
  return info?.isFile ? info.mtime?.getTime() ?? null : null;
}

/** Whether somebody has written to the old image since it was copied while the VM was off. */
export const wasWritten = async (host: LibvirtHost, { from, writtenAt: at }: DiskMoved): Promise<boolean> =>
  at !== null && await writtenAt(host, from.path) !== at;

async function complete(step: DiskMoved, { vms, operation: { actor } }: Settlement): Promise<StepOutcome> {
  const { isThere, reason, path } = await completeMove(vms, step, actor);
  const note = t("operations.moved", { target: step.target, path: step.to.path });
  const kept = isThere && reason !== undefined ? ` ${left(path, reason).note}` : "";
  return { did: "kept", note: note + kept, stop: true };
}

/** It is not known which of the two has what was written last. */
const unclear = ({ target, from, to }: DiskMoved): StepOutcome => ({
  ...left(to.path, t("operations.move_unclear", { target, path: from.path })),
  stop: true,
});

/** Ends QEMU's copy. @returns whether there was one: libvirt that was killed may name one that is over. @throws {Unsettled} while it goes on */
async function endCopy(host: LibvirtHost, step: DiskMoved): Promise<boolean> {
  const { uuid, target } = step;
  // Answers once libvirt has taken the VM up again after its start.
  if (await host.link.call("blockJobNow", { uuid, target }) === null) return false;
  await host.link.call("blockJobAbort", { uuid, target });
  if (await host.link.call("blockJobNow", { uuid, target }) === null) return true;
  throw new Unsettled(t("operations.is_copied", { target }));
}

/** Settles a move of a VM that is off. */
async function settleOff(step: DiskMoved, next: string | undefined, at: Settlement): Promise<StepOutcome> {
  const { from, to } = step, { vms, operation: { cut } } = at;
  if (next === to.path) {
    if (!await wasWritten(vms, step)) return await complete(step, at);
    // It may have run on the copy as well since.
    if (cut !== undefined) return unclear(step);
    await nameImage(vms, step, from);
    return NOTHING;
  }
  if (!step.isPivoting) return NOTHING;
  if (next !== from.path || vms.machine === null || !await hasQemuImg()) return unclear(step);
  // It ended while it changed over: what was written last may be in either.
  return await sameContent(from, to, new AbortController().signal) ? NOTHING : unclear(step);
}

/** Whether a QEMU has the copy open; undefined where that is not known. */
async function isOpen({ link }: LibvirtHost, { to }: DiskMoved): Promise<boolean | undefined> {
  if (link.machine === null) return undefined;
  using lock = await link.machine.files.lockImage(to.path);
  return lock.state === "unknown" ? undefined : lock.state === "open";
}

/**
 * Settles a move whose VM was told to go over to the copy, and is on the old image for libvirt.
 *
 * @param isEnded QEMU followed what was written until it was told to end that
 */
async function settlePivot(step: DiskMoved, isEnded: boolean, { vms }: Settlement): Promise<StepOutcome> {
  const { target, from, to } = step, open = await isOpen(vms, step);
  if (isEnded) return open === false ? NOTHING : unclear(step);
  // Somebody may have started the VM again since, on what is older.
  if (!open) return unclear(step);
  // QEMU has gone over, and libvirt, killed just then, does not know: it names the old image until the VM is off. What it
  // starts with next must be what it writes to now.
  await nameImage(vms, step, to);
  const note = `${t("operations.moved", { target, path: to.path })} ${
    left(from.path, t("operations.move_unknown", { target })).note
  }`;
  return { did: "kept", note, stop: true };
}

/** Settles a move of a VM that runs. */
async function settleOn(
  step: DiskMoved,
  { live, next }: DiskPlaces,
  at: Settlement,
  isEnded: boolean,
): Promise<StepOutcome> {
  const { from, to } = step, { vms } = at;
  if (live === to.path) return await wasWritten(vms, step) ? unclear(step) : await complete(step, at);
  if (step.isPivoting) return live === from.path ? await settlePivot(step, isEnded, at) : unclear(step);
  if (live === from.path && next === to.path) await nameImage(vms, step, from);
  return NOTHING;
}

/** Takes a move back, or brings it to its end where the VM is on the copy. */
const diskMoved: StepRule<"disk-moved"> = {
  undo: async (step, at) => {
    const { vms: host } = at, { uuid, to } = step;
    const pid = host.lostProcess(uuid);
    if (pid !== undefined) throw new Unsettled(t("operations.is_lost", { pid }));
    const before = await placesOfDisk(host, step);
    const isOurs = before?.mirror?.path === to.path;
    const isEnded = isOurs && await endCopy(host, step);
    const places = isOurs ? await placesOfDisk(host, step) : before;
    // Of a VM that is gone, too, somebody may want what was written last.
    if (places === undefined) return step.isPivoting ? unclear(step) : NOTHING;
    if (!places.isOn) return await settleOff(step, places.next, at);
    return await settleOn(step, places, at, isEnded);
  },
};

/** How moves of disks are settled. */
export const moveSteps = { "disk-moved": diskMoved } satisfies Partial<StepRules>;
