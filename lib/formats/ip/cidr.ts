/** Addresses and subnets of both families as numbers: reading, writing, containing, overlapping. Pure. */

export type Family = 4 | 6;

/** An address: its family and its bits. */
export interface Address {
  readonly family: Family;
  readonly value: bigint;
}

/** An address with the length of its subnet's prefix: a host in it, or the subnet itself. */
export interface Subnet extends Address {
  readonly prefix: number;
}

/** Bits of an address. */
export const bitsOf = (family: Family): number => family === 4 ? 32 : 128;

function parseV4(text: string): bigint | undefined {
  const parts = text.split(".");
  if (parts.length !== 4) return undefined;
  let value = 0n;
  for (const part of parts) {
    // A leading zero means octal to some programs: such an address is two addresses.
    if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return undefined;
    value = value << 8n | BigInt(part);
  }
  return value;
}

/** Groups of one side of an IPv6 address's `::`; an IPv4 address may stand for the last two. */
function groupsOf(text: string, last: boolean): bigint[] | undefined {
  if (text === "") return [];
  const found: bigint[] = [];
  const parts = text.split(":");
  for (const [index, part] of parts.entries()) {
    if (last && index === parts.length - 1 && part.includes(".")) {
      const v4 = parseV4(part);
      if (v4 === undefined) return undefined;
      found.push(v4 >> 16n, v4 & 0xffffn);
    } else if (/^[0-9a-fA-F]{1,4}$/.test(part)) found.push(BigInt(`0x${part}`));
    else return undefined;
  }
  return found;
}

function parseV6(text: string): bigint | undefined {
  const sides = text.split("::");
  if (sides.length > 2) return undefined;
  const head = groupsOf(sides[0]!, sides.length === 1);
  const tail = sides.length === 2 ? groupsOf(sides[1]!, true) : [];
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  if (sides.length === 1 ? missing !== 0 : missing < 1) return undefined;
  const groups = [...head, ...Array<bigint>(Math.max(0, missing)).fill(0n), ...tail];
  return groups.reduce((value, group) => value << 16n | group, 0n);
}

/** Reads an address of either family; undefined for anything else. Zones (`%eth0`) are none. */
export function parseAddress(text: string): Address | undefined {
  const family: Family = text.includes(":") ? 6 : 4;
  const value = family === 4 ? parseV4(text) : parseV6(text);
  return value === undefined ? undefined : { family, value };
}

/** Reads `address/prefix`; undefined for anything else. */
export function parseSubnet(text: string): Subnet | undefined {
  const [host = "", length, more] = text.split("/");
  const address = parseAddress(host);
  if (address === undefined || more !== undefined || !/^\d{1,3}$/.test(length ?? "")) return undefined;
  const prefix = Number(length);
  return prefix <= bitsOf(address.family) ? { ...address, prefix } : undefined;
}

/** The prefix length of a netmask; undefined when its ones are not all at its front. */
export function prefixOfNetmask(text: string): number | undefined {
  const value = parseV4(text);
  if (value === undefined) return undefined;
  const ones = value.toString(2).padStart(32, "0").replace(/0+$/, "");
  return ones.includes("0") ? undefined : ones.length;
}

/** Writes an address: IPv6 as RFC 5952 has it, so that two texts are the same when the addresses are. */
export function formatAddress({ family, value }: Address): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 0xffn).join(".");
  const groups = Array.from({ length: 8 }, (_, index) => (value >> BigInt(112 - index * 16)) & 0xffffn);
  let start = -1, length = 1;
  for (let at = 0; at < 8; at++) {
    let end = at;
    while (end < 8 && groups[end] === 0n) end++;
    if (end - at > length) [start, length] = [at, end - at];
  }
  const text = (some: bigint[]) => some.map((group) => group.toString(16)).join(":");
  return start < 0 ? text(groups) : `${text(groups.slice(0, start))}::${text(groups.slice(start + length))}`;
}

/** Writes `address/prefix`. */
export function formatSubnet(subnet: Subnet): string {
  return `${formatAddress(subnet)}/${subnet.prefix}`;
}

const hostMask = ({ family, prefix }: Subnet) => (1n << BigInt(bitsOf(family) - prefix)) - 1n;

/** The subnet an address with a prefix lies in: its first address. */
export function networkOf(subnet: Subnet): Subnet {
  return { ...subnet, value: subnet.value & ~hostMask(subnet) };
}

/** A subnet's last address; of IPv4 the broadcast's. */
export function lastOf(subnet: Subnet): Address {
  return { family: subnet.family, value: subnet.value | hostMask(subnet) };
}

/** Whether an address lies in a subnet. */
export function contains(subnet: Subnet, address: Address): boolean {
  return subnet.family === address.family &&
    networkOf(subnet).value === (address.value & ~hostMask(subnet));
}

/** Whether an address can be given to a VM of the subnet: neither the subnet's own nor its broadcast's. */
export function isHostOf(subnet: Subnet, address: Address): boolean {
  if (!contains(subnet, address)) return false;
  if (subnet.family === 6 || subnet.prefix >= 31) return true;
  return address.value !== networkOf(subnet).value && address.value !== lastOf(subnet).value;
}

/** Whether two subnets have an address in common. */
export function overlaps(a: Subnet, b: Subnet): boolean {
  if (a.family !== b.family) return false;
  return a.prefix <= b.prefix ? contains(a, b) : contains(b, a);
}

/** How many addresses a range has; 0 when its end is before its start. */
export function rangeSize(start: Address, end: Address): bigint {
  return end.value < start.value ? 0n : end.value - start.value + 1n;
}
