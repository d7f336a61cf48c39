/**
 * Fetching from other hosts: HTTP and HTTPS alone, never where the rules do not allow. A name is resolved once a hop, all
 * its addresses are judged, and the connection goes to just those: an answer that changes in between (rebinding) changes
 * nothing. Redirects are judged as the first address was. (Tried on Deno 2.9: `lookup` of node:https pins the address,
 * while the certificate is still checked against the name.)
 */
import dns from "node:dns";
import http, { type IncomingMessage } from "node:http";
import https from "node:https";
import { outsideClosed } from "../../ffi/outside.ts";
import { messageOf } from "../../lib/text/message.ts";
import { parseAddress } from "../../lib/formats/ip/cidr.ts";
import { addressReach, reachRefusal, type ReachRules } from "../../lib/network/address_scope.ts";
import { VERSION } from "../../lib/version.ts";
import { BrokenOff, HostRefused, LinkLocalRefused, TooManyRedirects, UrlRefused } from "./errors.ts";

/** Redirects followed. */
const MOST_HOPS = 5;
/** Milliseconds from the question to the head of the answer. */
const HEAD_MS = 30_000;
/** Milliseconds in which something of the content must arrive. */
const STALL_MS = 30_000;
/** Addresses of a name that are tried. */
const MOST_ADDRESSES = 4;
/** The system's certificate bundles; a site's own authority is there, too. */
const CERTIFICATES = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/ssl/cert.pem",
];

/** Resolves a host to the addresses that the name service gives. */
export type Resolve = (host: string) => Promise<string[]>;

/** The system's resolver: /etc/hosts, DNS, whatever it is set to. */
export const systemResolve: Resolve = (host) =>
  new Promise((resolve, reject) =>
    dns.lookup(
      host,
      { all: true },
      (error: Error | null, found: { address: string }[]) =>
        error ? reject(error) : resolve(found.map(({ address }) => address)),
    )
  );

/** A request to a URL, with the rules that its address must fit. */
export interface OutboundRequest {
  readonly url: string;
  readonly rules: ReachRules;
  readonly headers?: Readonly<Record<string, string>>;
  /** Body of a POST; without it the request is a GET. A POST is sent only once: no redirect is followed. */
  readonly body?: Uint8Array;
  /** Another method than POST or GET. No redirect is followed then. */
  readonly method?: "GET" | "HEAD" | "PUT" | "DELETE";
  /** Milliseconds from the question to the head of the answer. */
  readonly headMs?: number;
  readonly signal?: AbortSignal;
  /** PEM certificates of the authorities that are believed; those of the system where nothing is said. */
  readonly ca?: string;
  /** Whether a redirect may lead from https to http: where a checksum tells what was changed on the way. */
  readonly mayDowngrade?: boolean;
  readonly resolve?: Resolve;
}

/** The head of an answer, and its content to be read. */
export interface Fetched extends AsyncDisposable {
  readonly status: number;
  /** URL of the answer, after redirects. */
  readonly url: string;
  header(name: string): string | undefined;
  /** The content's pieces, as fast as they are taken. @throws {BrokenOff} */
  content(): AsyncGenerator<Uint8Array>;
}

/** An address without what may be secret in it, fit to be shown. */
export function shownUrl(url: string): string {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname}`;
}

/** Reads an address. @throws {UrlRefused} */
export function checkedUrl(text: string): URL {
  const refuse = (reason: string) => new UrlRefused(text.slice(0, 200).replace(/\/\/[^/@]*@/, "//"), reason);
  const url = URL.parse(text);
  if (url === null) throw refuse("it is not a URL");
  if (url.protocol !== "http:" && url.protocol !== "https:") throw refuse("only http and https are possible");
  if (url.username !== "" || url.password !== "") throw refuse("it must not hold a user name or a password");
  if (url.hostname === "") throw refuse("it names no host");
  return url;
}

/**
 * The addresses of a host, all of which may be asked.
 *
 * @throws {HostRefused} @throws {BrokenOff} when the name is not known (now)
 */
export async function allowedAddresses(
  url: URL,
  rules: ReachRules,
  resolve: Resolve = systemResolve,
): Promise<string[]> {
  const host = url.hostname.replace(/^\[|\]$/g, ""), closed = outsideClosed();
  if (closed !== undefined) throw new HostRefused(host, closed);
  const literal = parseAddress(host);
  const found = literal === undefined ? await resolved(host, resolve) : [host];
  for (const text of found) {
    const address = parseAddress(text.replace(/%.*$/, ""));
    const why = address === undefined ? `${text} is no address` : reachRefusal(host, address, rules);
    if (why !== null) throw new HostRefused(host, why);
  }
  return found;
}

/** Names of this host itself, which lead to its loopback. */
const LOOPBACK = ["127.0.0.0/8", "::1"];

/** The rules for a configured target, and its addresses that were judged. */
export interface Reachable {
  readonly rules: ReachRules;
  readonly addresses: string[];
}

/**
 * Judges where something is sent that somebody set up: public addresses; where it is allowed, the private or own address
 * that its host is. A redirect or another answer of the name service changes nothing of it.
 *
 * @throws {HostRefused} @throws {LinkLocalRefused} @throws {BrokenOff}
 */
export async function requireAllowedAddress(
  url: URL,
  privateAddresses: boolean,
  resolve: Resolve = systemResolve,
): Promise<Reachable> {
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const rules: ReachRules = privateAddresses
    ? { internet: true, hosts: [host, ...host === "localhost" ? LOOPBACK : []], privateNames: true }
    : { internet: true, hosts: [], privateNames: false };
  const addresses = await allowedAddresses(url, rules, resolve);
  for (const text of addresses) {
    const address = parseAddress(text.replace(/%.*$/, ""));
    if (address !== undefined && addressReach(address) === "link-local") {
      throw new LinkLocalRefused(`${text} is a link-local address, where nothing is sent`);
    }
  }
  return { rules, addresses };
}

async function resolved(host: string, resolve: Resolve): Promise<string[]> {
  let found: string[];
  try {
    found = await resolve(host);
  } catch (error) {
    const { code } = error as { code?: string };
    throw new BrokenOff(`the name ${host} cannot be resolved${code ? ` (${code})` : ""}`, { cause: error });
  }
  if (found.length === 0) throw new BrokenOff(`the name ${host} has no address`);
  return found.slice(0, MOST_ADDRESSES);
}

let certificates: Promise<string | undefined> | undefined;

/** The system's trusted certificates, PEM; undefined where it has no list, and the runtime's own counts. */
export function trusted(): Promise<string | undefined> {
  return certificates ??= (async () => {
    const named = Deno.env.get("SSL_CERT_FILE");
    for (const path of named ? [named] : CERTIFICATES) {
      try {
        return await Deno.readTextFile(path);
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      }
    }
    return undefined;
  })();
}

/** Asks one host, at just these addresses. @throws {BrokenOff} */
async function askOnce(
  url: URL,
  addresses: readonly string[],
  { headers = {}, body, signal, method, ca: own, headMs = HEAD_MS }: Pick<
    OutboundRequest,
    "headers" | "body" | "signal" | "method" | "ca" | "headMs"
  >,
): Promise<{ response: IncomingMessage; abort: AbortController }> {
  signal?.throwIfAborted();
  const pinned = addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
  const lookup = (
    _host: string,
    options: { all?: boolean },
    give: (error: null, found: unknown, family?: number) => void,
  ) => options.all ? give(null, pinned) : give(null, pinned[0]!.address, pinned[0]!.family);
  const isSecure = url.protocol === "https:";
  const ca = isSecure ? own ?? await trusted() : undefined;
  const abort = new AbortController();
  const onAbort = () => abort.abort();
  signal?.addEventListener("abort", onAbort, { once: true });
  const limit = setTimeout(onAbort, headMs);
  try {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const request = (isSecure ? https : http).request({
        method: method ?? (body === undefined ? "GET" : "POST"),
        hostname: url.hostname.replace(/^\[|\]$/g, ""),
        port: url.port === "" ? (isSecure ? 443 : 80) : Number(url.port),
        path: `${url.pathname}${url.search}`,
        // No proxy, no kept connection: every one is made here, to an address that was judged.
        agent: false,
        signal: abort.signal,
        lookup,
        headers: {
          host: url.host,
          "user-agent": `kvm-manager/${VERSION}`,
          accept: "*/*",
          "accept-encoding": "identity",
          ...(body !== undefined && { "content-length": String(body.length) }),
          ...headers,
        },
        ...(ca !== undefined && { ca }),
      } as https.RequestOptions, resolve);
      request.on("error", reject);
      request.end(body);
    });
    return { response, abort };
  } catch (error) {
    signal?.throwIfAborted();
    const late = abort.signal.aborted ? `no answer within ${headMs / 1000} seconds` : undefined;
    throw new BrokenOff(late ?? messageOf(error), { cause: error });
  } finally {
    clearTimeout(limit);
    signal?.removeEventListener("abort", onAbort);
  }
}

/** The pieces of an answer. A connection that is silent for too long has broken off. */
async function* contentOf(
  response: IncomingMessage,
  abort: AbortController,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  let isLate = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const watch = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      isLate = true;
      abort.abort();
      response.destroy();
    }, STALL_MS);
  };
  const onAbort = () => {
    abort.abort();
    response.destroy();
  };
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    watch();
    for await (const piece of response) {
      // Whoever takes the pieces may take his time: only the other side's silence counts.
      clearTimeout(timer);
      yield piece as Uint8Array;
      watch();
    }
  } catch (error) {
    signal?.throwIfAborted();
    const why = isLate ? `nothing came for ${STALL_MS / 1000} seconds` : "the connection broke off";
    throw new BrokenOff(why, { cause: error });
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  }
  signal?.throwIfAborted();
  if (!response.complete) throw new BrokenOff("the connection broke off");
}

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/**
 * Asks for a URL, following redirects, each of them judged again.
 *
 * @throws {UrlRefused} @throws {HostRefused} @throws {TooManyRedirects} @throws {BrokenOff}
 */
export async function ask(
  { url: first, rules, headers, body, signal, mayDowngrade, resolve, ...way }: OutboundRequest,
): Promise<Fetched> {
  let url = checkedUrl(first);
  for (let hop = 0; hop <= MOST_HOPS; hop++) {
    const addresses = await allowedAddresses(url, rules, resolve);
    const { response, abort } = await askOnce(url, addresses, {
      ...(headers && { headers }),
      ...(body && { body }),
      ...(signal && { signal }),
      ...way,
    });
    const status = response.statusCode ?? 0;
    const target = response.headers.location;
    if (!REDIRECTS.has(status) || target === undefined || body !== undefined || way.method) {
      const close = () => {
        abort.abort();
        response.destroy();
        return Promise.resolve();
      };
      response.on("error", () => {/* told to whoever reads it */});
      return {
        status,
        url: url.href,
        header: (name) => {
          const value = response.headers[name];
          return Array.isArray(value) ? value[0] : value;
        },
        content: () => contentOf(response, abort, signal),
        [Symbol.asyncDispose]: close,
      };
    }
    response.on("error", () => {/* it is not read */});
    abort.abort();
    response.destroy();
    const next = checkedUrl(URL.parse(target, url)?.href ?? target);
    if (url.protocol === "https:" && next.protocol === "http:" && !mayDowngrade) {
      const reason = "a redirect leads from https to http. Give a checksum to allow that";
      throw new UrlRefused(shownUrl(next.href), reason);
    }
    url = next;
  }
  throw new TooManyRedirects(shownUrl(first), MOST_HOPS);
}
