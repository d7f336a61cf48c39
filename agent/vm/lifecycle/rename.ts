/** Renaming a VM. */
import { checker } from "../../../lib/typebox/compile.ts";
import { errorText } from "../../../lib/contract/errors.ts";
import { ContractError, type Input, type VM, VmName } from "../../../lib/contract/mod.ts";
import { messageOf } from "../../../lib/text/message.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { FileRefused, isSystemError } from "../../machine/files.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { contractError, isConnectionLost } from "../../libvirt/failure.ts";
import { NOTHING, Refused } from "../../operations/outcome.ts";
import type { StepRule } from "../../operations/settlement.ts";
import type { VmRenamed } from "../../operations/step.ts";
import { keyOf } from "../../operations/operation_record.ts";
import { dropCheckpoints, foreignCheckpoint } from "../checkpoints.ts";
import { moveNvram, moveNvramBack, planNvramMove, storeNvram } from "./named_files.ts";

const isVmName = checker(VmName);

/** @throws {ContractError} InvalidName, VmNameExists */
export function requireFreeVmName({ inventory }: LibvirtHost, name: string): void {
  if (!isVmName(name)) throw new ContractError("InvalidName");
  if (inventory.vmByName(name)) throw new ContractError("VmNameExists", { name });
}

/** A VM whose disks and definition nothing else writes to. @throws {ContractError} VmMustBeOff, VmNotPersistent */
export function requireOff({ inventory }: LibvirtHost, vm: VM): void {
  const isOn = inventory.active().includes(vm.id);
  // Saved memory belongs to this name, this definition and these disks: it is not "off" until that is gone.
  const { state } = vm;
  if (!isOn && state === "suspended") {
    const reason = "resume it and shut it down, or discard its saved memory";
    throw new ContractError("VmMustBeOff", { state, reason }, {
      message: `${errorText("VmMustBeOff", { state })}: ${reason}`,
    });
  }
  if (isOn || state === "suspended") throw new ContractError("VmMustBeOff", { state });
  if (!vm.persistent) throw new ContractError("VmNotPersistent");
}

/**
 * Gives a stopped VM another name. Its files that libvirt finds by the name go along: its UEFI variables, its
 * autostart, snapshots' records. Checkpoints go before, for libvirt 9.0 loses them; the next backup is a full one. Its
 * disks keep their names.
 *
 * @param actor name of the principal
 * @throws {ContractError} VmNotFound, InvalidName, VmNameExists, VmMustBeOff, VmNotPersistent, NvramLeft, RenameFailed,
 * VmBusy
 */
export async function renameVm(
  host: LibvirtHost,
  { vmId, name }: Input<"rename_vm">,
  actor: string,
): Promise<null> {
  const { link, operations } = host;
  const keys = [keyOf.vm(vmId), keyOf.vmName(name)];
  await operations.ready(keys);
  const vm = host.requireVm(vmId);
  if (name === vm.name) return null;
  requireFreeVmName(host, name);
  requireOff(host, vm);
  const spec = { command: "rename_vm", subject: vm.name, vmId, actor, keys } as const;
  await host.claims.operate(vm, "renaming", async () => {
    const xml = await link.call("domainXml", { uuid: vmId, secure: false, inactive: true });
    const names = { from: vm.name, to: name };
    const step = { uuid: vmId, ...names, nvram: await planNvramMove(host, xml, { uuid: vmId, ...names }) };
    const foreign = await foreignCheckpoint(host, vmId);
    if (foreign !== undefined) {
      const error = `libvirt would lose the checkpoint ${
        oneLine(foreign, 100)
      } that another program keeps in it. Delete that with that program first`;
      throw new ContractError("RenameFailed", { error });
    }
    await operations.run(spec, async (operation) => {
      operation.add<VmRenamed>({ kind: "vm-renamed", ...step });
      try {
        await carryOut(host, step);
      } catch (error) {
        throw isSystemError(error) || error instanceof FileRefused
          ? new ContractError("RenameFailed", { error: error.message }, { cause: error })
          : contractError(error, "RenameFailed", "rename_vm");
      }
    });
  });
  return null;
}

/** A rename that is carried out, or carried out as far as it was not. */
type Rename = Omit<VmRenamed, "kind">;

/** As libvirt has it at this moment: what the inventory knows may be older. @throws {ContractError} VmNameExists, VmMustBeOff */
async function requireRenamable({ link }: LibvirtHost, { uuid, to: name }: Rename): Promise<void> {
  const all = await link.call("domainListStates");
  if (all.some((each) => each.name === name && each.uuid !== uuid)) {
    throw new ContractError("VmNameExists", { name });
  }
  if (all.some((each) => each.uuid === uuid && each.active)) {
    throw new ContractError("VmMustBeOff", { state: "running" });
  }
}

/** The file first: what keeps it where it is keeps the name, too. Checkpoints last, once nothing speaks against it. */
async function carryOut(host: LibvirtHost, step: Rename, now = step.from): Promise<void> {
  const { uuid, to, nvram } = step;
  if (nvram !== null) await moveNvram(nvram);
  if (now !== to) {
    await requireRenamable(host, step);
    const vm = host.inventory.vm(uuid);
    if (vm !== undefined) await dropCheckpoints(host, vm);
    await host.link.call("domainRename", { uuid, name: to });
  }
  if (nvram !== null) await storeNvram(host, uuid, nvram, nvram.to);
}

/** Gives a VM its new name once more, or the old one back, with what is found by it. */
export const vmRenamed: StepRule<"vm-renamed"> = {
  finish: async (step, { vms }) => {
    const { link, inventory } = vms, { uuid, from, to } = step;
    const domain = await link.call("domainRead", { uuid });
    if (domain === null || (domain.name !== from && domain.name !== to)) return { ...NOTHING, stop: true };
    try {
      if (domain.name === from) requireFreeVmName(vms, to);
      await carryOut(vms, step, domain.name);
    } catch (error) {
      if (isConnectionLost(error)) throw error;
      throw new Refused(messageOf(error), { cause: error });
    }
    await inventory.refresh(uuid);
    return { did: "done" };
  },
  undo: async ({ uuid, from, to, nvram }, { vms }) => {
    const { link, inventory } = vms, domain = await link.call("domainRead", { uuid });
    if (domain?.name === to) await link.call("domainRename", { uuid, name: from });
    else if (domain?.name !== from) return NOTHING;
    if (nvram !== null) {
      await moveNvramBack(nvram);
      await storeNvram(vms, uuid, nvram, nvram.from);
    }
    await inventory.refresh(uuid);
    return { did: "done" };
  },
};
