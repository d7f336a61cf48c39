/** The commands on machines. */
import {
  type BatchOperationResult,
  type CommandName,
  ContractError,
  vmCommands,
} from "../../lib/contract/mod.ts";
import { METADATA_PREFIX, METADATA_URI, ownMetadata } from "../../lib/xml/domain.ts";
import { includes } from "../access.ts";
import { vncTarget } from "../console/vnc/target.ts";
import type { CallContext, Handlers } from "../dispatch.ts";
import { contractError } from "../libvirt/failure.ts";
import { batch } from "./batch.ts";
import { deleteVm } from "./delete.ts";
import { power } from "./power.ts";
import type { VmServices } from "./services.ts";
import { etagOf } from "./xml.ts";

type VmHandlers = Pick<Handlers, Extract<CommandName, keyof typeof vmCommands>>;

/** A handler for each command on machines. */
export function vmHandlers(services: VmServices): VmHandlers {
  const { link, inventory, sampler } = services;
  const powerHandler = (command: Parameters<typeof power>[1]) => ({ vmId }: { vmId: string }) =>
    power(services, command, vmId);
  const batchHandler =
    (command: Parameters<typeof power>[1]) =>
    ({ vmIds }: { vmIds: string[] }): Promise<BatchOperationResult> =>
      batch(vmIds, (vmId) => power(services, command, vmId), (thrown) => {
        const error = contractError(thrown, "LibvirtFailed", command);
        return error instanceof ContractError
          ? error
          : new ContractError("Internal", undefined, { cause: thrown });
      });

  /** Replaces what KVM Manager keeps in the machine's metadata. */
  const keep = async (vmId: string, change: { tags?: string[]; group?: string | undefined }) => {
    const vm = services.requireVm(vmId);
    const { tags, group, createdAt } = inventory.record(vm.id)!.summary;
    const xml = ownMetadata({ tags, group, createdAt, ...change });
    await services.operate(vm, "updating", async () => {
      try {
        await link.call("domainSetMetadata", {
          uuid: vm.id,
          xml,
          prefix: METADATA_PREFIX,
          uri: METADATA_URI,
        });
      } catch (error) {
        throw contractError(error, "UpdateFailed", "update");
      }
    });
    return null;
  };

  return {
    get_vms: () => {
      services.requireFilled();
      return [...inventory.vms()];
    },
    get_vm: ({ vmId }) => services.requireVm(vmId),
    start_vm: powerHandler("start_vm"),
    stop_vm: powerHandler("stop_vm"),
    force_stop_vm: powerHandler("force_stop_vm"),
    pause_vm: powerHandler("pause_vm"),
    resume_vm: powerHandler("resume_vm"),
    reboot_vm: powerHandler("reboot_vm"),
    reset_vm: powerHandler("reset_vm"),
    suspend_vm: powerHandler("suspend_vm"),
    delete_vm: (input) => deleteVm(services, input),
    get_vm_xml: async ({ vmId, secure = false, inactive = false }, { principal }: CallContext) => {
      const vm = services.requireVm(vmId);
      if (secure && !includes(principal.role, "administrator")) {
        throw new ContractError("Forbidden", { role: "administrator" });
      }
      const xml = await link.call("domainXml", { uuid: vm.id, secure, inactive });
      return { xml, ...(secure && inactive && { etag: await etagOf(xml) }) };
    },
    get_vm_stats: ({ vmId }) => sampler.of(services.requireVm(vmId).id),
    get_vnc_info: ({ vmId }) => vncTarget(services, services.requireVm(vmId)),
    set_autostart: async ({ vmId, autostart }) => {
      const vm = services.requireVm(vmId);
      if (!vm.persistent) throw new ContractError("VmNotPersistent");
      await services.operate(vm, "updating", async () => {
        try {
          await link.call("domainSetAutostart", { uuid: vm.id, autostart });
        } catch (error) {
          throw contractError(error, "UpdateFailed", "set_autostart");
        }
      });
      return null;
    },
    set_tags: ({ vmId, tags }) => keep(vmId, { tags }),
    set_group: ({ vmId, group }) => keep(vmId, { group: group.trim() === "" ? undefined : group.trim() }),
    batch_start_vms: batchHandler("start_vm"),
    batch_stop_vms: batchHandler("stop_vm"),
    batch_force_stop_vms: batchHandler("force_stop_vm"),
    batch_reboot_vms: batchHandler("reboot_vm"),
  };
}
