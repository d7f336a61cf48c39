/**
 * The leases that a network's dnsmasq has given, from the file that libvirt keeps of them. Source: libvirt's
 * src/util/virlease.c and networkGetDHCPLeases() of src/network/bridge_driver.c. Pure.
 */

/** A lease as libvirt itself tells it. */
export interface FileLease {
  readonly mac: string;
  readonly address: string;
  /** The network's. */
  readonly prefix: number;
  /** Empty where the client said none. */
  readonly hostname: string;
  /** The client's identifier; empty if it sent none. */
  readonly clientId: string;
  /** Seconds since 1970; 0 for a lease that does not end. */
  readonly expires: number;
}

/** Prefix length of a network's addresses of a family. */
export interface LeasePrefix {
  readonly family: "ipv4" | "ipv6";
  readonly prefix: number;
}

const textOf = (value: unknown): string => typeof value === "string" ? value : "";

/** One of the file's entries; undefined for what is none. */
function leaseOf(entry: unknown, prefixes: readonly LeasePrefix[]): FileLease | undefined {
  if (typeof entry !== "object" || entry === null) return undefined;
  const fields = entry as Record<string, unknown>;
  const mac = textOf(fields["mac-address"]), address = textOf(fields["ip-address"]);
  const expires = fields["expiry-time"];
  if (!/^([0-9a-f]{2}:){5,}[0-9a-f]{2}$/i.test(mac) || !/^[0-9a-f.:]+$/i.test(address)) return undefined;
  if (typeof expires !== "number" || !Number.isSafeInteger(expires)) return undefined;
  const family = address.includes(":") ? "ipv6" : "ipv4";
  return {
    mac,
    address,
    prefix: prefixes.find((each) => each.family === family)?.prefix ?? 0,
    hostname: textOf(fields.hostname),
    clientId: textOf(fields["client-id"]),
    expires,
  };
}

/** Reads the file's text; undefined where it is not what libvirt writes. An empty file has no leases. */
export function readLeaseFile(text: string, prefixes: readonly LeasePrefix[]): FileLease[] | undefined {
  if (text.trim() === "") return [];
  let entries: unknown;
  try {
    entries = JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  if (!Array.isArray(entries)) return undefined;
  const leases = entries.map((entry) => leaseOf(entry, prefixes));
  return leases.every((lease) => lease !== undefined) ? leases : undefined;
}
