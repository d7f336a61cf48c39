/** The way back: the VM that this host had before a switch-over becomes the replica of what it has become elsewhere. */
import { ContractError, type VM } from "../../lib/contract/mod.ts";
import { copyIdAt } from "../../lib/backup/manifest.ts";
import { disksToCopy } from "../../lib/backup/disks.ts";
import type { ReplicatedDisk } from "../../lib/host/replication_protocol.ts";
import type { Principal } from "../access.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import { plainPath } from "../machine/host_file.ts";
import { hostFiles } from "../machine/host_files.ts";
import { undefinedIfMissing } from "../machine/files.ts";
import { makeEmptyImage } from "../backups/write_disk.ts";
import { requireOff } from "../vm/lifecycle/rename.ts";
import { copySource } from "../storage/copy_source.ts";
import { copyImage } from "../storage/qemu_img.ts";
import { fileOfDisk, type ReplicaFolder, type ReplicaState } from "./replica_folder.ts";
import { message } from "../../lib/i18n/message.ts";

/**
 * Copies the disks of the old VM into a replica's folder, and puts the VM into the bin.
 *
 * @param state of the replica, which has no disks yet
 * @throws {ContractError} ReplicationNotPossible: it runs; VmMustBeOff, VmBusy, what deleting a VM throws
 */
export async function takeOldVm(
  host: LibvirtHost,
  { vm, folder, state, wanted, principal, signal }: {
    readonly vm: VM;
    readonly folder: ReplicaFolder;
    readonly state: ReplicaState;
    readonly wanted: readonly ReplicatedDisk[];
    readonly principal: Principal;
    readonly signal: AbortSignal;
  },
): Promise<ReplicaState> {
  if (host.inventory.active().includes(vm.id)) {
    throw new ContractError("ReplicationNotPossible", {
      reason:
        message`the old VM runs on ${host.label}. Shut it down there; the next increment continues then`,
    });
  }
  requireOff(host, vm);
  const disks: ReplicaState["disks"] = [...state.disks];
  // Of a name of their own: what differs comes into files of the increment's
  const copyId = copyIdAt(host.clock.now(), crypto.randomUUID().slice(0, 8));
  await host.claims.operate(vm, "becoming a replica", async () => {
    using held = new DisposableStack();
    for (const { target, source: path = "", format } of disksToCopy(vm.disks).disks) {
      const bytes = wanted.find((each) => each.target === target)?.bytes;
      if (bytes === undefined || disks.some((disk) => disk.target === target)) continue;
      const wish = { path, format: format === "qcow2" ? format : "raw" } as const;
      const image = await copySource(host, wish, "administrator", held, vm.id);
      if (image.virtualBytes !== undefined && image.virtualBytes !== bytes) continue;
      if (image.virtualBytes === undefined && image.volume.capacity !== bytes) continue;
      const part = folder.partOf({ target }, copyId);
      await undefinedIfMissing(hostFiles.remove(plainPath(part)));
      await makeEmptyImage(plainPath(part), bytes);
      await copyImage({
        source: image,
        target: part,
        format: "qcow2",
        isFile: true,
        signal,
        onShare: () => {},
      });
      await folder.keep({ target }, copyId);
      disks.push({ target, bytes, base: fileOfDisk(target, copyId) });
    }
  });
  const taken = { ...state, disks };
  await folder.write(taken);
  await host.run("delete_vm", { vmId: vm.id, deleteDisks: true }, principal);
  return taken;
}

/** @throws {ContractError} ReplicationNotPossible: a VM is there which is no replica */
export function refuseOther(host: LibvirtHost, name: string): never {
  throw new ContractError("ReplicationNotPossible", {
    reason: message`${host.label} has a VM with its id (${name}). Move or delete one of them first`,
  });
}
