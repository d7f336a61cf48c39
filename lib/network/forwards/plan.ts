/** Plans each port forward, from the state of networks, VMs and the host. Pure. */
import { message, type Sentence, vmName, type VmReference } from "../../i18n/message.ts";
import type { ForwardProtocol, ForwardState } from "../../contract/forwards.ts";
import type { Network } from "../../contract/networks.ts";
import type { VM } from "../../contract/vm.ts";
import {
  type Family,
  formatAddress,
  isHostOf,
  networkOf,
  parseAddress,
  type Subnet,
} from "../../formats/ip/cidr.ts";
import type { Socket } from "../sockets.ts";
import type { ForwardRule } from "../../formats/nft/forwards.ts";
import { type PortSpan, portText, socketOn, spansOverlap } from "./ports.ts";

/** A port forward as it is kept. */
export interface StoredForward {
  readonly id: string;
  readonly network: string;
  readonly protocol: ForwardProtocol;
  readonly hostAddress: string | undefined;
  readonly hostPort: number;
  readonly hostPortEnd: number;
  readonly targetPort: number;
  readonly vmId: string | undefined;
  /** Name of the VM when it was last seen. */
  readonly vmName: string | undefined;
  readonly mac: string | undefined;
  readonly address: string | undefined;
  readonly description: string | undefined;
  readonly enabled: boolean;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
}

/** A DHCP lease that has not ended. */
export interface KnownLease {
  readonly mac: string;
  readonly address: string;
  /** Seconds since 1970; 0: never. */
  readonly expires: number;
}

/** Present state of networks, VMs and the host. */
export interface ForwardFacts {
  readonly network: (name: string) => Network | undefined;
  readonly vm: (vmId: string) => VM | undefined;
  readonly leases: (network: string) => readonly KnownLease[];
  /** Whether the host has a network device. */
  readonly hasDevice: (name: string) => boolean;
  /** Programs of the host that wait on ports. */
  readonly sockets: readonly Socket[];
  /** Forwards in force: they stay so, whoever tries to have their port now. */
  readonly standing: ReadonlySet<string>;
  /** Why nothing can be forwarded here. */
  readonly unavailable: string | undefined;
}

/** State of one forward, and its rule if it has one. */
export interface PlannedForward {
  readonly id: string;
  readonly state: ForwardState;
  readonly reason?: Sentence;
  readonly rule?: ForwardRule;
}

/** Ports of the host that a forward takes. */
export function spanOf(forward: StoredForward): PortSpan {
  const { protocol, hostPort: from, hostPortEnd: to, hostAddress: address } = forward;
  return { protocol, from, to, address };
}

/** Target of a forward, for people. */
export function targetName({ vmName: name, vmId, address }: StoredForward): VmReference | string {
  if (vmId !== undefined && name !== undefined) return vmName({ vmId, name });
  return name ?? vmId ?? address ?? "";
}

/** Why a network has no forwards; undefined where it can. */
export function notForwardable({ mode, bridge }: Network): string | undefined {
  if (mode === "nat") {
    // nftables takes a star at the end of a device's name for anything that begins so.
    return bridge !== undefined && /^[A-Za-z0-9_.-]{1,15}$/.test(bridge)
      ? undefined
      : "it has no bridge of its own";
  }
  const why: Partial<Record<Network["mode"], string>> = {
    routed: "it is routed, its VMs are reached at their own addresses",
    open: "it is open, the way to its VMs is up to the host's own firewall",
    isolated: "it is isolated, its VMs have no way to answer",
    bridge: "its VMs stand on the host's own network and are reached there",
    macvtap: "its VMs stand on the host's own network and are reached there",
  };
  return why[mode] ?? "it is no NAT network";
}

/** A network's subnets with the host's own address in each. */
function subnetsOf(network: Network): Subnet[] {
  return network.subnets.flatMap(({ address, prefix }) => {
    const host = parseAddress(address);
    return host === undefined ? [] : [{ ...host, prefix }];
  });
}

/** The subnet in which an address can be a VM's; undefined for the host's own address, or one outside. */
export function subnetFor(network: Network, ip: string): Subnet | undefined {
  const address = parseAddress(ip);
  if (address === undefined) return undefined;
  return subnetsOf(network).find((subnet) => isHostOf(subnet, address) && subnet.value !== address.value);
}

/** The VM's card that is meant: the one named, else its first on the network. */
export function cardOn(vm: VM, network: string, mac: string | undefined) {
  const cards = vm.networkInterfaces.filter((nic) => nic.type === "network" && nic.network === network);
  return mac === undefined ? cards[0] : cards.find((nic) => nic.mac.toLowerCase() === mac.toLowerCase());
}

const sameMac = (a: string | undefined, b: string) => a?.toLowerCase() === b.toLowerCase();

/**
 * A card's address on a network. What the network itself gave it comes first. What the guest says of itself is only
 * believed where no other VM has that address: otherwise one guest could draw another's connections to itself.
 */
export function nicAddress(
  network: Network,
  nic: { readonly mac: string; readonly ipAddresses: readonly string[] },
  leases: readonly KnownLease[],
  family: Family,
): string | undefined {
  const fits = (ip: string) => subnetFor(network, ip)?.family === family;
  const lasting = ({ expires }: KnownLease) => expires === 0 ? Infinity : expires;
  const [leased] = leases.filter(({ mac, address }) => sameMac(mac, nic.mac) && fits(address))
    .sort((a, b) => lasting(b) - lasting(a));
  if (leased) return leased.address;
  const hosts = network.subnets.flatMap((subnet) => subnet.hosts);
  const others = new Set([
    ...leases.filter(({ mac }) => !sameMac(mac, nic.mac)).map(({ address }) => address),
    ...hosts.filter(({ mac }) => mac !== undefined && !sameMac(mac, nic.mac)).map(({ ip }) => ip),
  ]);
  const told = nic.ipAddresses.map((each) => each.split("/")[0]!).find((ip) => fits(ip) && !others.has(ip));
  return told ?? hosts.find(({ mac, ip }) => sameMac(mac, nic.mac) && fits(ip))?.ip;
}

/** The family of addresses a forward is about: the fixed address's or the host address's, else what the network has. */
export function forwardFamily(
  forward: Pick<StoredForward, "address" | "hostAddress">,
  network: Network,
): Family {
  const given = forward.address ?? forward.hostAddress;
  const address = given === undefined ? undefined : parseAddress(given);
  return address?.family ?? (subnetsOf(network).some(({ family }) => family === 4) ? 4 : 6);
}

type ForwardOutcome = Omit<PlannedForward, "id" | "rule"> & { target?: string };

const waiting = (reason: Sentence): ForwardOutcome => ({ state: "waiting", reason });
const lost = (reason: Sentence): ForwardOutcome => ({ state: "lost", reason });

/** Owner of an address: the card that the network has given it, or keeps it for. */
export function holderOf(
  { subnets }: Network,
  address: string,
  leases: readonly KnownLease[],
): string | undefined {
  const kept = subnets.flatMap(({ hosts }) => hosts).find(({ ip, mac }) =>
    ip === address && mac !== undefined
  );
  return (kept?.mac ?? leases.find((lease) => lease.address === address)?.mac)?.toLowerCase();
}

/**
 * Why a fixed address is no target: it is not the network's, or another card has it than the one that had it when the
 * forward was made. Without that what was opened for one VM would be open for whichever has its address next.
 */
function addressFault(
  { address, mac, vmId, ...forward }: StoredForward & { readonly address: string },
  network: Network,
  facts: ForwardFacts,
): Sentence | undefined {
  if (subnetFor(network, address) === undefined) {
    return `${address} is no address of ${network.name} any more`;
  }
  const name = targetName({ ...forward, vmId, mac, address });
  const vm = vmId === undefined ? undefined : facts.vm(vmId);
  if (vmId !== undefined && vm === undefined) return message`the VM ${name}, which had ${address}, is gone`;
  if (vm !== undefined && cardOn(vm, network.name, mac) === undefined) {
    return message`${vmName(vm)} has no such card on ${network.name} any more`;
  }
  const holder = holderOf(network, address, facts.leases(network.name));
  if (holder === undefined || sameMac(mac, holder)) return undefined;
  return `the network has given ${address} to another card (${holder}) since. Make a forward to that VM if it is meant`;
}

/** Target of a forward now, or the reason why there is none. */
function targetOf(forward: StoredForward, network: Network, facts: ForwardFacts): ForwardOutcome {
  if (forward.address !== undefined) {
    const fault = addressFault({ ...forward, address: forward.address }, network, facts);
    return fault === undefined ? { state: "active", target: forward.address } : lost(fault);
  }
  const name = targetName(forward);
  const vm = facts.vm(forward.vmId ?? "");
  if (vm === undefined) return lost(message`the VM ${name} is gone`);
  const nic = cardOn(vm, network.name, forward.mac);
  if (nic === undefined) return lost(message`${vmName(vm)} has no such card on ${network.name} any more`);
  if (vm.state !== "running" && vm.state !== "paused") return waiting(message`${vmName(vm)} does not run`);
  const family = forwardFamily(forward, network);
  const target = nicAddress(network, nic, facts.leases(network.name), family);
  return target === undefined
    ? waiting(message`the address of ${vmName(vm)} is not known yet`)
    : { state: "active", target };
}

function conflictOf(
  forward: StoredForward,
  earlier: readonly StoredForward[],
  facts: ForwardFacts,
): Sentence | undefined {
  const span = spanOf(forward);
  const other = earlier.find((each) => spansOverlap(spanOf(each), span));
  if (other) return message`${portText(spanOf(other))}/${span.protocol} leads to ${targetName(other)}`;
  if (facts.standing.has(forward.id)) return undefined;
  const socket = socketOn(span, facts.sockets);
  return socket && `a program of the host has port ${socket.port}/${span.protocol}`;
}

/** Plans every forward. @param forwards the oldest first: of two that want the same port it has it */
export function planForwards(forwards: readonly StoredForward[], facts: ForwardFacts): PlannedForward[] {
  const placed: StoredForward[] = [];
  return forwards.map((forward): PlannedForward => {
    const { id } = forward;
    if (!forward.enabled) return { id, state: "disabled" };
    if (facts.unavailable !== undefined) return { id, state: "unavailable", reason: facts.unavailable };
    const network = facts.network(forward.network);
    if (!network) return { id, state: "lost", reason: message`the network ${forward.network} is gone` };
    const unfit = notForwardable(network);
    if (unfit !== undefined) return { id, state: "lost", reason: unfit };
    const conflict = conflictOf(forward, placed, facts);
    if (conflict !== undefined) return { id, state: "conflict", reason: conflict };
    placed.push(forward);
    if (!network.active || !facts.hasDevice(network.bridge!)) {
      return { id, state: "waiting", reason: message`the network ${network.name} is not active` };
    }
    const { target, ...outcome } = targetOf(forward, network, facts);
    const subnet = target === undefined ? undefined : subnetFor(network, target);
    if (target === undefined || subnet === undefined) return { id, ...outcome };
    return {
      id,
      ...outcome,
      rule: {
        id,
        family: subnet.family,
        protocol: forward.protocol,
        hostAddress: forward.hostAddress,
        from: forward.hostPort,
        to: forward.hostPortEnd,
        target: formatAddress(parseAddress(target)!),
        targetFrom: forward.targetPort,
        bridge: network.bridge!,
        subnet: { address: formatAddress(networkOf(subnet)), prefix: subnet.prefix },
      },
    };
  });
}
