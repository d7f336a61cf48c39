/** Static leases, DHCP ranges, and the leases that were given. */
import type { DhcpStep } from "../../ffi/calls/mod.ts";
import {
  type AddressRange,
  ContractError,
  type Input,
  type Network,
  type NetworkLease,
  type NetworkSubnet,
  type Output,
  type StaticLease,
} from "../../lib/contract/mod.ts";
import { formatAddress, parseAddress, type Subnet } from "../../lib/formats/ip/cidr.ts";
import { leaseFault, leaseOwnerFault, rangeFault, sameLease } from "../../lib/network/check.ts";
import { renderXml } from "../../lib/formats/xml/build.ts";
import { readNetwork } from "../../lib/formats/xml/network_read.ts";
import { leaseXml, rangeXml } from "../../lib/formats/xml/network.ts";
import { contractError, isUnsupported } from "../libvirt/failure.ts";
import { log } from "../log.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import { requireNetwork } from "./view.ts";
import { leasesOn } from "../hosts/leases.ts";
import { message } from "../../lib/i18n/message.ts";

type DhcpInput = Input<"update_network_dhcp">;

/** An address in its one spelling; what is none stays as it is. */
function spelled(ip: string): string {
  const address = parseAddress(ip);
  return address ? formatAddress(address) : ip;
}

const same = (a: AddressRange, b: AddressRange) =>
  spelled(a.start) === spelled(b.start) && spelled(a.end) === spelled(b.end);

/** A network's DHCP as it becomes, step by step; every step is checked against what the ones before leave. */
class Plan {
  readonly steps: DhcpStep[] = [];
  readonly #subnets: { host: Subnet; subnet: NetworkSubnet; hosts: StaticLease[]; ranges: AddressRange[] }[];

  constructor(readonly network: Network) {
    this.#subnets = network.subnets.map((subnet) => ({
      subnet,
      host: { ...parseAddress(subnet.address)!, prefix: subnet.prefix },
      hosts: [...subnet.hosts],
      ranges: [...subnet.ranges],
    }));
  }

  removeLease(lease: StaticLease): void {
    for (const [subnet, { hosts }] of this.#subnets.entries()) {
      const at = hosts.findIndex((each) => spelled(each.ip) === spelled(lease.ip));
      if (at < 0) continue;
      const [found] = hosts.splice(at, 1);
      return void this.steps.push({
        does: "delete",
        section: "host",
        subnet,
        xml: renderXml(leaseXml(found!)),
      });
    }
    throw new ContractError("NoSuchStaticLease", { network: this.network.name, what: lease.ip });
  }

  addLease(lease: StaticLease): void {
    const owner = leaseOwnerFault(lease);
    if (owner) throw new ContractError("NetworkMismatch", { reason: owner });
    const { subnet, at } = this.#subnetFor(lease.ip);
    const reason = leaseFault(lease, at.host);
    if (reason) {
      throw new ContractError("AddressOutsideSubnet", { ip: lease.ip, subnet: at.subnet.cidr, reason });
    }
    const taken = at.hosts.map((other) => sameLease(lease, other)).find(Boolean);
    if (taken) throw new ContractError("StaticLeaseTaken", { what: taken });
    this.#needDhcp(at.subnet);
    at.hosts.push(lease);
    this.steps.push({ does: "add", section: "host", subnet, xml: renderXml(leaseXml(lease)) });
  }

  removeRange(range: AddressRange): void {
    for (const [subnet, { ranges }] of this.#subnets.entries()) {
      const at = ranges.findIndex((each) => same(each, range));
      if (at < 0) continue;
      const [found] = ranges.splice(at, 1);
      return void this.steps.push({
        does: "delete",
        section: "range",
        subnet,
        xml: renderXml(rangeXml(found!)),
      });
    }
    const what = `${range.start} – ${range.end}`;
    throw new ContractError("NoSuchStaticLease", { network: this.network.name, what });
  }

  addRange(range: AddressRange): void {
    const { subnet, at } = this.#subnetFor(range.start);
    const crosses = () => {
      const [from, to] = [parseAddress(range.start)!.value, parseAddress(range.end)!.value];
      const isCrossed = at.ranges.some(({ start, end }) =>
        from <= parseAddress(end)!.value && to >= parseAddress(start)!.value
      );
      return isCrossed ? "it overlaps with another range" : undefined;
    };
    const reason = rangeFault(range, at.host) ?? crosses();
    if (reason) throw new ContractError("DhcpOutsideSubnet", { ...range, subnet: at.subnet.cidr, reason });
    this.#needDhcp(at.subnet);
    at.ranges.push(range);
    this.steps.push({ does: "add", section: "range", subnet, xml: renderXml(rangeXml(range)) });
  }

  /** libvirt starts no DHCP server on a running network's subnet that began without one. */
  #needDhcp({ dhcp, cidr }: NetworkSubnet): void {
    if (dhcp) return;
    throw new ContractError("NetworkMismatch", { reason: message`the subnet ${cidr} was made without DHCP` });
  }

  /** The subnet an address belongs to; of one that belongs to none, the first of its family. */
  #subnetFor(ip: string) {
    const address = parseAddress(ip);
    if (!address) throw new ContractError("NetworkMismatch", { reason: message`${ip} is not an IP address` });
    const own = this.#subnets.map((at, subnet) => ({ subnet, at })).filter(({ at }) =>
      at.host.family === address.family
    );
    const found = own.find(({ at }) => leaseFault({ ip }, at.host) === undefined) ?? own[0];
    if (!found) {
      const reason = `${this.network.name} has no IPv${address.family} subnet of its own`;
      throw new ContractError("NetworkMismatch", { reason });
    }
    return found;
  }
}

/** Whether a lease is that of whom a static one is for. */
const isFor = ({ mac, duid, hostname }: StaticLease, lease: NetworkLease): boolean =>
  (mac !== undefined && mac.toLowerCase() === lease.mac) ||
  (duid !== undefined && duid.toLowerCase() === lease.duid?.toLowerCase()) ||
  (hostname !== undefined && hostname === lease.hostname);

/** @throws {ContractError} AddressLeased where another holds an address now */
async function requireNotLeased(
  host: LibvirtHost,
  name: string,
  added: readonly StaticLease[],
): Promise<void> {
  if (added.length === 0) return;
  const leases = await leasesOf(host, name);
  for (const wish of added) {
    const lease = leases.find((each) => spelled(each.ip) === spelled(wish.ip) && !isFor(wish, each));
    if (lease === undefined) continue;
    const { ip, mac, vmName, hostname, expiresAt } = lease;
    const who = vmName ?? hostname;
    throw new ContractError("AddressLeased", {
      ip,
      holder: who === undefined ? mac : `${who} (${mac})`,
      until: expiresAt === null ? "without end" : `until ${new Date(expiresAt).toISOString()}`,
    });
  }
}

/** Changes static leases and ranges. @throws {ContractError} as the contract says */
export async function updateDhcp(
  host: LibvirtHost,
  { name, remove = [], add = [], removeRanges = [], addRanges = [], allowLeased = false }: DhcpInput,
): Promise<Output<"update_network_dhcp">> {
  const network = requireNetwork(host, name);
  const plan = new Plan(network);
  for (const lease of remove) plan.removeLease(lease);
  for (const lease of add) plan.addLease(lease);
  for (const range of removeRanges) plan.removeRange(range);
  for (const range of addRanges) plan.addRange(range);
  if (!allowLeased) await requireNotLeased(host, name, add);
  if (plan.steps.length === 0) return { live: network.active, persistent: network.persistent };
  try {
    return await host.link.call("networkUpdateDhcp", { name, steps: plan.steps });
  } catch (error) {
    throw contractError(error, "NetworkUpdateFailed", "update_network_dhcp");
  } finally {
    await host.inventory.networks.refresh(name).catch((error) =>
      log.debug("the networks could not be read", { error })
    );
  }
}

/**
 * Takes a static lease away wherever it is: libvirtd that is killed in the middle has it in what runs or in what starts
 * next alone.
 *
 * @returns whether it was anywhere @throws {LibvirtError}
 */
export async function forgetLease(
  { link, inventory }: LibvirtHost,
  { network: name, ip, mac }: { readonly network: string; readonly ip: string; readonly mac: string },
): Promise<boolean> {
  const record = (await link.call("networkScan")).find((each) => each.name === name);
  if (record === undefined) return false;
  const { active, persistent, xml, nextXml = xml } = record;
  const stepsIn = (source: string, only: "live" | "config") =>
    readNetwork(source).subnets.flatMap(({ hosts }, subnet): DhcpStep[] =>
      hosts.filter((host) =>
        spelled(host.ip) === spelled(ip) && host.mac?.toLowerCase() === mac.toLowerCase()
      )
        .map((host) => ({ does: "delete", section: "host", subnet, only, xml: renderXml(leaseXml(host)) }))
    );
  const steps = [
    ...active ? stepsIn(xml, "live") : [],
    ...persistent ? stepsIn(nextXml, "config") : [],
  ];
  if (steps.length === 0) return false;
  await link.call("networkUpdateDhcp", { name, steps });
  await inventory.networks.refresh(name);
  return true;
}

/** The leases of a network that have not ended, by address. A stopped network has none, nor has libvirt's test driver. */
export async function leasesOf(host: LibvirtHost, name: string): Promise<NetworkLease[]> {
  const network = requireNetwork(host, name);
  if (!network.active) return [];
  let found;
  try {
    found = await leasesOn({ link: host.link, networks: host.inventory.networks }, name);
  } catch (error) {
    if (isUnsupported(error)) return [];
    throw contractError(error, "LibvirtFailed", "get_network_leases");
  }
  const owners = new Map(
    network.vms.flatMap(({ vmId, name: vmName, macs }) =>
      macs.map((mac) => [mac.toLowerCase(), { vmId, vmName }])
    ),
  );
  const hosts = network.subnets.flatMap((subnet) => subnet.hosts);
  const now = Date.now();
  return found.filter(({ expires }) => expires === 0 || expires * 1000 > now)
    .map(({ mac, address, prefix, hostname, expires, clientId }): NetworkLease => {
      const isV6 = address.includes(":");
      const isStatic = hosts.some((each) =>
        spelled(each.ip) === spelled(address) &&
        (each.mac === undefined || each.mac.toLowerCase() === mac.toLowerCase())
      );
      return {
        mac: mac.toLowerCase(),
        ip: address,
        prefix,
        ...(hostname !== "" && { hostname }),
        ...(isV6 && clientId !== "" && { duid: clientId }),
        expiresAt: expires === 0 ? null : expires * 1000,
        isStatic,
        ...owners.get(mac.toLowerCase()),
      };
    }).sort(byAddress);
}

/** IPv4 first, then by number. */
function byAddress(a: NetworkLease, b: NetworkLease): number {
  const [one, other] = [parseAddress(a.ip), parseAddress(b.ip)];
  if (!one || !other || one.family !== other.family) return (one?.family ?? 9) - (other?.family ?? 9);
  return one.value < other.value ? -1 : one.value > other.value ? 1 : 0;
}
