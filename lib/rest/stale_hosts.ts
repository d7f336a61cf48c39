/** Hosts that a list of all hosts has as they were when they answered last, as a head of the answer. Pure. */

export const STALE_HOSTS_HEADER = "x-stale-hosts";

/** A host that does not answer, and was read before. */
export interface StaleHost {
  readonly id: string;
  /** When it answered last, in milliseconds since 1970. */
  readonly heardAt: number;
}

/** The head: `kvm2;age=312, kvm3;age=5`, ages in seconds (RFC 8941, 3.1). */
export const staleHostsText = (hosts: readonly StaleHost[], now: number): string =>
  hosts.map(({ id, heardAt }) => `${id};age=${Math.max(0, Math.round((now - heardAt) / 1000))}`).join(", ");

/** Reads it: ids with ages in seconds. What is none of it is left out. */
export const readStaleHosts = (text: string): { readonly id: string; readonly age: number }[] =>
  [...text.matchAll(/([a-z0-9.-]+);age=(\d+)/g)].map(([, id, age]) => ({ id: id!, age: Number(age) }));
