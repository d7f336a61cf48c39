/** The kernel's route tables as /proc shows them. Sources: proc(5), net/ipv4/fib_trie.c, net/ipv6/route.c. Pure. */
import { bitsOf, type Subnet } from "../formats/ip/cidr.ts";

/** Route of packets to a subnet. */
export interface IpRoute {
  readonly subnet: Subnet;
  readonly device: string;
}

/** `RTF_UP`, `RTF_REJECT` */
const UP = 1, REJECT = 0x200;
/** Destination and mask of a default route. */
const ALL_V4 = "0".repeat(8), ALL_V6 = "0".repeat(32);

/** Bytes of /proc/net/route stand in the VM's own order, which is little-endian on all we run on. */
function littleEndian(hex: string): bigint {
  return BigInt(`0x${hex.match(/../g)!.reverse().join("")}`);
}

/** Ones at the front of a mask. */
const prefixOf = (mask: bigint) => mask.toString(2).padStart(32, "0").replace(/0+$/, "").length;

/** Reads /proc/net/route. Default routes and those that lead nowhere take no subnet, and are left out. */
export function routesV4(text: string): IpRoute[] {
  return text.split("\n").slice(1).flatMap((line): IpRoute[] => {
    const [device, destination, , flags, , , , mask] = line.trim().split(/\s+/);
    if (device === undefined || !/^[0-9A-F]{8}$/i.test(destination ?? "") || mask === undefined) return [];
    const bits = parseInt(flags!, 16);
    const prefix = prefixOf(littleEndian(mask));
    if (prefix === 0 || !(bits & UP) || bits & REJECT) return [];
    return [{ device, subnet: { family: 4, value: littleEndian(destination!), prefix } }];
  });
}

/** fe80::/10 and ff00::/8 are on every device: they belong to none. */
const isLinkLocal = (value: bigint) => value >> 118n === 0x3fan || value >> 120n === 0xffn;

/** Reads /proc/net/ipv6_route. Single addresses of the host itself stand on `lo`; they are left out. */
export function routesV6(text: string): IpRoute[] {
  return text.split("\n").flatMap((line): IpRoute[] => {
    const columns = line.trim().split(/\s+/);
    const [destination = "", length = ""] = columns;
    const device = columns[9], flags = parseInt(columns[8] ?? "", 16);
    if (device === undefined || !/^[0-9a-f]{32}$/i.test(destination)) return [];
    const value = BigInt(`0x${destination}`), prefix = parseInt(length, 16);
    const isOwn = device === "lo" || prefix === 0 || prefix > bitsOf(6) || isLinkLocal(value);
    if (isOwn || !(flags & UP) || flags & REJECT) return [];
    return [{ device, subnet: { family: 6, value, prefix } }];
  });
}

/** Devices that the default routes lead through. @param v4 /proc/net/route @param v6 /proc/net/ipv6_route */
export function defaultDevices(v4: string, v6: string): Set<string> {
  const found = new Set<string>();
  for (const line of v4.split("\n").slice(1)) {
    const [device, destination, , flags, , , , mask] = line.trim().split(/\s+/);
    const bits = parseInt(flags ?? "", 16);
    if (destination === ALL_V4 && mask === ALL_V4 && bits & UP && !(bits & REJECT)) found.add(device!);
  }
  for (const line of v6.split("\n")) {
    const columns = line.trim().split(/\s+/);
    const device = columns[9], bits = parseInt(columns[8] ?? "", 16);
    const isDefault = columns[0] === ALL_V6 && columns[1] === "00" && device !== undefined && device !== "lo";
    if (isDefault && bits & UP && !(bits & REJECT)) found.add(device);
  }
  return found;
}

/** VLAN devices → their ids, from /proc/net/vlan/config: `eth0.5 | 5 | eth0`. Source: net/8021q/vlanproc.c. */
export function vlanIds(text: string): Map<string, number> {
  const rows = text.split("\n").map((line) => line.split("|").map((part) => part.trim()));
  return new Map(
    rows.flatMap(([device, id]): [string, number][] =>
      device !== undefined && /^\d+$/.test(id ?? "") ? [[device, Number(id)]] : []
    ),
  );
}
