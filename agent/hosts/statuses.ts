/** How each host is, as lists tell it. */
import { mayCall } from "../../lib/access/may_call.ts";
import { may, type Rights } from "../../lib/access/rights.ts";
import { ContractError, type HostStats, type HostStatus, type VM } from "../../lib/contract/mod.ts";
import { isLive } from "../../lib/vm/state.ts";
import { connectionUri } from "../libvirt/uri.ts";
import { shownConnection } from "../../lib/access/shown_connection.ts";
import type { Host } from "./host.ts";
import { versionText } from "./node_info.ts";
import type { LinkedHost } from "./linked/linked_host.ts";
import type { LinkedHosts } from "./linked/linked_hosts.ts";
import type { HostRecords } from "./records.ts";
import type { HostRegistry } from "./registry.ts";

/** The hosts that are served, and those that are kept. */
export interface ListedHosts {
  readonly hosts: HostRegistry;
  readonly linked: LinkedHosts;
  readonly hostRecords: HostRecords;
}

const countsOf = (vms: readonly VM[]) => ({ vmCount: vms.length, activeVmCount: vms.filter(isLive).length });

const loadOf = ({ cpuUsagePercent, memoryUsedMb, memoryTotalMb, timestamp }: HostStats) => ({
  ...{ cpuUsagePercent, memoryUsedMb, memoryTotalMb, timestamp },
});

/** How a served host is; which VMs' ids two of them have is for who sees all VMs. */
function servedStatus(
  { hosts }: ListedHosts,
  host: Host,
  rights: Rights,
  seesVm: (vm: VM) => boolean,
): HostStatus {
  const load = host.sampler.host && loadOf(host.sampler.host);
  const isLocal = host === hosts.local, { status, error, since } = host.link.status;
  const shown = shownConnection({ uri: connectionUri(host.link.uri), error }, rights);
  const { libvirtVersion } = host.make.known ?? {};
  return {
    ...{ id: host.id, label: host.label, isLocal, status, since },
    ...isLocal && error !== null ? { ...shown, error } : shown,
    ...(libvirtVersion !== undefined && { version: versionText(libvirtVersion) }),
    ...(host.inventory.filled && countsOf(host.inventory.vms().filter(seesVm))),
    ...(load !== undefined && mayCall(rights, "get_host_stats") && { load }),
    isKnown: host.inventory.filled,
    foreignVms: may(rights, "vms.view", "everything") ? hosts.foreignOn(host) : [],
  };
}

/** How a linked host is. */
function linkedStatus(host: LinkedHost, rights: Rights, seesVm: (vm: VM) => boolean): HostStatus {
  const { status, error, since } = host.status, { stats, about } = host, load = stats && loadOf(stats);
  const seesAll = may(rights, "vms.view", "everything");
  return {
    ...{ id: host.id, label: host.label, isLocal: false, status, since },
    ...shownConnection({ uri: host.address, error }, rights),
    ...(about !== undefined && { linked: about }),
    ...(host.isRead && countsOf(host.vms().filter(seesVm))),
    ...(load !== undefined && mayCall(rights, "get_host_stats") && { load }),
    isKnown: host.isRead,
    foreignVms: seesAll ? host.foreignVms().map(({ id, name }) => ({ vmId: id, name, owners: [] })) : [],
  };
}

/** How all hosts are, those that are disabled as they are kept. */
export function hostStatuses(app: ListedHosts, rights: Rights): HostStatus[] {
  const seesVm = ({ id, group }: VM) => may(rights, "vms.view", { vmId: id, group });
  const served = app.hosts.all().map((host) => servedStatus(app, host, rights, seesVm));
  const isServed = (id: string) => (app.hosts.served(id) ?? app.linked.served(id)) !== undefined;
  const rest = app.hostRecords.all().filter(({ id }) => !isServed(id));
  return [
    ...served,
    ...app.linked.all().map((host) => linkedStatus(host, rights, seesVm)),
    ...rest.map(({ id, label, uri, added }): HostStatus => ({
      ...{ id, label, uri: mayCall(rights, "add_host") ? uri : "", isLocal: false, since: added },
      ...{ status: "disabled", error: null, isKnown: false, foreignVms: [] },
    })),
  ];
}

/** @throws {ContractError} HostNotFound */
export function hostStatus(app: ListedHosts, id: string, rights: Rights): HostStatus {
  const found = hostStatuses(app, rights).find((each) => each.id === id);
  if (found === undefined) throw new ContractError("HostNotFound", { host: id });
  return found;
}
