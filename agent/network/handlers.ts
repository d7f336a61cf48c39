/** The commands on virtual networks. */
import { vmName } from "../../lib/i18n/message.ts";
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
import { formatSubnet, networkOf, parseSubnet } from "../../lib/formats/ip/cidr.ts";
import { withDhcp } from "../../lib/network/dhcp_range.ts";
import { freeIpv4, networkProblems, startObstacleOf, subnetWarnings } from "../../lib/network/check.ts";
import { renderXml } from "../../lib/formats/xml/build.ts";
import { networkXml } from "../../lib/formats/xml/network.ts";
import { Mutex } from "../../lib/mutex.ts";
import type { Handlers } from "../dispatch.ts";
import { contractError } from "../libvirt/failure.ts";
import { log } from "../log.ts";
import { keyOf } from "../operations/operation_record.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import { leasesOf, updateDhcp } from "./dhcp.ts";
import { hostNetworkDevices, networkFacts, otherTakenSubnets, randomIpv6 } from "./facts.ts";
import { updateNetwork } from "./update.ts";
import { networksOf, requireNetwork, usersOf } from "./view.ts";

/** VMs that have the network now: QEMU runs for them. */
function running({ inventory }: LibvirtHost, { vms }: Network): NetworkUser[] {
  const active = new Set(inventory.active());
  return vms.filter(({ vmId }) => active.has(vmId));
}

function inUse(network: string, users: readonly NetworkUser[]): ContractError {
  const details = { network, vms: users.map(vmName), vmIds: users.map(({ vmId }) => vmId) };
  return new ContractError("NetworkInUse", details);
}

/** Choices of the form for a new network. */
async function options(host: LibvirtHost): Promise<NetworkOptions> {
  host.requireFilled();
  const facts = await networkFacts(host);
  const devices = host.machine ? await hostNetworkDevices(host.machine) : [];
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

/** Runs a change, and reads the networks again whether it succeeded or not. */
async function change(
  { inventory }: LibvirtHost,
  name: string,
  event: string,
  failed: ErrorCode,
  run: () => Promise<unknown>,
): Promise<null> {
  try {
    await run();
  } catch (error) {
    throw contractError(error, failed, event);
  } finally {
    // What happens to the network as a whole, libvirt tells; of the rest it says nothing.
    const read = event === "updated"
      ? inventory.networks.refresh(name)
      : inventory.networks.rereadPatiently();
    await read.catch((error) => log.debug("the networks could not be read", { error }));
  }
  return null;
}

const simple = (
  host: LibvirtHost,
  name: string,
  event: string,
  failed: ErrorCode,
  call: Extract<CallName, "networkStart" | "networkStop" | "networkDelete">,
) => change(host, name, event, failed, () => host.link.call(call, { name }));

/** @throws {ContractError} */
async function create(host: LibvirtHost, asked: Input<"create_network">, actor: string) {
  host.requireFilled();
  const input = withDhcp(asked);
  const keys = [keyOf.network(input.name)];
  await host.operations.ready(keys);
  const facts = await networkFacts(host);
  const [first] = networkProblems(input, facts);
  if (first) throw new ContractError(first.code, first.details);
  const uuid = crypto.randomUUID();
  const { name, start = true, autostart = true } = input;
  const spec = { command: "create_network", subject: name, actor, keys } as const;
  await host.operations.run(spec, (operation) => {
    operation.add({ kind: "network-defined", uuid, name, start, autostart });
    return change(
      host,
      name,
      "defined",
      "NetworkCreateFailed",
      () => host.link.call("networkDefine", { xml: renderXml(networkXml(input, uuid)), start, autostart }),
    );
  });
  return { name, uuid, warnings: subnetWarnings(input, facts) };
}

/** @throws {ContractError} NetworkAlreadyActive, NetworkOverlaps, NetworkStartFailed */
async function start(host: LibvirtHost, name: string): Promise<null> {
  const network = requireNetwork(host, name);
  if (network.active) throw new ContractError("NetworkAlreadyActive", { network: name });
  const taken = await otherTakenSubnets(host, name);
  for (const cidr of [...network.subnets.map((each) => each.cidr), ...network.routes]) {
    const subnet = parseSubnet(cidr)!;
    const other = startObstacleOf(subnet, taken);
    if (!other) continue;
    const [own, theirs] = [subnet, other.subnet].map((each) => formatSubnet(networkOf(each)));
    throw new ContractError("NetworkOverlaps", { subnet: own, other: theirs, what: other.what });
  }
  return await simple(host, name, "started", "NetworkStartFailed", "networkStart");
}

/** A handler for each command on networks. */
export function networkHandlers(host: LibvirtHost): Pick<Handlers, keyof typeof networkCommands> {
  const { link } = host;
  /** One change of networks at a time: two that are checked together could take the same subnet. */
  const turns = new Mutex();

  return {
    get_networks: () => {
      host.requireFilled();
      return networksOf(host);
    },
    get_network: ({ name }) => requireNetwork(host, name),
    get_network_options: () => options(host),
    check_network: async (input) => {
      host.requireFilled();
      const facts = await networkFacts(host), network = withDhcp(input);
      return [
        ...networkProblems(network, facts).map(({ field, code, details }) => ({
          field,
          code,
          message: errorText(code, details),
          severity: "error" as const,
        })),
        ...subnetWarnings(network, facts),
      ];
    },
    create_network: (input, { principal }) => turns.run(() => create(host, input, principal.name)),
    start_network: ({ name }) => turns.run(() => start(host, name)),
    stop_network: async ({ name, force = false }) => {
      const network = requireNetwork(host, name);
      if (!network.active) throw new ContractError("NetworkNotActive", { network: name });
      const users = running(host, network);
      if (users.length > 0 && !force) throw inUse(name, users);
      return await simple(host, name, "stopped", "NetworkStopFailed", "networkStop");
    },
    set_network_autostart: async ({ name, autostart }) => {
      const network = requireNetwork(host, name);
      if (!network.persistent) throw new ContractError("NetworkNotPersistent");
      return await change(
        host,
        name,
        "updated",
        "NetworkUpdateFailed",
        () => link.call("networkSetAutostart", { name, autostart }),
      );
    },
    delete_network: async ({ name, force = false }, { principal }) => {
      const keys = [keyOf.network(name)];
      await host.operations.ready(keys);
      const network = requireNetwork(host, name);
      const users = force ? [] : await usersOf(host, name);
      if (users.length > 0) throw inUse(name, users);
      const spec = { command: "delete_network", subject: name, actor: principal.name, keys } as const;
      return await host.operations.run(spec, async (operation) => {
        operation.add({ kind: "network-doomed", uuid: network.uuid, name });
        await simple(host, name, "undefined", "NetworkDeleteFailed", "networkDelete");
        await host.features.networkDeleted(name);
        return null;
      });
    },
    update_network: (input, { principal }) => turns.run(() => updateNetwork(host, input, principal.name)),
    update_network_dhcp: (input) => turns.run(() => updateDhcp(host, input)),
    get_network_leases: ({ name }) => leasesOf(host, name),
  };
}
