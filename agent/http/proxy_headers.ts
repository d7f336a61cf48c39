/**
 * Origin of a request, and the address by which its client reached us. Behind a reverse proxy only the proxy
 * knows, and only a proxy that the settings name is believed: any client can send X-Forwarded headers.
 */
import type { IncomingMessage } from "node:http";
import { ContractError } from "../../lib/contract/errors.ts";
import { bitsOf, contains, parseAddress, parseSubnet, type Subnet } from "../../lib/formats/ip/cidr.ts";
import { peerAddress } from "./address.ts";
import { isLoopback } from "../../lib/network/listen_address.ts";

/** Most hops that are looked at; a longer list is somebody's joke. */
const MOST_HOPS = 32;

/** The parts of a node:http request that are read and rewritten. */
export type ProxiedRequest = Pick<IncomingMessage, "url" | "headers" | "rawHeaders" | "socket">;

/** Reads a proxy's address or subnet. @throws {Error} when it is neither */
export function proxySubnet(text: string): Subnet {
  const address = parseAddress(text);
  const subnet = address ? { ...address, prefix: bitsOf(address.family) } : parseSubnet(text);
  if (!subnet) {
    throw new Error(`${JSON.stringify(text)} is no address or subnet like 192.0.2.1 or 10.0.0.0/8`);
  }
  return subnet;
}

/** Reads a base path; `/` is none. @throws {Error} */
export function basePath(text: string): string {
  const path = text.replace(/\/+$/, "");
  if (path === "" || /^(?:\/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+$/.test(path)) return path;
  throw new Error(`the base path ${JSON.stringify(text)} is no path like /kvm`);
}

/** An address as it stands in X-Forwarded-For: with or without port and brackets. */
function bare(hop: string): string {
  const text = hop.trim().replace(/^"|"$/g, "");
  const [, v6] = /^\[([0-9a-fA-F:.]+)\](?::\d+)?$/.exec(text) ?? [];
  const [, v4] = /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(text) ?? [];
  return (v6 ?? v4 ?? text).replace(/^::ffff:(?=\d+\.)/i, "");
}

/** The last of a list: what the nearest proxy has said. */
const last = (value: string | string[] | undefined): string | undefined =>
  String(value ?? "").split(",").at(-1)!.trim() || undefined;

/** The way of requests to us. */
export class ProxyHeaders {
  /**
   * @param proxies that are believed
   * @param base path below which they serve us; a proxy may take it away or leave it
   */
  constructor(private readonly proxies: readonly Subnet[] = [], private readonly base = "") {}

  /** Whether an address is one of the proxies'. */
  isProxy(text: string): boolean {
    if (this.proxies.length === 0) return false;
    const address = parseAddress(text);
    return address !== undefined && this.proxies.some((proxy) => contains(proxy, address));
  }

  /**
   * Rewrites a request as if its client had come directly: path, Host, scheme.
   *
   * @returns the client's address
   * @throws {ContractError} PlainHttp when a proxy passes on what came to it in the clear
   */
  arrive(incoming: ProxiedRequest): string {
    const peer = peerAddress(incoming);
    let path = incoming.url ?? "/";
    // The absolute form is for proxies (RFC 9112, 3.2.2): the guard judges by Host alone.
    const [, rest] = /^https?:\/\/[^/?#]*(.*)$/i.exec(path) ?? [];
    if (rest !== undefined) path = rest.startsWith("/") ? rest : `/${rest}`;
    if (path === this.base || [`${this.base}/`, `${this.base}?`].some((start) => path.startsWith(start))) {
      path = `/${path.slice(this.base.length).replace(/^\//, "")}`;
    }
    incoming.url = path;
    return this.isProxy(peer) ? this.#forwarded(incoming, peer) : peer;
  }

  #forwarded(incoming: ProxiedRequest, peer: string): string {
    const { headers, rawHeaders } = incoming;
    const host = last(headers["x-forwarded-host"]) ?? headers.host ?? "";
    const proto = last(headers["x-forwarded-proto"])?.toLowerCase();
    for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
      if (rawHeaders[at]!.toLowerCase() === "host") rawHeaders[at + 1] = host;
    }
    headers.host = host;
    if (proto === "https") incoming.url = `https://${host}${incoming.url}`;
    else if (!isLoopback(host.replace(/:\d+$/, ""))) {
      throw new ContractError("PlainHttp", { host: host.slice(0, 128) });
    }
    return this.#client(headers["x-forwarded-for"]) ?? peer;
  }

  /** The right-most hop that is no proxy of ours: everything before it, the client may have made up. */
  #client(header: string | string[] | undefined): string | undefined {
    const hops = String(header ?? "").split(",").slice(-MOST_HOPS).map(bare);
    for (const hop of hops.toReversed()) {
      if (parseAddress(hop) === undefined) return undefined;
      if (!this.isProxy(hop)) return hop;
    }
    return undefined;
  }
}
