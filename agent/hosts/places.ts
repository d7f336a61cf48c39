/** Hosts of VMs, and the host that a call is about, as rights depend on it. */
import { LOCAL_HOST } from "../../lib/contract/local_host.ts";
import type { AccessWorld } from "../access/authorise.ts";
import type { ManagedHosts } from "./managed_hosts.ts";
import type { HostRecords } from "./records.ts";

/**
 * @param kept the hosts that are not served, too
 * @param projectOf id of the project that a VM is in
 */
export const accessWorldOf = (
  hosts: ManagedHosts,
  kept: Pick<HostRecords, "get">,
  projectOf: (vmId: string) => string | undefined,
): AccessWorld => ({
  vm: (vmId) => {
    const host = hosts.withVm(vmId), vm = host?.vm(vmId);
    if (host === undefined || vm === undefined) return undefined;
    const { name, group, networkInterfaces } = vm;
    return { name, group, project: projectOf(vmId), networkInterfaces, hostId: host.id };
  },
  vmsOn: (hostId) =>
    (hosts.served(hostId)?.vms() ?? []).map(({ id, group }) => ({
      vmId: id,
      group,
      project: projectOf(id),
      hostId,
    })),
  hostOf: (input) => {
    const { host, vmId } = (input ?? {}) as { host?: unknown; vmId?: unknown };
    if (typeof host === "string") {
      return (hosts.named(host) ?? kept.get(host))?.id;
    }
    return (typeof vmId === "string" ? hosts.withVm(vmId)?.id : undefined) ?? LOCAL_HOST;
  },
});
