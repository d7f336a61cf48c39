/** The commands on a VM's hardware. */
import { includes } from "../../access.ts";
import {
  type Area,
  AREAS,
  type CommandName,
  ContractError,
  type hardwareCommands,
  type PendingChange,
  type Role,
} from "../../../lib/contract/mod.ts";
import { pendingChanges } from "../../../lib/formats/xml/pending.ts";
import { discardPending, givesOfHost } from "../../../lib/formats/xml/pending_discard.ts";
import type { Handlers } from "../../dispatch.ts";
import type { HostCapabilities } from "../../hosts/capabilities.ts";
import type { NodeInfo } from "../../hosts/node_info.ts";
import { contractError } from "../../libvirt/failure.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { lostUnknown } from "../snapshots/next_start.ts";
import { updateVm } from "./update.ts";
import { HardwareSource, type HardwareState } from "./options.ts";
import type { Coverage } from "../../coverage/coverage.ts";

type HardwareHandlers = Pick<Handlers, Extract<CommandName, keyof typeof hardwareCommands>>;

/** Changes that wait for the next boot; none for a VM that is off. */
function waiting({ xmls: { live, next }, hostCpus }: HardwareState): PendingChange[] {
  return live === null ? [] : pendingChanges(live, next, hostCpus);
}

/** A handler for each command on hardware. */
export function hardwareHandlers(
  host: LibvirtHost,
  make: NodeInfo,
  capabilities: HostCapabilities,
  overcommit: boolean,
  coverage: Pick<Coverage, "changes">,
): HardwareHandlers {
  const source = new HardwareSource(host.link, make, capabilities);

  /** Makes the stored configuration of these areas like the live one. */
  const discard = async (vmId: string, areas: readonly Area[], role: Role) => {
    const vm = host.requireVm(vmId);
    if (!vm.persistent) throw new ContractError("VmNotPersistent");
    let before: PendingChange[] = [];
    await host.claims.operate(vm, "updating", async () => {
      before = waiting(await source.read(vm, false));
      // What of the host somebody took away is given by administrators alone, also where the VM still has it.
      if (givesOfHost(before, areas) && !includes(role, "administrator")) {
        throw new ContractError("Forbidden", { role: "administrator" });
      }
      const { xmls: { live, next }, hostCpus } = await source.read(vm, true);
      if (live === null) throw new ContractError("VmNotRunning");
      const xml = discardPending(live, next, areas, hostCpus);
      if (xml === next) return;
      const lost = await lostUnknown(host, vm, xml);
      if (lost !== undefined) throw new ContractError("UpdateFailed", { error: lost.reason });
      const stored = await host.link.call("domainRedefine", { uuid: vm.id, from: next, xml }).catch(
        (error) => {
          throw contractError(error, "UpdateFailed", "discard_pending_changes");
        },
      );
      if (stored === null) {
        throw new ContractError("UpdateFailed", {
          error: "somebody else changed this VM meanwhile. Try again.",
        });
      }
    });
    const pending = waiting(await source.read(vm, false));
    const still = new Set(pending.map(({ what }) => what));
    return { discarded: before.filter(({ what }) => !still.has(what)), pending };
  };

  return {
    get_hardware: async ({ vmId }) => {
      const state = await source.read(host.requireVm(vmId), false);
      const { live, next, options } = state;
      return { live, next, options, pending: waiting(state) };
    },
    update_vm: ({ vmId, nextBootOnly = false, allowOvercommit = overcommit, ...change }, { principal }) =>
      updateVm(host, source, vmId, change, { nextBootOnly, allowOvercommit, principal, coverage }),
    get_pending_changes: async ({ vmId }) => waiting(await source.read(host.requireVm(vmId), false)),
    discard_pending_changes: ({ vmId, areas = AREAS }, { principal }) => discard(vmId, areas, principal.role),
  };
}
