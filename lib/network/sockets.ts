/** Sockets as the kernel lists them. Pure. Source: proc(5), /proc/net/tcp and its kin. */
import { type Address, type Family, formatAddress } from "../formats/ip/cidr.ts";

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

/** The kernel writes addresses as words of 32 bits in the VM's order: every Linux we run on is little-endian. */
function addressOf(hex: string, family: Family): Address {
  const words = hex.match(/.{8}/g) ?? [];
  const bytes = words.flatMap((word) => (word.match(/../g) ?? []).reverse());
  const value = BigInt(`0x${bytes.join("")}`);
  const mapped = family === 6 && value >> 32n === 0xffffn;
  return mapped ? { family: 4, value: value & 0xffff_ffffn } : { family, value };
}

/** A line of a list. */
interface Line {
  readonly address: Address;
  readonly port: number;
  readonly peerPort: number;
  readonly state: string;
  readonly uid: number;
  /** `0` for a socket that no program has any more. */
  readonly inode: string;
}

const LINE = {
  4: /^\s*\d+: ([0-9A-F]{8}):([0-9A-F]{4}) [0-9A-F]{8}:([0-9A-F]{4}) ([0-9A-F]{2}) (.*)$/,
  6: /^\s*\d+: ([0-9A-F]{32}):([0-9A-F]{4}) [0-9A-F]{32}:([0-9A-F]{4}) ([0-9A-F]{2}) (.*)$/,
} as const;

/** The lines of one of the kernel's lists. What is none is left out. */
function linesOf(text: string, family: Family): Line[] {
  return text.split("\n").flatMap((each): Line[] => {
    const [, address, port, peer, state, rest = ""] = LINE[family].exec(each) ?? [];
    if (address === undefined) return [];
    // tx:rx tr:when retransmits uid timeout inode
    const [, , , uid = "", , inode = "0"] = rest.trim().split(/\s+/);
    return [{
      address: addressOf(address, family),
      port: Number.parseInt(port!, 16),
      peerPort: Number.parseInt(peer!, 16),
      state: state!,
      uid: Number(uid),
      inode,
    }];
  });
}

/** The waiting sockets of one of the kernel's lists. */
export function waitingSockets(text: string, protocol: Socket["protocol"], family: Family): Socket[] {
  return linesOf(text, family)
    .filter(({ peerPort, state }) => peerPort === 0 && state === WAITING[protocol])
    .map(({ address, port, inode }) => ({ protocol, address, port, inode }));
}

/**
 * The users of this host whose programs are connected to a port, by the address and port that they come from:
 * `127.0.0.1:40312` → 1000. Of a socket that its program has closed the owner is not known.
 *
 * @param from ports that are asked about: reading all lines of a busy host takes long
 */
export function connectedUsers(
  text: string,
  family: Family,
  port: number,
  from: ReadonlySet<number>,
): Map<string, number> {
  // Numbers of the line, address and port of this end and of the other.
  const ends = /^ *\d+: [0-9A-F]+:([0-9A-F]{4}) [0-9A-F]+:([0-9A-F]{4}) /;
  const wanted = text.split("\n").filter((line) => {
    const [, own = "", peer = ""] = ends.exec(line) ?? [];
    return Number.parseInt(peer, 16) === port && from.has(Number.parseInt(own, 16));
  });
  return new Map(
    linesOf(wanted.join("\n"), family)
      .filter(({ inode }) => inode !== "0")
      .map((each) => [`${formatAddress(each.address)}:${each.port}`, each.uid]),
  );
}
