/** Sockets that wait for somebody, as the kernel lists them. Pure. Source: proc(5), /proc/net/tcp and its kin. */
import type { Address, Family } from "./cidr.ts";

/** A socket that takes what comes to a port. */
export interface Socket {
  readonly protocol: "tcp" | "udp";
  /** All zero: any address. */
  readonly address: Address;
  readonly port: number;
  readonly inode: string;
}

/** `TCP_LISTEN`, and what an UDP socket without a peer is in (`TCP_CLOSE`). */
const WAITING = { tcp: "0A", udp: "07" } as const;

/** The kernel writes addresses as words of 32 bits in the machine's order: every Linux we run on is little-endian. */
function addressOf(hex: string, family: Family): Address {
  const words = hex.match(/.{8}/g) ?? [];
  const bytes = words.flatMap((word) => (word.match(/../g) ?? []).reverse());
  const value = BigInt(`0x${bytes.join("")}`);
  const mapped = family === 6 && value >> 32n === 0xffffn;
  return mapped ? { family: 4, value: value & 0xffff_ffffn } : { family, value };
}

/** The waiting sockets of one of the kernel's lists. Lines that are none are left out. */
export function waitingSockets(text: string, protocol: Socket["protocol"], family: Family): Socket[] {
  const line = family === 4
    ? /^\s*\d+: ([0-9A-F]{8}):([0-9A-F]{4}) [0-9A-F]{8}:([0-9A-F]{4}) ([0-9A-F]{2}) (.*)$/
    : /^\s*\d+: ([0-9A-F]{32}):([0-9A-F]{4}) [0-9A-F]{32}:([0-9A-F]{4}) ([0-9A-F]{2}) (.*)$/;
  return text.split("\n").flatMap((each): Socket[] => {
    const [, address, port, peer, state, rest = ""] = line.exec(each) ?? [];
    if (address === undefined || peer !== "0000" || state !== WAITING[protocol]) return [];
    // tx:rx tr:when retransmits uid timeout inode
    const inode = rest.trim().split(/\s+/)[5] ?? "0";
    return [{ protocol, address: addressOf(address, family), port: Number.parseInt(port!, 16), inode }];
  });
}
