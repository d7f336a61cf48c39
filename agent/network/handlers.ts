/** The commands on virtual networks. */
import type { CallName } from "../../ffi/calls/mod.ts";
import {
  ContractError,
  type ErrorCode,
  errorText,
  type Input,
  type Network,
  NETWORK_MODES,
  type networkCommands,
  type NetworkOptions,
  type NetworkUser,
} from "../../lib/contract/mod.ts";
import { formatSubnet, networkOf, parseSubnet } from "../../lib/net/cidr.ts";
import { freeIpv4, networkProblems, overlapOf } from "../../lib/net/check.ts";
import { renderXml } from "../../lib/xml/build.ts";
import { networkXml } from "../../lib/xml/network.ts";
import type { Handlers } from "../dispatch.ts";
import { isLocal } from "../host/local.ts";
import { contractError } from "../libvirt/failure.ts";
import { log } from "../log.ts";
import type { VmServices } from "../vm/services.ts";
import { leasesOf, updateDhcp } from "./dhcp.ts";
import { hostDevices, networkFacts, randomIpv6, takenBesides } from "./facts.ts";
import { updateNetwork } from "./update.ts";
import { networksOf, requireNetwork } from "./view.ts";

/** More names than this are counted, not listed. */
const NAMED = 8;

function named(users: readonly NetworkUser[]): string {
  const names = users.slice(0, NAMED).map(({ name }) => name).join(", ");
  return users.length > NAMED ? `${names} and ${users.length - NAMED} more` : names;
}

/** Machines that have the network now: QEMU runs for them. */
function running({ inventory }: VmServices, { vms }: Network): NetworkUser[] {
  const active = new Set(inventory.active());
  return vms.filter(({ vmId }) => active.has(vmId));
}

function inUse(network: string, users: readonly NetworkUser[]): ContractError {
  const details = { network, vms: named(users), vmIds: users.map(({ vmId }) => vmId) };
  return new ContractError("NetworkInUse", details);
}

/** What the form for a new network offers. */
async function options(services: VmServices): Promise<NetworkOptions> {
  services.requireFilled();
  const facts = await networkFacts(services);
  const devices = isLocal(services.link.uri) ? await hostDevices() : [];
  const unavailable = {
    bridge: facts.bridges?.size === 0 ? "the host has no bridge of its own" : undefined,
    openvswitch: facts.noOpenvswitch,
    sriov: facts.sriov?.size === 0 ? "no network device of the host has virtual functions" : undefined,
  };
  return {
    // Bridges of libvirt's own networks are no place for another network.
    devices: devices.filter(({ name }) => !facts.ownBridges.has(name)),
    unavailable: NETWORK_MODES.flatMap((mode) => {
      const reason = unavailable[mode as keyof typeof unavailable];
      return reason === undefined ? [] : [{ mode, reason }];
    }),
    freeIpv4: freeIpv4(facts.taken),
    freeIpv6: randomIpv6(),
  };
}

/** A handler for each command on networks. */
export function networkHandlers(services: VmServices): Pick<Handlers, keyof typeof networkCommands> {
  const { link, inventory } = services;
  /** One change of networks at a time: two that are checked together could take the same subnet. */
  let turn: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(run: () => Promise<T>): Promise<T> => {
    const mine = turn.then(run);
    turn = mine.catch(() => undefined);
    return mine;
  };

  /** Runs a change, and reads the networks anew whether it succeeded or not. */
  const change = async (
    name: string,
    event: string,
    failed: ErrorCode,
    run: () => Promise<unknown>,
  ): Promise<null> => {
    try {
      await run();
    } catch (error) {
      throw contractError(error, failed, event);
    } finally {
      await inventory.refreshNetworks(name, event).catch((error) =>
        log.debug("the networks could not be read", { error })
      );
    }
    return null;
  };
  const simple = (
    name: string,
    event: string,
    failed: ErrorCode,
    call: Extract<CallName, "networkStart" | "networkStop" | "networkDelete">,
  ) => change(name, event, failed, () => link.call(call, { name }));

  const create = async (input: Input<"create_network">) => {
    services.requireFilled();
    const [first] = networkProblems(input, await networkFacts(services));
    if (first) throw new ContractError(first.code, first.details);
    let uuid = "";
    const { name, start = true, autostart = true } = input;
    await change(name, "defined", "NetworkCreateFailed", async () => {
      uuid = await link.call("networkMake", { xml: renderXml(networkXml(input)), start, autostart });
    });
    return { name, uuid };
  };

  const start = async (name: string) => {
    const network = requireNetwork(services, name);
    if (network.active) throw new ContractError("NetworkAlreadyActive", { network: name });
    const taken = await takenBesides(services, name);
    for (const cidr of [...network.subnets.map((each) => each.cidr), ...network.routes]) {
      const subnet = parseSubnet(cidr)!;
      const other = overlapOf(subnet, taken);
      if (!other) continue;
      const [own, theirs] = [subnet, other.subnet].map((each) => formatSubnet(networkOf(each)));
      throw new ContractError("NetworkOverlaps", { subnet: own, other: theirs, what: other.what });
    }
    return await simple(name, "started", "NetworkStartFailed", "networkStart");
  };

  return {
    get_networks: () => {
      services.requireFilled();
      return networksOf(services);
    },
    get_network: ({ name }) => requireNetwork(services, name),
    get_network_options: () => options(services),
    check_network: async (input) => {
      services.requireFilled();
      return networkProblems(input, await networkFacts(services)).map(({ field, code, details }) => ({
        field,
        code,
        message: errorText(code, details),
      }));
    },
    create_network: (input) => inTurn(() => create(input)),
    start_network: ({ name }) => inTurn(() => start(name)),
    stop_network: async ({ name, force = false }) => {
      const network = requireNetwork(services, name);
      if (!network.active) throw new ContractError("NetworkNotActive", { network: name });
      const users = running(services, network);
      if (users.length > 0 && !force) throw inUse(name, users);
      return await simple(name, "stopped", "NetworkStopFailed", "networkStop");
    },
    set_network_autostart: async ({ name, autostart }) => {
      const network = requireNetwork(services, name);
      if (!network.persistent) throw new ContractError("NetworkNotPersistent");
      return await change(
        name,
        "updated",
        "NetworkUpdateFailed",
        () => link.call("networkSetAutostart", { name, autostart }),
      );
    },
    delete_network: async ({ name, force = false }) => {
      const network = requireNetwork(services, name);
      if (network.vms.length > 0 && !force) throw inUse(name, network.vms);
      return await simple(name, "undefined", "NetworkDeleteFailed", "networkDelete");
    },
    update_network: (input) => inTurn(() => updateNetwork(services, input)),
    update_network_dhcp: (input) => inTurn(() => updateDhcp(services, input)),
    get_network_leases: ({ name }) => leasesOf(services, name),
  };
}
