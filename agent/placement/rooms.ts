/** Free capacity of hosts for VMs, as far as it can be read in time. */
import type { HostRoom } from "../../lib/placement/room.ts";
import type { CommandName, HostStats, Input, Output, VM } from "../../lib/contract/mod.ts";
import { isLive } from "../../lib/vm/state.ts";
import type { Principal } from "../access.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import { loadOf } from "../hosts/host_size.ts";
import type { LinkedHost } from "../hosts/linked/linked_host.ts";
import { log } from "../log.ts";
import { SharedTime } from "../within.ts";

/** Milliseconds for what a host is asked: what comes later is left out. */
const READ_MS = 2000;
/** Threads of hosts, by what stands for them: they stay, and a host that is asked for them tries KVM first. */
const threadsOf = new WeakMap<object, number>();
const HOUR = { window: "1h", series: ["cpu_usage"] } as const;

/** Runs a command that only reads on one host. */
type Ask = <N extends CommandName>(command: N, input: Input<N>) => Promise<Output<N>>;

/** MiB that are neither used nor assigned to VMs that run. */
export function freeMemory({ memoryTotalMb, memoryUsedMb }: HostStats, vms: readonly VM[]): number {
  const assigned = vms.filter(isLive).reduce((sum, { memoryMb }) => sum + memoryMb, 0);
  return Math.max(0, memoryTotalMb - Math.max(memoryUsedMb ?? 0, assigned));
}

/** Mean of a figure over the last hour; undefined where there are none. */
const meanOf = ({ series }: Output<"get_host_metric_summary">) =>
  series.find(({ label, points }) => label === "" && points > 0)?.avg ?? undefined;

/** Free capacity of a host. One that does not answer in time has its load as read last. */
async function room(
  { id, label, stats, vms }: { id: string; label: string; stats: HostStats | undefined; vms: readonly VM[] },
  ask: Ask,
  host: object,
): Promise<HostRoom | undefined> {
  if (stats === undefined) return undefined;
  const time = new SharedTime(READ_MS);
  const read = async <T>(name: string, work: Promise<T>): Promise<T | undefined> => {
    try {
      return await time.of(name, work);
    } catch (error) {
      log.debug("what a host has left cannot be read whole", { host: id, what: name, error });
      return undefined;
    }
  };
  const [, hour, pools] = await Promise.all([
    threadsOf.has(host) ? undefined : read(
      "threads",
      ask("get_host_info", {}).then(({ cpuThreads }) => void threadsOf.set(host, cpuThreads)),
    ),
    read("processor", ask("get_host_metric_summary", { ...HOUR, series: [...HOUR.series] })),
    read("pools", ask("get_storage_pools", {})),
  ]);
  const percent = (hour && meanOf(hour)) ?? stats.cpuUsagePercent ?? undefined, threads = threadsOf.get(host);
  return {
    id,
    label,
    memoryTotalMb: stats.memoryTotalMb,
    memoryFreeMb: freeMemory(stats, vms),
    cpuThreads: threads,
    cpuUsed: percent === undefined || threads === undefined ? undefined : percent / 100 * threads,
    pools: Object.fromEntries(
      (pools ?? []).flatMap(({ name, availableBytes }) =>
        availableBytes === undefined ? [] : [[name, availableBytes]]
      ),
    ),
  };
}

/** Free capacity of a host that is read here; undefined while its load is not known. */
export async function roomHere(host: LibvirtHost, principal: Principal): Promise<HostRoom | undefined> {
  const { id, label, inventory } = host;
  const stats = await loadOf(host), ask: Ask = (command, input) => host.run(command, input, principal);
  return await room({ id, label, stats, vms: inventory.vms() }, ask, host);
}

/** Free capacity of a linked host. */
export async function roomThere(host: LinkedHost, principal: Principal): Promise<HostRoom | undefined> {
  const { id, label, stats } = host;
  // Its answer was checked against the contract
  const ask: Ask = async (command, input) => await host.run(command, input, { principal }) as never;
  return await room({ id, label, stats, vms: host.vms() }, ask, host);
}

/** Threads that a VM keeps busy, over the last hour; undefined where there are no figures. */
export async function cpuOf(
  ask: (vmId: string) => Promise<Output<"get_metric_summary">>,
  vm: VM,
): Promise<number | undefined> {
  if (!isLive(vm)) return 0;
  try {
    const percent = meanOf(await ask(vm.id));
    return percent === undefined ? undefined : percent / 100 * vm.cpuCount;
  } catch (error) {
    log.debug("the figures of a VM cannot be read", { vm: vm.name, error });
    return undefined;
  }
}
