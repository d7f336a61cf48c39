/** Deleting a machine, with its disks when asked. */
import { LibvirtError, VIR_ERR } from "../../ffi/error.ts";
import { ContractError, type Disk, type VM } from "../../lib/contract/mod.ts";
import { contractError } from "../libvirt/failure.ts";
import { log } from "../log.ts";
import { imageUsers } from "./image_users.ts";
import type { VmServices } from "./services.ts";

/** The machine's own disks that deleting means: not CDs, floppies, nor what is no file or block device of this host. */
export function ownDisks(vm: VM): Disk[] {
  return vm.disks.filter((disk) =>
    disk.device === "disk" && disk.type === "file" && disk.source !== undefined
  );
}

/** Refuses before anything is touched: a disk that another machine uses would take that one down too. */
async function refuseShared(vm: VM, paths: readonly string[], all: readonly VM[]): Promise<void> {
  if (paths.length === 0) return;
  const users = await imageUsers(paths, all.filter((other) => other.id !== vm.id));
  for (const path of paths) {
    const disk = vm.disks.find((each) => each.source === path);
    const user = users.get(path);
    const error = user !== undefined
      ? `it is also used by ${user}`
      : disk?.shareable
      ? "it is marked as shared with other machines"
      : undefined;
    if (error !== undefined) throw new ContractError("DiskDeleteFailed", { path, error });
  }
}

/** Deletes a disk through its pool; a file no pool knows is removed itself, if it is one and nothing else. */
export async function deleteDisk({ link }: VmServices, path: string): Promise<void> {
  try {
    await link.call("volumeDelete", { path });
    return;
  } catch (error) {
    if (!(error instanceof LibvirtError) || error.code !== VIR_ERR.NO_STORAGE_VOL) throw error;
  }
  const info = await Deno.lstat(path);
  if (!info.isFile) throw new Error("it is not a regular file");
  await Deno.remove(path);
}

/**
 * Forgets a stopped machine with all libvirt keeps for it (saved memory, NVRAM, snapshots' records), then deletes its
 * disks when asked. If the first disk cannot be deleted, the machine is defined again: nothing is lost.
 *
 * @throws {ContractError} VmNotFound, VmStillRunning, DeleteFailed, DiskDeleteFailed, VmBusy
 */
export async function deleteVm(
  services: VmServices,
  vmId: string,
  withDisks: boolean,
): Promise<{ deletedDisks: string[] }> {
  const { link, inventory } = services;
  const vm = services.requireVm(vmId);
  if (inventory.active().includes(vm.id)) throw new ContractError("VmStillRunning");
  const paths = withDisks ? ownDisks(vm).map((disk) => disk.source!) : [];
  await refuseShared(vm, paths, inventory.vms());
  const deletedDisks: string[] = [];
  await services.operate(vm, "deleting", async () => {
    let xml = "";
    try {
      xml = await link.call("domainXml", { uuid: vm.id, secure: true, inactive: true });
      await link.call("domainUndefine", { uuid: vm.id });
    } catch (error) {
      throw contractError(error, "DeleteFailed", "delete_vm");
    }
    for (const path of paths) {
      try {
        await deleteDisk(services, path);
        deletedDisks.push(path);
      } catch (error) {
        if (deletedDisks.length === 0) await defineAgain(services, vm, xml);
        throw diskError(path, error);
      }
    }
  });
  return { deletedDisks };
}

async function defineAgain({ link }: VmServices, vm: VM, xml: string): Promise<void> {
  try {
    await link.call("domainDefine", { xml });
    // The XML does not hold it; undefining removed it.
    if (vm.autostart) await link.call("domainSetAutostart", { uuid: vm.id, autostart: true });
  } catch (error) {
    log.error("a machine could not be put back after its disk could not be deleted", { vm: vm.name, error });
  }
}

function diskError(path: string, thrown: unknown): unknown {
  if (thrown instanceof LibvirtError && thrown.kind !== "libvirt") {
    return contractError(thrown, "DiskDeleteFailed", "delete_vm");
  }
  const error = thrown instanceof Error ? thrown.message : String(thrown);
  return new ContractError("DiskDeleteFailed", { path, error }, { cause: thrown });
}
