/** The DHCP range that a new network has where none was named. Pure. */
import type { AddressRange, NewNetwork } from "../contract/networks.ts";
import {
  type Address,
  formatAddress,
  lastOf,
  networkOf,
  parseSubnet,
  type Subnet,
} from "../formats/ip/cidr.ts";

/** Modes whose guests have no other DHCP server. */
const SERVED: ReadonlySet<string> = new Set(["nat", "routed", "isolated"]);
/** IPv4 prefixes whose subnets have room for guests, and no more addresses than libvirt takes in a range. */
const PREFIXES = { shortest: 16, longest: 30 };

/** All of a subnet but the host's own address: the longer side of it. */
function rangeIn(host: Subnet): AddressRange[] {
  const first = networkOf(host).value + 1n, last = lastOf(host).value - 1n;
  const [start, end] = host.value - first > last - host.value
    ? [first, host.value - 1n]
    : [host.value + 1n, last];
  const text = (value: Address["value"]) => formatAddress({ family: 4, value });
  return start > end ? [] : [{ start: text(start), end: text(end) }];
}

/** A new network with a DHCP range, unless it says its ranges or has none by its mode. An empty list is no DHCP. */
export function withDhcp(network: NewNetwork): NewNetwork {
  const { mode, ipv4 } = network;
  const host = ipv4 && parseSubnet(ipv4.address);
  if (ipv4 === undefined || ipv4.ranges !== undefined || !SERVED.has(mode)) return network;
  const isFit = host?.family === 4 && host.prefix >= PREFIXES.shortest && host.prefix <= PREFIXES.longest;
  return isFit ? { ...network, ipv4: { ...ipv4, ranges: rangeIn(host) } } : network;
}
