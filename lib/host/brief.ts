/** Hosts as every page shows them: in short, with what was heard of them since they were read. Pure. */
import type { ConnectionStatus, HostStats, HostStatus } from "../contract/mod.ts";
import { enabledHosts } from "./states.ts";

/** Fields of a host in the sidebar and on the dashboard. */
export interface HostBrief
  extends Pick<HostStatus, "id" | "label" | "status" | "error" | "since" | "maintenance"> {
  /** Of its libvirt, and of its KVM Manager. */
  readonly version: string | undefined;
  readonly manager: string | undefined;
  readonly vmCount: number | undefined;
  readonly load: HostStatus["load"];
  /** When the certificate of its KVM Manager ends. */
  readonly certificateEndsAt?: number;
  /** How many VMs it has under ids that are other hosts' VMs'. */
  readonly foreign: number;
}

/** The hosts that are not disabled. */
export const briefHosts = (hosts: readonly HostStatus[]): HostBrief[] =>
  enabledHosts(hosts).map((
    { id, label, status, error, since, maintenance, version, linked, vmCount, load, foreignVms },
  ) => ({
    id,
    label,
    status,
    error,
    since,
    version,
    vmCount,
    load,
    ...(maintenance !== undefined && { maintenance }),
    ...(linked?.certificateEndsAt !== undefined && { certificateEndsAt: linked.certificateEndsAt }),
    manager: linked?.version,
    foreign: foreignVms.length,
  }));

/** A host as it is now. @param connection, stats what was heard of it last; null: nothing */
export function withHeard(
  host: HostBrief,
  connection: Pick<ConnectionStatus, "status" | "error" | "since"> | null,
  stats: HostStats | null,
): HostBrief {
  const { status, error, since } = connection ?? host;
  if (stats === null || stats.timestamp <= (host.load?.timestamp ?? 0)) {
    return { ...host, status, error, since };
  }
  const { cpuUsagePercent, memoryUsedMb, memoryTotalMb, timestamp } = stats;
  const load = { cpuUsagePercent, memoryUsedMb, memoryTotalMb, timestamp };
  return { ...host, status, error, since, load };
}
