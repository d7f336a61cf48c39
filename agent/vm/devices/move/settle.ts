/** The end of a move: both definitions name the copy, and only then the old volume goes. */
import { ContractError, type Output } from "../../../../lib/contract/mod.ts";
import { messageOf } from "../../../../lib/text/message.ts";
import type { Host } from "../../../hosts/host.ts";
import { isConnectionLost } from "../../../libvirt/failure.ts";
import { log } from "../../../log.ts";
import { identityAt, isSame } from "../../../operations/file_identity.ts";
import { t } from "../../../operations/outcome.ts";
import { type DiskMoved, keyOf } from "../../../operations/step.ts";
import { binVolume } from "../../../storage/bin/volume.ts";
import { receiptOf } from "../../../storage/bin/keep.ts";
import { refuseUsedVolume } from "../../../storage/volume_work.ts";
import { deleteVolume } from "../../../storage/passphrases.ts";
import { volumeNamed } from "../../../storage/volumes.ts";
import { originOf } from "../../../storage/disk_origin.ts";
import { noteSuccessor } from "../../disk_lineage.ts";
import { nameImage, placesOfDisk } from "./definitions.ts";

type OldVolume = Output<"move_disk">["oldVolume"];

/** Takes the old volume away. One that cannot go stays where it is, and why is told. @throws {LibvirtError} when libvirt is away */
async function removeOld(host: Host, { from }: DiskMoved, actor: string): Promise<Partial<OldVolume>> {
  const { link, operations } = host, { pool, volume: name, path, file } = from;
  try {
    await operations.ready([keyOf.volume(pool, name)]);
    using _held = host.locks.take(pool, name);
    const volume = await volumeNamed(link, pool, name);
    if (volume === undefined) return { isThere: false };
    const there = file === null ? null : await identityAt(path);
    const isOther = volume.path !== path || (file !== null && (there === null || !isSame(file, there)));
    if (isOther) return { reason: t("operations.is_other") };
    await refuseUsedVolume(host, volume);
    const entry = await binVolume(host, volume, actor);
    if (entry !== undefined) return { isThere: false, bin: receiptOf(entry) };
    await deleteVolume(host, path);
    return { isThere: false };
  } catch (error) {
    if (isConnectionLost(error)) throw error;
    log.warn("the old volume of a disk that was moved stays where it is", { pool, name, error });
    return { reason: messageOf(error) };
  }
}

/**
 * Brings a move to its end whose VM is on the copy.
 *
 * @returns what became of the old volume
 * @throws {ContractError} DiskMoveFailed @throws {LibvirtError}
 */
export async function completeMove(host: Host, step: DiskMoved, actor: string): Promise<OldVolume> {
  const { uuid, target, from, to, keepsSource } = step;
  const places = await placesOfDisk(host, step);
  // libvirt 9.0 changes the stored definition with the running one where both named the same image.
  if (places?.next === from.path) await nameImage(host, step, to);
  const { live, next } = await placesOfDisk(host, step) ?? {};
  const vm = host.inventory.vm(uuid);
  if (vm !== undefined) {
    await host.reread(vm);
    await host.observeFormats([host.inventory.vm(uuid) ?? vm], true);
  }
  if (live === from.path || next === from.path) {
    throw new ContractError("DiskMoveFailed", { target, error: `the VM still has ${from.path}` });
  }
  await noteSuccessor(host, uuid, await originOf(host, { type: from.type, source: from.path }), to.path);
  const old = { pool: from.pool, volume: from.volume, path: from.path, isThere: true, bin: null };
  return keepsSource ? old : { ...old, ...await removeOld(host, step, actor) };
}
