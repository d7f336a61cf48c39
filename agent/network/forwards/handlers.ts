/** The commands on port forwards. */
import { message, type Unrendered, vmName } from "../../../lib/i18n/message.ts";
import {
  ContractError,
  type forwardCommands,
  type Input,
  type Network,
  type PortForward,
  type StaticLease,
} from "../../../lib/contract/mod.ts";
import {
  cardOn,
  forwardFamily,
  holderOf,
  nicAddress,
  notForwardable,
  spanOf,
  type StoredForward,
  subnetFor,
  targetName,
} from "../../../lib/network/forwards/plan.ts";
import {
  isLoopbackAddress,
  portsFault,
  portText,
  socketOn,
  spansOverlap,
} from "../../../lib/network/forwards/ports.ts";
import { formatAddress, formatSubnet, networkOf, parseAddress } from "../../../lib/formats/ip/cidr.ts";
import type { Principal } from "../../access.ts";
import type { Handlers } from "../../dispatch.ts";
import { leasesOf } from "../dhcp.ts";
import { requireNetwork } from "../view.ts";
import { isConnectionLost } from "../../libvirt/failure.ts";
import type { Steps } from "../../operations/operation.ts";
import { keyOf } from "../../operations/operation_record.ts";
import { Rollback } from "../../rollback.ts";
import type { Forwards } from "./forwards.ts";
import { hostSockets, ownerOf } from "./sockets.ts";

type AddInput = Input<"add_port_forward">;

/** Leaves out what is undefined. */
function defined<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

function view(forwards: Forwards, forward: StoredForward): Unrendered<PortForward> {
  const { id, network, protocol, hostPort, hostPortEnd, targetPort, enabled, createdAt } = forward;
  const { vmId, mac, address, description, hostAddress } = forward;
  const vmName = forwards.host.inventory.vm(vmId ?? "")?.name ?? forward.vmName;
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
  const isHere = address && !isLoopbackAddress(address) && Deno.networkInterfaces().some((each) => {
    const own = parseAddress(each.address);
    return own?.family === address.family && own.value === address.value;
  });
  if (!isHere) throw new ContractError("HostAddressNotFound", { ip });
  return formatAddress(address);
}

/** Checks that the ports are free. @throws {ContractError} PortInUse, PortForwardExists */
async function requireFree(forwards: Forwards, wanted: StoredForward): Promise<void> {
  const span = spanOf(wanted);
  const { protocol } = span;
  const other = forwards.all().find((each) =>
    each.enabled && each.id !== wanted.id && spansOverlap(spanOf(each), span)
  );
  if (other) {
    throw new ContractError("PortForwardExists", {
      port: portText(spanOf(other)),
      protocol,
      what: message`${targetName(other)} on ${other.network}`,
    });
  }
  const socket = socketOn(span, await hostSockets());
  if (socket) {
    throw new ContractError("PortInUse", { port: socket.port, protocol, what: await ownerOf(socket) });
  }
}

/** The requested forward, checked against the network and the VM. @throws {ContractError} as the contract says */
function forwardOf({ host }: Forwards, input: AddInput, network: Network): StoredForward {
  const { hostPort, hostPortEnd = hostPort, targetPort = hostPort, vmId, mac } = input;
  const { protocol, description, enabled = true } = input;
  const fault = portsFault(hostPort, hostPortEnd, targetPort);
  if (fault !== undefined) {
    throw new ContractError("InvalidPortRange", { n: `${hostPort}-${hostPortEnd}`, reason: fault });
  }
  if ((vmId === undefined) === (input.address === undefined)) {
    throw new ContractError("InvalidInput", { reason: "give either vmId or address as the target" });
  }
  const vm = vmId === undefined ? undefined : host.requireVm(vmId);
  if (vm && !cardOn(vm, network.name, mac)) {
    throw new ContractError("VmNotOnNetwork", { vm: vmName(vm), network: network.name });
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
    description: description || undefined,
    enabled,
    createdAt: Date.now(),
  };
  const families = [hostAddress, address].flatMap((ip) => ip === undefined ? [] : [parseAddress(ip)!.family]);
  const family = forwardFamily(forward, network);
  if (
    families.some((each) => each !== family) ||
    !network.subnets.some(({ family: own }) => own === `ipv${family}`)
  ) {
    throw new ContractError("NetworkMismatch", {
      reason:
        message`host address and target must both be IPv${family}, and ${network.name} must have such a subnet`,
    });
  }
  return forward;
}

/** A forward to a fixed address, with the card and the VM that have it now: it holds while they have. */
async function boundToHolder(
  { host }: Forwards,
  forward: StoredForward,
  network: Network,
): Promise<StoredForward> {
  const { address } = forward;
  if (address === undefined) return forward;
  const leases = await leasesOf(host, network.name);
  const known = leases.map(({ mac, ip }) => ({ mac, address: ip, expires: 0 }));
  const cards = host.inventory.vms().flatMap((vm) =>
    vm.networkInterfaces.filter((nic) => nic.type === "network" && nic.network === network.name)
      .map((nic) => ({ vm, nic, mac: nic.mac.toLowerCase() }))
  );
  const says = ({ nic }: typeof cards[number]) =>
    nic.ipAddresses.some((each) => each.split("/")[0] === address);
  const mac = holderOf(network, address, known) ?? cards.find(says)?.mac;
  const vm = cards.find((card) => card.mac === mac)?.vm;
  return { ...forward, mac, vmId: vm?.id, vmName: vm?.name };
}

/** The lease that would keep the VM's present address; undefined where it has one, or none is known yet. */
async function leaseFor(
  { host }: Forwards,
  { vmId, mac }: StoredForward,
  network: Network,
): Promise<StaticLease & { readonly mac: string } | undefined> {
  const vm = host.inventory.vm(vmId ?? "");
  const nic = vm && cardOn(vm, network.name, mac);
  if (!nic) return undefined;
  const leases = await leasesOf(host, network.name);
  const hosts = network.subnets.flatMap((subnet) => subnet.hosts);
  if (hosts.some((host) => host.mac?.toLowerCase() === nic.mac.toLowerCase())) return undefined;
  const known = leases.map(({ mac, ip }) => ({ mac, address: ip, expires: 0 }));
  const ip = nicAddress(network, nic, known, 4);
  return ip === undefined ? undefined : { ip, mac: nic.mac };
}

/** A handler for each command on port forwards. */
export function forwardHandlers(
  forwards: Forwards,
): Pick<Handlers, keyof typeof forwardCommands> {
  const { records, host } = forwards;
  const required = (id: string): StoredForward => {
    const found = forwards.all().find((each) => each.id === id);
    if (!found) throw new ContractError("PortForwardNotFound", { id });
    return found;
  };
  const requireAvailable = async () => {
    const reason = await forwards.unavailable();
    if (reason !== undefined) throw new ContractError("PortForwardingUnavailable", { reason });
  };
  /** Brings a change into force. @throws {ContractError} PortForwardFailed */
  const enforced = async (id: string): Promise<Unrendered<PortForward>> => {
    await forwards.syncNow();
    const seen = view(forwards, required(id));
    if (seen.state === "failed") throw new ContractError("PortForwardFailed", { error: seen.reason });
    return seen;
  };

  const add = async (
    input: AddInput,
    principal: Principal,
    steps: Steps,
  ): Promise<Unrendered<PortForward>> => {
    const network = requireNetwork(host, input.network);
    const reason = notForwardable(network);
    if (reason !== undefined) {
      throw new ContractError("NetworkNotForwardable", { network: input.network, reason });
    }
    const forward = await boundToHolder(forwards, forwardOf(forwards, input, network), network);
    await requireAvailable();
    if (forward.enabled) await requireFree(forwards, forward);
    const lease = input.keepAddress ? await leaseFor(forwards, forward, network) : undefined;
    const { name } = network;
    if (lease) {
      const noted = steps.add({ kind: "lease-made", network: name, ip: lease.ip, mac: lease.mac });
      try {
        await host.run("update_network_dhcp", { name, add: [lease] }, principal);
      } catch (error) {
        if (!isConnectionLost(error)) noted.drop(); // what libvirt refuses, it has not made
        throw error;
      }
    }
    steps.add({ kind: "forward-made", id: forward.id, network: name });
    records.add(forward);
    return await enforced(forward.id);
  };

  const enable = async (id: string, enabled: boolean): Promise<Unrendered<PortForward>> => {
    const forward = required(id);
    if (forward.enabled === enabled) return view(forwards, forward);
    if (enabled) {
      await requireAvailable();
      await requireFree(forwards, forward);
    }
    const rollback = new Rollback();
    records.enable(id, enabled);
    rollback.add("a port forward's switch", async () => {
      records.enable(id, !enabled);
      await forwards.syncNow();
    });
    try {
      return await enforced(id);
    } catch (error) {
      await rollback.run();
      throw error;
    }
  };

  return {
    list_port_forwards: ({ network, vmId }) =>
      forwards.all().filter((each) =>
        (network === undefined || each.network === network) && (vmId === undefined || each.vmId === vmId)
      ).map((each) => view(forwards, each)),
    get_port_forwarding: async () => {
      const reason = await forwards.unavailable();
      return { available: reason === undefined, ...(reason !== undefined && { reason }) };
    },
    // The turn is over before anything is taken back: that is a change of forwards, too.
    add_port_forward: (input, { principal }) =>
      host.operations.run(
        {
          command: "add_port_forward",
          subject: input.network,
          actor: principal.name,
          keys: [keyOf.network(input.network)],
        },
        (operation) => forwards.turns.run(() => add(input, principal, operation)),
      ),
    enable_port_forward: ({ id, enabled }) => forwards.turns.run(() => enable(id, enabled)),
    remove_port_forward: ({ id }) =>
      forwards.turns.run(async () => {
        required(id);
        records.remove([id]);
        await forwards.syncNow();
        return null;
      }),
  };
}

/** Another VM has the id: no forward of the VM before leads to it. @returns their names */
export function releaseVmForwards(forwards: Forwards, vmId: string): string[] {
  const { records } = forwards, theirs = forwards.all().filter((each) => each.enabled && each.vmId === vmId);
  for (const { id } of theirs) records.enable(id, false);
  return theirs.map((each) => `the port forward ${portText(spanOf(each))}/${each.protocol}`);
}

/** Forgets the forwards of a network that was deleted here, by somebody who was shown them. */
export async function forgetForwards(forwards: Forwards, network: string): Promise<void> {
  await forwards.turns.run(async () => {
    const ids = forwards.all().filter((each) => each.network === network).map(({ id }) => id);
    if (ids.length === 0) return;
    forwards.records.remove(ids);
    await forwards.syncNow();
  });
}
