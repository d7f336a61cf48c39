/** The commands on VMs. */
import {
  type BatchOperationResult,
  type CommandName,
  ContractError,
  type Input,
  LOG_LINES,
  type VM,
  vmCommands,
} from "../../lib/contract/mod.ts";
import type { VmLabels } from "../../lib/contract/mod.ts";
import type { Rights } from "../../lib/access/rights.ts";
import { includes } from "../access.ts";
import { withBases } from "../storage/shown_bases.ts";
import type { CallContext, Handlers } from "../dispatch.ts";
import { asContractError, contractError } from "../libvirt/failure.ts";
import type { LinkedHosts } from "../hosts/linked/linked_hosts.ts";
import type { HostRegistry } from "../hosts/registry.ts";
import { startOnce } from "./lifecycle/boot_once.ts";
import { batch } from "./lifecycle/batch.ts";
import { deleteVm } from "./lifecycle/delete.ts";
import { changeMetadata } from "./own_metadata.ts";
import { power, requireOwner } from "./lifecycle/power.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import { qemuLog } from "./qemu_log.ts";
import { xmlVersion } from "./xml.ts";
import { log } from "../log.ts";
import { within } from "../within.ts";
import { enterMove, type MigrationHandlerWorld } from "./migration/handlers.ts";
import type { Projects } from "../projects/projects.ts";
import type { Coverage } from "../coverage/coverage.ts";

/** Milliseconds in which a move that cannot be is refused; what is refused later, its task says. */
const REFUSED_MS = 1000;

type PowerCommand = Parameters<typeof power>[1];
type ListHandlers = Pick<
  Handlers,
  | "get_vms"
  | "batch_start_vms"
  | "batch_stop_vms"
  | "batch_force_stop_vms"
  | "batch_reboot_vms"
  | "batch_migrate_vms"
>;
/** Commands on VMs with handlers elsewhere: lists, and the VNC server of a VM. */
type OtherCommand = keyof ListHandlers | "get_vnc_info";
type VmHandlers = Omit<Pick<Handlers, Extract<CommandName, keyof typeof vmCommands>>, OtherCommand>;

/** Changes the power state of one of several VMs; a host in maintenance starts none. @throws {ContractError} */
async function powerOn(host: LibvirtHost, command: PowerCommand, vmId: string): Promise<null> {
  if (command === "start_vm") host.maintenance.requireInService();
  return await power(host, command, vmId);
}

/** A handler for each command on the VMs of all hosts. */
export function vmListHandlers(
  hosts: HostRegistry,
  linked: Pick<LinkedHosts, "vms" | "withVm">,
  migration: MigrationHandlerWorld,
  projects: Pick<Projects, "visible" | "projectOf">,
): ListHandlers {
  const asError = (command: CommandName) => (thrown: unknown) => asContractError(thrown, command);
  const batchHandler =
    (command: PowerCommand) =>
    ({ vmIds }: { vmIds: string[] }, context: CallContext): Promise<BatchOperationResult> =>
      batch(vmIds, async (vmId) => {
        const far = context.principal.via === "link" ? undefined : linked.withVm(vmId);
        await (far === undefined
          ? powerOn(hosts.of({ vmId }), command, vmId)
          : far.run(command, { vmId }, context));
      }, asError(command));
  /** Begins to move a VM. What fails once it is in the queue, its task says. */
  const beginMove = async (input: Input<"migrate_vm">, context: CallContext) => {
    const { principal } = context;
    const far = principal.via === "link" ? undefined : linked.withVm(input.vmId);
    const { waits, result: moved } = far === undefined
      ? enterMove(hosts.of(input), migration, input, principal)
      : { waits: false, result: far.run("migrate_vm", input, context) };
    let isTaken = false;
    const failed = moved.then(() => undefined, (error: unknown) => {
      if (!isTaken) return error;
      log.debug("a VM did not move", { vm: input.vmId, error });
    });
    if (!waits) {
      await within(
        REFUSED_MS,
        failed.then((error) => {
          if (error !== undefined && !isTaken) throw error;
        }),
      );
    }
    isTaken = true;
  };
  return {
    get_vms: ({ host, project }, { principal }) => {
      const within = project === undefined ? undefined : projects.visible(project, principal.rights);
      const isMeant = ({ id }: VM) => within === undefined || projects.projectOf(id) === within;
      if (host === undefined) {
        // Another KVM Manager asks for hosts that are read here: those that are linked it links itself
        const further = principal.via === "link" ? [] : linked.vms();
        if (further.length === 0) hosts.requireAnyFilled();
        return [...hosts.vms(), ...further].filter(isMeant);
      }
      const { inventory } = hosts.require(host).requireFilled();
      return inventory.vms().filter(isMeant);
    },
    batch_start_vms: batchHandler("start_vm"),
    batch_stop_vms: batchHandler("stop_vm"),
    batch_force_stop_vms: batchHandler("force_stop_vm"),
    batch_reboot_vms: batchHandler("reboot_vm"),
    batch_migrate_vms: ({ vmIds, toHost, breakRules = false }, context): Promise<BatchOperationResult> =>
      batch(
        vmIds,
        (vmId) => beginMove({ vmId, toHost, breakRules }, context),
        asError("migrate_vm"),
      ),
  };
}

/** A handler for each command on VMs. */
export function vmHandlers(host: LibvirtHost, coverage: Pick<Coverage, "changes">): VmHandlers {
  const { link, sampler } = host;
  const powerHandler = (command: PowerCommand) => ({ vmId }: { vmId: string }) => power(host, command, vmId);

  /** Replaces what KVM Manager keeps in the VM's metadata. */
  const keep = async (vmId: string, change: Partial<VmLabels>, rights: Rights) => {
    const vm = host.requireVm(vmId), warnings = coverage.changes(vm, change, rights);
    await host.claims.operate(vm, "updating", async () => {
      try {
        await changeMetadata(host, vm.id, change);
      } catch (error) {
        throw contractError(error, "UpdateFailed", "update");
      }
    });
    return { warnings };
  };

  return {
    get_vm: async ({ vmId }) => {
      const vm = host.requireVm(vmId);
      return { ...vm, disks: await withBases(host, vm, vm.disks) };
    },
    start_vm: ({ vmId, bootFrom, inMaintenance = false }) => {
      if (!inMaintenance) host.maintenance.requireInService();
      return power(host, "start_vm", vmId, bootFrom && ((vm) => startOnce(host, vm, bootFrom)));
    },
    stop_vm: powerHandler("stop_vm"),
    force_stop_vm: powerHandler("force_stop_vm"),
    pause_vm: powerHandler("pause_vm"),
    resume_vm: powerHandler("resume_vm"),
    reboot_vm: powerHandler("reboot_vm"),
    reset_vm: powerHandler("reset_vm"),
    suspend_vm: powerHandler("suspend_vm"),
    discard_saved_memory: powerHandler("discard_saved_memory"),
    delete_vm: (input, { principal }) => deleteVm(host, input, principal),
    get_vm_xml: async ({ vmId, secure = false, inactive = false }, { principal }: CallContext) => {
      const vm = host.requireVm(vmId);
      if (secure && !includes(principal.role, "administrator")) {
        throw new ContractError("Forbidden", { role: "administrator" });
      }
      const xml = await link.call("domainXml", { uuid: vm.id, secure, inactive });
      return { xml, ...(secure && inactive && { etag: await xmlVersion(xml) }) };
    },
    get_vm_log: ({ vmId, lines = LOG_LINES.usual }, { principal }) =>
      qemuLog(host, host.requireVm(vmId), lines, principal.role),
    get_vm_stats: ({ vmId }) => sampler.of(host.requireVm(vmId).id),
    set_autostart: async ({ vmId, autostart }) => {
      const vm = host.requireVm(vmId);
      if (!vm.persistent) throw new ContractError("VmNotPersistent");
      if (autostart) requireOwner(host, vm);
      await host.claims.operate(vm, "updating", async () => {
        try {
          await link.call("domainSetAutostart", { uuid: vm.id, autostart });
        } catch (error) {
          throw contractError(error, "UpdateFailed", "set_autostart");
        }
      });
      return null;
    },
    set_tags: ({ vmId, tags }, { principal }) => keep(vmId, { tags }, principal.rights),
    set_group: ({ vmId, group }, { principal }) =>
      keep(vmId, { group: group || undefined }, principal.rights),
  };
}
