/** The commands on the host. */
import type { NodeRecord } from "../../ffi/calls/mod.ts";
import { LibvirtError } from "../../ffi/error.ts";
import { type CommandName, ContractError, hostCommands, type HostInfo } from "../../lib/contract/mod.ts";
import { child, childText, parseXml } from "../../lib/xml/tree.ts";
import type { Handlers } from "../dispatch.ts";
import type { HostMake } from "./make.ts";
import type { Inventory } from "../inventory/inventory.ts";
import type { LibvirtLink } from "../libvirt/link.ts";
import type { Sampler } from "../metrics/sampler.ts";
import type { ActivityLog } from "../store/activity.ts";
import type { Store } from "../store/store.ts";

type HostHandlers = Pick<Handlers, Extract<CommandName, keyof typeof hostCommands>>;

/** libvirt's version numbers: major * 1,000,000 + minor * 1,000 + release. */
export function versionText(version: number): string {
  return [Math.floor(version / 1e6), Math.floor(version / 1e3) % 1e3, version % 1e3].join(".");
}

/** Model of the processor: libvirt's name where it knows one, else the kernel's, else the architecture. */
function cpuModel({ capabilities, cpuModel: architecture }: NodeRecord): string {
  const cpu = child(child(parseXml(capabilities), "host"), "cpu");
  return kernelCpuModel() ?? childText(cpu, "model") ?? architecture;
}

/** `model name` of /proc/cpuinfo: what a person knows the processor by. Only right for the machine we run on. */
function kernelCpuModel(): string | undefined {
  try {
    return Deno.readTextFileSync("/proc/cpuinfo").match(/^model name\s*:\s*(.+)$/m)?.[1];
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** `QEMU/KVM` where KVM can be used, by what libvirt says guests may be. */
function hypervisor({ type, capabilities }: NodeRecord): string {
  if (type !== "QEMU") return type === "TEST" ? "test" : type;
  return /<domain type='kvm'\/?>/.test(capabilities) ? "QEMU/KVM" : "QEMU";
}

const NO_KVM =
  "KVM is not available: machines are emulated and slow. Switch virtualization (VT-x, AMD-V) on in the " +
  "firmware, and load the kernel module kvm_intel or kvm_amd.";

/** What about the host or KVM Manager itself needs a person. */
function attention(record: NodeRecord, store: Store): string[] {
  const found = [store.trouble, hypervisor(record) === "QEMU" ? NO_KVM : null];
  return found.filter((text) => text !== null);
}

/** A handler for each command on the host. */
export function hostHandlers(
  { link, inventory, sampler, make, activity, store }: {
    link: LibvirtLink;
    inventory: Inventory;
    sampler: Sampler;
    make: HostMake;
    activity: ActivityLog;
    store: Store;
  },
): HostHandlers {
  return {
    get_host_info: async (): Promise<HostInfo> => {
      const record = await make.get();
      const stats = sampler.host ?? await sampler.tick().then(() => sampler.host);
      const { active, total } = inventory.counts();
      const totalMb = stats?.memoryTotalMb || Math.round(record.memoryKib / 1024);
      return {
        hostname: record.hostname,
        cpuModel: cpuModel(record),
        cpuCount: record.cores,
        cpuThreads: record.threads,
        memoryTotalMb: totalMb,
        memoryFreeMb: Math.max(0, totalMb - (stats?.memoryUsedMb ?? 0)),
        libvirtVersion: versionText(record.libvirtVersion),
        qemuVersion: versionText(record.hypervisorVersion),
        hypervisor: hypervisor(record),
        activeVms: active,
        totalVms: total,
        attention: attention(record, store),
      };
    },
    get_host_stats: async () => {
      if (!sampler.host && !link.status.connected) {
        throw new LibvirtError({ kind: "unavailable", message: link.status.error ?? "not connected yet" });
      }
      if (!sampler.host) await sampler.tick();
      if (!sampler.host) {
        throw new ContractError("LibvirtFailed", { error: "the host's load could not be read" });
      }
      return sampler.host;
    },
    get_connection_status: () => link.status,
    get_activity: ({ limit = 50, vmId }) => activity.latest(limit, vmId),
  };
}
