/** Where VMs are, and which host a call is about, as rights depend on it. */
import { LOCAL_HOST } from "../../lib/contract/local_host.ts";
import type { AccessWorld } from "../access/authorise.ts";
import type { LinkedHosts } from "./linked/linked_hosts.ts";
import type { HostRecords } from "./records.ts";
import type { HostRegistry } from "./registry.ts";

/**
 * @param kept the hosts that are not served, too
 * @param projectOf id of the project that a VM is in
 */
export const accessWorldOf = (
  hosts: Pick<HostRegistry, "withVm" | "named" | "served">,
  linked: Pick<LinkedHosts, "withVm" | "served">,
  kept: Pick<HostRecords, "get">,
  projectOf: (vmId: string) => string | undefined,
): AccessWorld => ({
  vm: (vmId) => {
    const own = hosts.withVm(vmId), far = own === undefined ? linked.withVm(vmId) : undefined;
    const vm = own?.inventory.vm(vmId) ?? far?.vm(vmId);
    if (vm === undefined) return undefined;
    const { name, group, networkInterfaces } = vm;
    return { name, group, project: projectOf(vmId), networkInterfaces, hostId: (own ?? far)!.id };
  },
  vmsOn: (hostId) =>
    (hosts.served(hostId)?.inventory.vms() ?? linked.served(hostId)?.vms() ?? []).map(({ id, group }) => ({
      vmId: id,
      group,
      project: projectOf(id),
      hostId,
    })),
  hostOf: (input) => {
    const { host, vmId } = (input ?? {}) as { host?: unknown; vmId?: unknown };
    if (typeof host === "string") {
      return hosts.named(host)?.id ?? linked.served(host)?.id ?? kept.get(host)?.id;
    }
    return (typeof vmId === "string" ? (hosts.withVm(vmId) ?? linked.withVm(vmId))?.id : undefined) ??
      LOCAL_HOST;
  },
});
