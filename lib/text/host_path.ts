/**
 * Addresses of a host's pages: `/hosts/{id}/networks`. Pages, forms and components write them without the host; an address is
 * given the host of its page as it is drawn, and a host of its own by {@link hrefOn}. Pages of the local host, and pages that are
 * about no host, stand at the top. Pure.
 */
import { LOCAL_HOST } from "../contract/local_host.ts";

/** Addresses of pages and forms that are about one host. */
const OF_A_HOST =
  /^\/(?:(?:bin|do|images|maintenance|monitoring|networks|storage|templates|vms)(?=[/?#]|$)|(?=[?#]|$))/;
/** … that are so where the host has a KVM Manager of its own. */
const OF_A_LINKED_HOST =
  /^\/(?:alerts|backups|insights|schedules|settings\/(?:alert-targets|audit|backup-targets|metrics))(?=[/?#]|$)/;
/** A page of one VM: its id tells the host. */
const OF_A_VM = /^\/vms\/(?!new\b|actions\b|import\b|move\b)/;
/** Addresses of the API that take the host as a field of the query: those of VMs, events and pages do not. */
const OF_THE_API = /^\/api\/v1\/(?!vms\/|events\b|reference\b)/;

/** A path with the host that it names. */
export interface HostPath {
  /** Undefined where it names none. */
  readonly host?: string;
  /** The path without the host. */
  readonly path: string;
}

/** Takes the host off a path. A name that is not encoded rightly is one that no host has. */
export function splitHost(pathname: string): HostPath {
  const [, host, path] = /^\/hosts\/([^/]+)(\/.*)?$/s.exec(pathname) ?? [];
  if (host === undefined) return { path: pathname };
  try {
    return { host: decodeURIComponent(host), path: path ?? "/" };
  } catch {
    return { host, path: path ?? "/" };
  }
}

/** The address of a page, form or file of a host, whichever host the page is about that it is drawn on. */
export const hrefOn = (host: string, address: string): string =>
  `/hosts/${encodeURIComponent(host)}${address}`;

/** The host that a page is about, as addresses depend on it. */
export interface AddressedHost {
  readonly id: string;
  /** It has a KVM Manager of its own. */
  readonly isLinked: boolean;
}

/**
 * An address as it is reached from a page of a host.
 *
 * @param address of ours: begins with one slash
 */
export function addressFrom({ id: host, isLinked }: AddressedHost, address: string): string {
  const [, named, rest = ""] = /^\/hosts\/([^/?#]+)(.*)$/s.exec(address) ?? [];
  if (named !== undefined) {
    return named === LOCAL_HOST ? `/${rest.replace(/^\//, "")}` : hosted(named, rest || "/");
  }
  if (host === LOCAL_HOST) return address;
  const segment = encodeURIComponent(host);
  return isLinked && OF_A_LINKED_HOST.test(address)
    ? `/hosts/${segment}${address}`
    : hosted(segment, address);
}

/** @param segment the host, encoded */
function hosted(segment: string, address: string): string {
  if (OF_THE_API.test(address)) {
    const url = new URL(address, "http://here.invalid");
    if (!url.searchParams.has("host")) url.searchParams.set("host", decodeURIComponent(segment));
    return url.pathname + url.search + url.hash;
  }
  return OF_A_HOST.test(address) && !OF_A_VM.test(address) ? `/hosts/${segment}${address}` : address;
}
