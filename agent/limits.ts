/** Limits of one address or account, so that no caller uses up the resources of all. */
import { formatAddress, networkOf, parseAddress } from "../lib/formats/ip/cidr.ts";
import { isLoopback } from "../lib/network/listen_address.ts";
import { type Clock, SYSTEM_CLOCK } from "./clock.ts";

/** Connections of one address at once; a browser has six for each tab with its own, a program few. */
export const MOST_PER_ADDRESS = 64;

/** Bits of the IPv6 network that one site gets at least. */
const SITE_PREFIX = 64;

/** The network that an address stands for: of IPv6 every client has 2^64 addresses. */
export function clientSubnet(address: string): string {
  const parsed = parseAddress(address.split("%")[0]!);
  return parsed?.family === 6 ? formatAddress(networkOf({ ...parsed, prefix: SITE_PREFIX })) : address;
}

/** Whether an address stands for many: everyone on the host, or behind a tunnel. They are not counted as one. */
export const isShared = (address: string) => address === "" || isLoopback(address);

/**
 * Requests a second, and how many at once before that. A page is some hundred where the browser may not keep its scripts,
 * as with a self-signed certificate; a program that goes wild is thousands.
 */
export const REQUEST_RATE = { perSecond: 100, burst: 2000 } as const;
/** Keys remembered; beyond, the one longest quiet is forgotten. */
const MOST_KEYS = 10_000;

/** Counts requests as buckets that refill. */
export class Rate {
  readonly #buckets = new Map<string, { left: number; at: number }>();

  constructor(
    private readonly rate: { readonly perSecond: number; readonly burst: number } = REQUEST_RATE,
    private readonly clock: Clock = SYSTEM_CLOCK,
  ) {}

  /** Counts one; false when it is one too many. */
  take(key: string): boolean {
    const { perSecond, burst } = this.rate;
    const now = this.clock.monotonic();
    const { left, at } = this.#buckets.get(key) ?? { left: burst, at: now };
    const filled = Math.min(burst, left + (now - at) * perSecond / 1000);
    const isEnough = filled >= 1;
    this.#buckets.delete(key); // the newest is last
    this.#buckets.set(key, { left: isEnough ? filled - 1 : filled, at: now });
    if (this.#buckets.size > MOST_KEYS) this.#buckets.delete(this.#buckets.keys().next().value!);
    return isEnough;
  }
}
