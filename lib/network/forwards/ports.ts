/** Ports and who has them: spans, what overlaps. Pure. */
import type { ForwardProtocol } from "../../contract/forwards.ts";
import { MOST_MOVED_PORTS } from "../../contract/forward_bounds.ts";
import { type Address, parseAddress } from "../../formats/ip/cidr.ts";
import type { Socket } from "../sockets.ts";

/** Ports of one protocol at one address of the host, or at all of them. */
export interface PortSpan {
  readonly protocol: ForwardProtocol;
  readonly from: number;
  readonly to: number;
  /** Undefined: every address of the host. */
  readonly address: string | undefined;
}

/** A span as people write it: `8080`, `5000-5010`. */
export function portText({ from, to }: Pick<PortSpan, "from" | "to">): string {
  return from === to ? String(from) : `${from}-${to}`;
}

/** Why ports cannot be forwarded like this; undefined when they can. */
export function portsFault(from: number, to: number, target: number): string | undefined {
  if (to < from) return "its end is before its start";
  const last = target + to - from;
  if (last > 65_535) return `the target's ports would end at ${last}, beyond 65535`;
  if (target !== from && to - from >= MOST_MOVED_PORTS) {
    return `at most ${MOST_MOVED_PORTS} ports can be moved to other numbers at once`;
  }
  return undefined;
}

const isSame = (a: string, b: string) => {
  const [one, other] = [parseAddress(a), parseAddress(b)];
  return one !== undefined && one.family === other?.family && one.value === other.value;
};

/** Whether two spans have a port in common. */
export function spansOverlap(a: PortSpan, b: PortSpan): boolean {
  if (a.protocol !== b.protocol || a.to < b.from || b.to < a.from) return false;
  return a.address === undefined || b.address === undefined || isSame(a.address, b.address);
}

/** 127.0.0.0/8 and ::1: what comes from outside never has them, and we leave them alone. */
export function isLoopbackAddress({ family, value }: Address): boolean {
  return family === 4 ? value >> 24n === 127n : value === 1n;
}

/** The program's socket that has a port of the span; undefined when none does. */
export function socketOn(span: PortSpan, sockets: readonly Socket[]): Socket | undefined {
  const own = span.address === undefined ? undefined : parseAddress(span.address);
  return sockets.find(({ protocol, port, address }) => {
    if (protocol !== span.protocol || port < span.from || port > span.to || isLoopbackAddress(address)) {
      return false;
    }
    // A program that listens on `::` gets IPv4, too.
    return own === undefined || address.value === 0n ||
      (address.family === own.family && address.value === own.value);
  });
}
