/** What one address or account may take up, so that nobody uses up what is there for all. */
import { formatAddress, networkOf, parseAddress } from "../../lib/net/cidr.ts";
import { isLoopback } from "./guard.ts";

/** Connections of one address at once; a browser has six for each tab with its own, a program few. */
export const MOST_PER_ADDRESS = 64;

/** Bits of the IPv6 network that one site gets at least. */
const SITE_PREFIX = 64;

/** Who is behind an address: of IPv6 everyone has 2^64. */
export function neighbourhood(address: string): string {
  const parsed = parseAddress(address.split("%")[0]!);
  return parsed?.family === 6 ? formatAddress(networkOf({ ...parsed, prefix: SITE_PREFIX })) : address;
}

/** Whether an address stands for many: everyone on the host, or behind a tunnel. They are not counted as one. */
export const isShared = (address: string) => address === "" || isLoopback(address);

/** Counts what each somebody has open. */
export class Counts {
  readonly #counts = new Map<string, number>();

  constructor(private readonly most: number) {}

  /** Takes one more in; false when there are enough. {@link release} gives it back. */
  take(who: string): boolean {
    const count = this.#counts.get(who) ?? 0;
    if (count >= this.most) return false;
    this.#counts.set(who, count + 1);
    return true;
  }

  release(who: string): void {
    const count = (this.#counts.get(who) ?? 1) - 1;
    if (count === 0) this.#counts.delete(who);
    else this.#counts.set(who, count);
  }
}

/**
 * Requests a second, and how many at once before that. A page is some hundred where the browser may not keep its scripts,
 * as with a certificate that nobody vouches for; a program that goes wild is thousands.
 */
export const REQUEST_RATE = { perSecond: 100, burst: 2000 } as const;
/** Keys remembered; beyond, the one longest quiet is forgotten. */
const MOST_KEYS = 10_000;

/** Counts requests as buckets that refill. */
export class Rate {
  readonly #buckets = new Map<string, { left: number; at: number }>();

  /** @param now monotonic milliseconds */
  constructor(
    private readonly rate: { readonly perSecond: number; readonly burst: number } = REQUEST_RATE,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Counts one; false when it is one too many. */
  take(key: string): boolean {
    const { perSecond, burst } = this.rate;
    const now = this.now();
    const { left, at } = this.#buckets.get(key) ?? { left: burst, at: now };
    const filled = Math.min(burst, left + (now - at) * perSecond / 1000);
    const isEnough = filled >= 1;
    this.#buckets.delete(key); // the newest is last
    this.#buckets.set(key, { left: isEnough ? filled - 1 : filled, at: now });
    if (this.#buckets.size > MOST_KEYS) this.#buckets.delete(this.#buckets.keys().next().value!);
    return isEnough;
  }
}
