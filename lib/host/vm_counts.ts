/** How many VMs a host's pages are about. Pure. */
import { LOCAL_HOST } from "../contract/local_host.ts";
import type { HostStatus } from "../contract/mod.ts";
import { enabledHosts } from "./states.ts";

/** How many VMs there are, and how many of them run or are paused. */
export interface VmCounts {
  readonly total: number;
  readonly active: number;
}

/**
 * Counts the VMs that the list of a host's pages has: of all hosts on the local host's pages, of the host alone on another's.
 * Null before any of these hosts was read.
 */
export function vmCountsOf(hosts: readonly HostStatus[], pageHost: string): VmCounts | null {
  const listed = enabledHosts(hosts)
    .filter(({ id, vmCount }) => vmCount !== undefined && (pageHost === LOCAL_HOST || id === pageHost));
  return listed.length === 0 ? null : {
    total: listed.reduce((sum, { vmCount = 0 }) => sum + vmCount, 0),
    active: listed.reduce((sum, { activeVmCount = 0 }) => sum + activeVmCount, 0),
  };
}
