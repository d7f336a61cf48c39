/** The commands on port forwards. */
import {
  ContractError,
  type forwardCommands,
  type Input,
  type Network,
  type PortForward,
  type StaticLease,
} from "../../lib/contract/mod.ts";
import {
  addressOf,
  cardOn,
  familyOf,
  notForwardable,
  spanOf,
  type StoredForward,
  subnetFor,
  targetName,
} from "../../lib/forward/plan.ts";
import { isLoopback, portsFault, portText, socketOn, spansOverlap } from "../../lib/forward/ports.ts";
import { formatAddress, formatSubnet, networkOf, parseAddress } from "../../lib/net/cidr.ts";
import type { Handlers } from "../dispatch.ts";
import { leasesOf } from "../network/dhcp.ts";
import { requireNetwork } from "../network/view.ts";
import type { Forwards } from "./forwards.ts";
import { hostSockets, ownerOf } from "./sockets.ts";

type AddInput = Input<"add_port_forward">;

/** Adds or removes static leases of a network. */
export type ChangeLeases = (
  name: string,
  change: { readonly add?: StaticLease[]; readonly remove?: StaticLease[] },
) => Promise<unknown>;

/** Leaves out what is undefined. */
function defined<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

function view(forwards: Forwards, forward: StoredForward): PortForward {
  const { id, network, protocol, hostPort, hostPortEnd, targetPort, enabled, createdAt } = forward;
  const { vmId, mac, address, description, hostAddress } = forward;
  const vmName = forwards.services.inventory.vm(vmId ?? "")?.name ?? forward.vmName;
  return {
    id,
    network,
    protocol,
    hostPort,
    hostPortEnd,
    targetPort,
    targetPortEnd: targetPort + hostPortEnd - hostPort,
    enabled,
    createdAt,
    ...defined({ hostAddress, vmId, vmName, mac, address, description }),
    ...forwards.outcome(forward),
  };
}

/** The network's subnets, for who gave an address outside of them. */
function subnetsText(network: Network): string {
  return network.subnets.map(({ address, prefix }) =>
    formatSubnet(networkOf({ ...parseAddress(address)!, prefix }))
  ).join(", ");
}

/** The fixed target, in its one spelling. @throws {ContractError} AddressOutsideSubnet */
function fixedTarget(network: Network, ip: string): string {
  const address = parseAddress(ip);
  if (address && subnetFor(network, ip)) return formatAddress(address);
  const isHost = network.subnets.some((subnet) =>
    address && parseAddress(subnet.address)?.value === address.value
  );
  const reason = address === undefined
    ? "it is not an IP address"
    : isHost
    ? "it is the host's own"
    : "it is outside";
  throw new ContractError("AddressOutsideSubnet", { ip, subnet: subnetsText(network), reason });
}

/** An address of the host, in its one spelling. @throws {ContractError} HostAddressNotFound */
function hostAddressOf(ip: string): string {
  const address = parseAddress(ip);
  const isHere = address && !isLoopback(address) && Deno.networkInterfaces().some((each) => {
    const own = parseAddress(each.address);
    return own?.family === address.family && own.value === address.value;
  });
  if (!isHere) throw new ContractError("HostAddressNotFound", { ip });
  return formatAddress(address);
}

/** Checks that nobody else has the ports. @throws {ContractError} PortInUse, PortForwardExists */
async function requireFree(forwards: Forwards, wanted: StoredForward): Promise<void> {
  const span = spanOf(wanted);
  const { protocol } = span;
  const other = forwards.records.all().find((each) =>
    each.enabled && each.id !== wanted.id && spansOverlap(spanOf(each), span)
  );
  if (other) {
    throw new ContractError("PortForwardExists", {
      port: portText(spanOf(other)),
      protocol,
      what: `${targetName(other)} on ${other.network}`,
    });
  }
  const socket = socketOn(span, await hostSockets());
  if (socket) {
    throw new ContractError("PortInUse", { port: socket.port, protocol, what: await ownerOf(socket) });
  }
}

/** What is wanted, checked against the network and the machine. @throws {ContractError} as the contract says */
function forwardOf({ services }: Forwards, input: AddInput, network: Network): StoredForward {
  const { hostPort, hostPortEnd = hostPort, targetPort = hostPort, vmId, mac } = input;
  const { protocol, description, enabled = true } = input;
  const fault = portsFault(hostPort, hostPortEnd, targetPort);
  if (fault !== undefined) {
    throw new ContractError("InvalidPortRange", { n: `${hostPort}-${hostPortEnd}`, reason: fault });
  }
  if ((vmId === undefined) === (input.address === undefined)) {
    throw new ContractError("InvalidInput", { reason: "give either vmId or address as the target" });
  }
  const vm = vmId === undefined ? undefined : services.requireVm(vmId);
  if (vm && !cardOn(vm, network.name, mac)) {
    throw new ContractError("VmNotOnNetwork", { vm: vm.name, network: network.name });
  }
  const address = input.address === undefined ? undefined : fixedTarget(network, input.address);
  const hostAddress = input.hostAddress === undefined ? undefined : hostAddressOf(input.hostAddress);
  const forward: StoredForward = {
    id: crypto.randomUUID(),
    network: network.name,
    protocol,
    hostAddress,
    hostPort,
    hostPortEnd,
    targetPort,
    vmId,
    vmName: vm?.name,
    mac: mac?.toLowerCase(),
    address,
    description: description?.trim() || undefined,
    enabled,
    createdAt: Date.now(),
  };
  const families = [hostAddress, address].flatMap((ip) => ip === undefined ? [] : [parseAddress(ip)!.family]);
  const family = familyOf(forward, network);
  if (
    families.some((each) => each !== family) ||
    !network.subnets.some(({ family: own }) => own === `ipv${family}`)
  ) {
    throw new ContractError("NetworkMismatch", {
      reason:
        `host address and target must both be IPv${family}, and ${network.name} must have such a subnet`,
    });
  }
  return forward;
}

/** The lease that would keep the machine's present address; undefined where it has one, or none is known yet. */
async function leaseFor(
  { services }: Forwards,
  { vmId, mac }: StoredForward,
  network: Network,
): Promise<StaticLease | undefined> {
  const vm = services.inventory.vm(vmId ?? "");
  const nic = vm && cardOn(vm, network.name, mac);
  if (!nic) return undefined;
  const leases = await leasesOf(services, network.name);
  const hosts = network.subnets.flatMap((subnet) => subnet.hosts);
  if (hosts.some((host) => host.mac?.toLowerCase() === nic.mac.toLowerCase())) return undefined;
  const known = leases.map(({ mac, ip }) => ({ mac, address: ip, expires: 0 }));
  const ip = addressOf(network, nic, known, 4);
  return ip === undefined ? undefined : { ip, mac: nic.mac };
}

/** A handler for each command on port forwards. */
export function forwardHandlers(
  forwards: Forwards,
  changeLeases: ChangeLeases,
): Pick<Handlers, keyof typeof forwardCommands> {
  const { records, services } = forwards;
  const required = (id: string): StoredForward => {
    const found = records.all().find((each) => each.id === id);
    if (!found) throw new ContractError("PortForwardNotFound", { id });
    return found;
  };
  const requireAvailable = async () => {
    const reason = await forwards.unavailable();
    if (reason !== undefined) throw new ContractError("PortForwardingUnavailable", { reason });
  };
  /** Brings a change into force. @throws {ContractError} PortForwardFailed */
  const enforced = async (id: string): Promise<PortForward> => {
    await forwards.syncNow();
    const seen = view(forwards, required(id));
    if (seen.state === "failed") throw new ContractError("PortForwardFailed", { error: seen.reason });
    return seen;
  };

  const add = async (input: AddInput): Promise<PortForward> => {
    const network = requireNetwork(services, input.name);
    const reason = notForwardable(network);
    if (reason !== undefined) {
      throw new ContractError("NetworkNotForwardable", { network: input.name, reason });
    }
    const forward = forwardOf(forwards, input, network);
    await requireAvailable();
    if (forward.enabled) await requireFree(forwards, forward);
    await using undo = new AsyncDisposableStack();
    const lease = input.keepAddress ? await leaseFor(forwards, forward, network) : undefined;
    if (lease) {
      await changeLeases(network.name, { add: [lease] });
      undo.defer(async () => void await changeLeases(network.name, { remove: [lease] }));
    }
    records.add(forward);
    undo.defer(async () => {
      records.remove([forward.id]);
      await forwards.syncNow();
    });
    const seen = await enforced(forward.id);
    undo.move();
    return seen;
  };

  const enable = async (id: string, enabled: boolean): Promise<PortForward> => {
    const forward = required(id);
    if (forward.enabled === enabled) return view(forwards, forward);
    if (enabled) {
      await requireAvailable();
      await requireFree(forwards, forward);
    }
    records.enable(id, enabled);
    try {
      return await enforced(id);
    } catch (error) {
      records.enable(id, !enabled);
      await forwards.syncNow();
      throw error;
    }
  };

  return {
    list_port_forwards: ({ network, vmId }) =>
      records.all().filter((each) =>
        (network === undefined || each.network === network) && (vmId === undefined || each.vmId === vmId)
      ).map((each) => view(forwards, each)),
    get_port_forwarding: async () => {
      const reason = await forwards.unavailable();
      return { available: reason === undefined, ...(reason !== undefined && { reason }) };
    },
    add_port_forward: (input) => forwards.inTurn(() => add(input)),
    enable_port_forward: ({ id, enabled }) => forwards.inTurn(() => enable(id, enabled)),
    remove_port_forward: ({ id }) =>
      forwards.inTurn(async () => {
        required(id);
        records.remove([id]);
        await forwards.syncNow();
        return null;
      }),
  };
}

/** Forgets the forwards of a network that was deleted here, by somebody who was shown them. */
export async function forgetForwards(forwards: Forwards, network: string): Promise<void> {
  await forwards.inTurn(async () => {
    const ids = forwards.records.all().filter((each) => each.network === network).map(({ id }) => id);
    if (ids.length === 0) return;
    forwards.records.remove(ids);
    await forwards.syncNow();
  });
}
