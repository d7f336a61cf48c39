/** The end of a move: both definitions name the copy, and only then the old volume goes. */
import { ContractError, type Output } from "../../../../lib/contract/mod.ts";
import type { LibvirtHost } from "../../../hosts/libvirt_host.ts";
import type { DiskMoved } from "../../../operations/step.ts";
import { originOf } from "../../../storage/disk_origin.ts";
import { removeOldVolume } from "../../../storage/old_volume.ts";
import { noteSuccessor } from "../../disk_lineage.ts";
import { nameImage, placesOfDisk } from "./definitions.ts";
import { message } from "../../../../lib/i18n/message.ts";

type OldVolume = Output<"move_disk">["oldVolume"];

/**
 * Brings a move to its end whose VM is on the copy.
 *
 * @returns the fate of the old volume
 * @throws {ContractError} DiskMoveFailed @throws {LibvirtError}
 */
export async function completeMove(host: LibvirtHost, step: DiskMoved, actor: string): Promise<OldVolume> {
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
    throw new ContractError("DiskMoveFailed", { target, error: message`the VM still has ${from.path}` });
  }
  await noteSuccessor(host, uuid, await originOf(host, { type: from.type, source: from.path }), to.path);
  const old = { pool: from.pool, volume: from.volume, path: from.path, isThere: true, bin: null };
  return keepsSource ? old : { ...old, ...await removeOldVolume(host, from, actor) };
}
