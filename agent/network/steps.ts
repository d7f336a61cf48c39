/** Networks as steps: made, deleted, started for a VM. */
import { messageOf } from "../../lib/text/message.ts";
import { contractError, isConnectionLost } from "../libvirt/failure.ts";
import { left, NOTHING, Refused, removed } from "../operations/outcome.ts";
import { forgetLease } from "./dhcp.ts";
import type { StepRule, StepRules } from "../operations/settlement.ts";

/** Has a network that was defined start with the host and started, as it was asked for. */
const networkDefined: StepRule<"network-defined"> = {
  finish: async ({ uuid, name, start, autostart }, { vms: { link, inventory } }) => {
    const network = (await link.call("networkScan")).find((each) => each.uuid === uuid);
    if (network === undefined) return { did: "nothing", stop: true };
    try {
      if (autostart && !network.autostart) await link.call("networkSetAutostart", { name, autostart });
      if (start && !network.active) await link.call("networkStart", { name });
    } catch (error) {
      if (isConnectionLost(error)) throw error;
      throw new Refused(messageOf(contractError(error, "NetworkStartFailed", "create_network")));
    } finally {
      await inventory.networks.reread();
    }
    return { did: "done" };
  },
  undo: async ({ uuid, name }, { vms: { link, inventory } }) => {
    const network = (await link.call("networkScan")).find((each) => each.uuid === uuid);
    if (network === undefined) return NOTHING;
    await link.call("networkDelete", { name });
    await inventory.networks.reread();
    return removed(name);
  },
};

/** Goes on deleting a network: one that was only stopped is off for nothing. */
const networkDoomed: StepRule<"network-doomed"> = {
  finish: async ({ uuid, name }, { vms }) => {
    const { link, inventory } = vms;
    const network = (await link.call("networkScan")).find((each) => each.uuid === uuid);
    try {
      if (network !== undefined) await link.call("networkDelete", { name });
    } catch (error) {
      if (isConnectionLost(error)) throw error;
      throw new Refused(messageOf(contractError(error, "NetworkDeleteFailed", "delete_network")));
    } finally {
      await inventory.networks.reread();
    }
    await vms.features.networkDeleted(name);
    return removed(name);
  },
};

/** Stops a network that was started for a VM which is not there. */
const networkStarted: StepRule<"network-started"> = {
  undo: async ({ network }, { vms: { inventory }, run, operation: { actor } }) => {
    if (inventory.networks.record(network)?.active !== true) return NOTHING;
    try {
      await run("stop_network", { name: network }, actor);
      return NOTHING;
    } catch (error) {
      if (isConnectionLost(error)) throw error;
      return left(network, messageOf(error));
    }
  },
};

/** Takes a static lease back that was given for a port forward which is not there. */
const leaseMade: StepRule<"lease-made"> = {
  undo: async (step, { vms }) =>
    await forgetLease(vms, step) ? removed(`${step.network}: ${step.ip} (${step.mac})`) : NOTHING,
};

/** How the steps of networks are settled. */
export const networkSteps = {
  "network-started": networkStarted,
  "network-defined": networkDefined,
  "network-doomed": networkDoomed,
  "lease-made": leaseMade,
} satisfies Partial<StepRules>;
