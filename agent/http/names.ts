/** The host names a listener answers for: all others are somebody else's, who has them lead here (DNS rebinding). */
import { type Hosts, loopbackHosts } from "./guard.ts";
import { urlHost } from "../../lib/text/url_host.ts";

/** Milliseconds for which this host's addresses are taken as read. */
const FRESH_MS = 5000;

/** `Host` without its port. */
const nameIn = (host: string) => host.replace(/:\d+$/, "").replace(/\.$/, "");

/** How this host is called by itself: name, short name, addresses. Unusable as names (fe80::1%eth0): left out. */
export function ownNames(): string[] {
  const name = Deno.hostname().toLowerCase();
  const addresses = Deno.networkInterfaces()
    .map(({ address }) => address.toLowerCase())
    .filter((address) => !address.startsWith("fe80:") && !address.includes("%"));
  const names = [name, name.split(".")[0]!].filter((each) => /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(each));
  return [...new Set([...names, "localhost", "127.0.0.1", "::1", ...addresses])];
}

/** The names of a listener that is reached from everywhere: this host's own with its port, and those of the settings. */
export class HostNames implements Hosts {
  #own: ReadonlySet<string> = new Set();
  #readAt = -Infinity;

  /**
   * @param port of the listener
   * @param more names of the settings: with any port, for a router or a proxy may have another one
   * @param own this host's names and addresses
   */
  constructor(
    private readonly port: number,
    private readonly more: readonly string[],
    private readonly own: () => readonly string[] = ownNames,
  ) {}

  has(host: string): boolean {
    return isNamed(host, this.more) || this.#names().has(host);
  }

  /** Addresses come and go (DHCP): they are read again, but not for every request. */
  #names(): ReadonlySet<string> {
    const now = performance.now();
    if (now - this.#readAt > FRESH_MS) {
      this.#readAt = now;
      const names = this.own().map(urlHost);
      const usual = (name: string) => this.port === 443 ? [name, `${name}:443`] : [`${name}:${this.port}`];
      this.#own = new Set(names.flatMap(usual));
    }
    return this.#own;
  }
}

/** Whether a Host is one of the settings' names, by whatever port. */
function isNamed(host: string, names: readonly string[]): boolean {
  if (!/^(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/.test(host)) return false;
  const name = nameIn(host);
  return names.some((each) => each === host || each === name || `[${each}]` === name);
}

/** The names of a listener on loopback, and those of the settings: a proxy on this host hands on what people call it. */
export function loopbackNames(port: number, hostname: string, more: readonly string[]): Hosts {
  const own = loopbackHosts(port, hostname);
  return { has: (host) => own.has(host) || isNamed(host, more) };
}
