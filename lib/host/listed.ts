/** Hosts as the list of all their VMs needs them: which are away, and since when. Pure. */
import type { ConnectionStatus, HostStatus, VM } from "../contract/mod.ts";
import { LOCAL_HOST } from "../contract/local_host.ts";
import { enabledHosts } from "./states.ts";

/** A host whose VMs are listed. */
export interface ListedHost extends Pick<HostStatus, "id" | "label" | "error" | "since"> {
  readonly connected: boolean;
}

/** The hosts that are not disabled; none where there is one: its page says itself how it is. */
export function listedHosts(hosts: readonly HostStatus[]): ListedHost[] {
  const shown = enabledHosts(hosts);
  return shown.length < 2 ? [] : shown.map(({ id, label, error, since, status }) => ({
    id,
    label,
    error,
    since,
    connected: status === "connected",
  }));
}

/** Those that are away, by their ids. @param newer how a host is now, where that was heard of since */
export function awayHosts(
  hosts: readonly ListedHost[],
  newer: (id: string) => ConnectionStatus | null,
): ReadonlyMap<string, ListedHost> {
  const now = hosts.map((host): ListedHost => {
    const { connected, error, since } = newer(host.id) ?? host;
    return { ...host, connected, error, since };
  });
  return new Map(now.filter(({ connected }) => !connected).map((host) => [host.id, host]));
}

/** Host as its VMs name it: the local one by its name, others by their ids. */
export const vmHostOf = ({ id, label }: Pick<ListedHost, "id" | "label">): string =>
  id === LOCAL_HOST ? label : id;

/** Id of a VM's host. VMs of the local one have its name, which is no id. */
export const hostIdOf = (vm: Pick<VM, "host">, hosts: readonly ListedHost[]): string =>
  hosts.some(({ id }) => id === vm.host) ? vm.host : LOCAL_HOST;
