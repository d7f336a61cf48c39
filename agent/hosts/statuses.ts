/** How each host is, as lists tell it. */
import { mayCall } from "../../lib/access/may_call.ts";
import { may, type Rights } from "../../lib/access/rights.ts";
import { seesHost, seesVm, type Viewer } from "../../lib/access/viewer.ts";
import {
  ContractError,
  type HostStats,
  type HostStatus,
  type MaintenanceSummary,
  type VM,
} from "../../lib/contract/mod.ts";
import { type AccessWorld, viewerOf } from "../access/authorise.ts";
import type { Principal } from "../access.ts";
import { isLive } from "../../lib/vm/state.ts";
import { shownConnection } from "../../lib/access/shown_connection.ts";
import type { LibvirtHost } from "./libvirt_host.ts";
import { versionText } from "./node_info.ts";
import type { LinkedHost } from "./linked/linked_host.ts";
import type { LinkedHosts } from "./linked/linked_hosts.ts";
import type { ManagedHost } from "./managed_host.ts";
import type { ManagedHosts } from "./managed_hosts.ts";
import type { HostRecords } from "./records.ts";
import type { HostRegistry } from "./registry.ts";

/** The hosts that are served, and those that are kept. */
export interface ListedHosts {
  readonly hosts: HostRegistry;
  readonly linked: LinkedHosts;
  readonly managed: Pick<ManagedHosts, "served">;
  readonly hostRecords: HostRecords;
  readonly places: Pick<AccessWorld, "vm" | "vmsOn">;
  readonly maintenanceOf: { get(): (hostId: string) => MaintenanceSummary | undefined };
}

const countsOf = (vms: readonly VM[]) => ({ vmCount: vms.length, activeVmCount: vms.filter(isLive).length });

const loadOf = ({ cpuUsagePercent, memoryUsedMb, memoryTotalMb, timestamp }: HostStats) => ({
  cpuUsagePercent,
  memoryUsedMb,
  memoryTotalMb,
  timestamp,
});

/** User of a libvirt's login, for callers who may change it. */
const shownUser = (login: { readonly username: string } | undefined, rights: Rights) =>
  login !== undefined && mayCall(rights, "add_host") ? { username: login.username } : {};

/**
 * Common part of the status of each host that is served; its load and its VMs as far as the viewer may see
 * them.
 */
function commonStatus(host: ManagedHost, viewer: Viewer) {
  const { id, label, isRead, stats } = host, { status, since } = host.status;
  const isLoadSeen = mayCall(viewer.rights, "get_host_stats", { hostId: id });
  return {
    id,
    label,
    status,
    since,
    ...(isRead && countsOf(host.vms().filter((vm) => seesVm(viewer, vm.id)))),
    ...(stats !== undefined && isLoadSeen && { load: loadOf(stats) }),
    isKnown: isRead,
  };
}

/** How a served host is; which VMs' ids two of them have is for who sees all VMs. */
function servedStatus(
  { hosts }: ListedHosts,
  host: LibvirtHost,
  viewer: Viewer,
): HostStatus {
  const { rights } = viewer;
  const isLocal = host === hosts.local, { error } = host.status;
  const shown = shownConnection({ uri: host.address, error }, rights);
  const { libvirtVersion } = host.make.known ?? {};
  return {
    ...commonStatus(host, viewer),
    isLocal,
    ...isLocal && error !== null ? { ...shown, error } : shown,
    ...shownUser(host.link.login, rights),
    ...(libvirtVersion !== undefined && { version: versionText(libvirtVersion) }),
    foreignVms: may(rights, "vms.view", "everything") ? hosts.foreignOn(host) : [],
  };
}

/** How a linked host is. */
function linkedStatus(host: LinkedHost, viewer: Viewer): HostStatus {
  const { rights } = viewer, { about } = host, { error } = host.status;
  const clock = host.clockAheadMs === 0 ? {} : { clockAheadMs: host.clockAheadMs };
  const { certificateEndsAt } = host;
  const certificate = certificateEndsAt === undefined ? {} : { certificateEndsAt };
  const seesAll = may(rights, "vms.view", "everything");
  return {
    ...commonStatus(host, viewer),
    isLocal: false,
    ...shownConnection({ uri: host.address, error }, rights),
    ...(about !== undefined &&
      { linked: { ...about, ...clock, ...certificate, ...(seesAll && { unknownVms: host.unknownVms }) } }),
    foreignVms: seesAll ? host.foreignVms().map(({ id, name }) => ({ vmId: id, name, owners: [] })) : [],
  };
}

/** How the hosts are that somebody sees, those that are disabled as they are kept. */
export function hostStatuses(app: ListedHosts, principal: Principal): HostStatus[] {
  const viewer = viewerOf(principal, app.places), { rights } = viewer;
  const isSeen = ({ id }: { readonly id: string }) => seesHost(viewer, id);
  const served = app.hosts.all().filter(isSeen).map((host) => servedStatus(app, host, viewer));
  const isServed = (id: string) => app.managed.served(id) !== undefined;
  const rest = app.hostRecords.all().filter((kept) => !isServed(kept.id) && isSeen(kept));
  const withMaintenance = (status: HostStatus): HostStatus => {
    const maintenance = app.maintenanceOf.get()(status.id);
    if (maintenance === undefined) return status;
    const { done: _done, all: _all, ...rest } = maintenance;
    // How many VMs a host has, is for who sees them all
    const seesAll = may(rights, "vms.view", { hostId: status.id });
    return { ...status, maintenance: seesAll ? maintenance : rest };
  };
  return [
    ...served.map(withMaintenance),
    ...app.linked.all().filter(isSeen).map((host) => withMaintenance(linkedStatus(host, viewer))),
    ...rest.map(({ id, label, uri, added, login }): HostStatus => ({
      id,
      label,
      isLocal: false,
      since: added,
      status: "disabled",
      isKnown: false,
      foreignVms: [],
      ...shownConnection({ uri, error: null }, rights),
      ...shownUser(login, rights),
    })),
  ];
}

/** @throws {ContractError} HostNotFound */
export function hostStatus(app: ListedHosts, id: string, principal: Principal): HostStatus {
  const found = hostStatuses(app, principal).find((each) => each.id === id);
  if (found === undefined) throw new ContractError("HostNotFound", { host: id });
  return found;
}
