/** Deleting a machine, with its disks when asked. */
import { LibvirtError, VIR_ERR } from "../../ffi/error.ts";
import { ContractError, type Input, type VM } from "../../lib/contract/mod.ts";
import { messageOf } from "../../lib/message.ts";
import { contractError } from "../libvirt/failure.ts";
import { log } from "../log.ts";
import { deleteVolume } from "../storage/volumes.ts";
import { planDisks } from "./delete_plan.ts";
import type { VmServices } from "./services.ts";

/** Which disks go, too. */
type Choice = Omit<Input<"delete_vm">, "vmId">;

/**
 * The paths to delete: all that can be, or those that were chosen. Refuses before anything is touched when one of them
 * cannot: another machine uses it, or the file system would not let it go.
 */
async function pathsToDelete(
  services: VmServices,
  vm: VM,
  xml: string,
  { deleteDisks = false, disks }: Choice,
): Promise<string[]> {
  if (!deleteDisks && disks === undefined) return [];
  const planned = await planDisks(services, vm, xml);
  const refuse = (path: string, error: string) => new ContractError("DiskDeleteFailed", { path, error });
  for (const path of disks ?? []) {
    const disk = planned.find((each) => each.path === path);
    if (disk === undefined) throw refuse(path, "it is no disk of this machine");
    if (!disk.deletable) throw refuse(path, disk.reason ?? "");
  }
  if (disks !== undefined) return disks;
  const hindering = planned.find(({ hinders }) => hinders);
  if (hindering) throw refuse(hindering.path, hindering.reason ?? "");
  return planned.filter(({ deletable }) => deletable).map(({ path }) => path);
}

/** Deletes a disk through its pool; a file no pool knows is removed itself, if it is one and nothing else. */
export async function deleteDisk({ link }: VmServices, path: string): Promise<void> {
  try {
    await deleteVolume(link, path);
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
 * disks when asked. Whether they can be deleted is looked at first. If the first disk cannot be deleted all the same,
 * the machine is defined again; saved memory and snapshots' records are lost then.
 *
 * @throws {ContractError} VmNotFound, VmStillRunning, DeleteFailed, DiskDeleteFailed, VmBusy
 */
export async function deleteVm(
  services: VmServices,
  { vmId, ...choice }: Choice & { vmId: string },
): Promise<{ deletedDisks: string[] }> {
  const { link, inventory } = services;
  const vm = services.requireVm(vmId);
  if (inventory.active().includes(vm.id)) throw new ContractError("VmStillRunning");
  const deletedDisks: string[] = [];
  await services.operate(vm, "deleting", async () => {
    const xml = await link.call("domainXml", { uuid: vm.id, secure: true, inactive: true });
    const paths = await pathsToDelete(services, vm, xml, choice);
    try {
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
  const error = messageOf(thrown);
  return new ContractError("DiskDeleteFailed", { path, error }, { cause: thrown });
}
