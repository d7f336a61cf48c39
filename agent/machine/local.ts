/** Readings of the machine that KVM Manager runs on, in addition to libvirt. */
import { hostname } from "node:os";
import { log } from "../log.ts";

/** Load of the machine that KVM Manager runs on; null when another one is managed. */
export interface LocalLoad {
  readonly loadAverage: number[] | null;
  readonly uptimeSeconds: number | null;
}

/** Load averages and uptime of this machine. */
export function localLoad(): LocalLoad {
  return { loadAverage: Deno.loadavg(), uptimeSeconds: Math.round(Deno.osUptime()) };
}

/** `model name` of /proc/cpuinfo: what a person knows the processor by. */
export function cpuModel(): string | undefined {
  try {
    return Deno.readTextFileSync("/proc/cpuinfo").match(/^model name\s*:\s*(.+)$/m)?.[1];
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** This host's name. */
export function localHostname(): string {
  return hostname();
}

/** USER_HZ: the unit of times in /proc/PID/stat. It is 100 on every Linux we run on. */
const TICKS_PER_SECOND = 100;

/**
 * When a process was started, in milliseconds since 1970; undefined where the kernel tells it otherwise. Source: proc(5),
 * field 22 of stat.
 *
 * @throws {Deno.errors.NotFound} once it has ended
 */
export async function processStartedAt(pid: string | number): Promise<number | undefined> {
  const stat = await Deno.readTextFile(`/proc/${pid}/stat`);
  // The command's name stands in parentheses and may hold spaces and parentheses itself.
  const ticks = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]);
  const uptime = Number((await Deno.readTextFile("/proc/uptime")).split(" ")[0]);
  if (!Number.isFinite(ticks) || !Number.isFinite(uptime)) return undefined;
  return Math.round(Date.now() - (uptime - ticks / TICKS_PER_SECOND) * 1000);
}

/**
 * When QEMU was started for a VM, in milliseconds since 1970: from its pid file and /proc. Undefined when it
 * cannot be told. Source: proc(5), field 22.
 */
export async function qemuStartedAt(name: string): Promise<number | undefined> {
  if (name.includes("/")) return undefined;
  try {
    const pid = (await Deno.readTextFile(`/run/libvirt/qemu/${name}.pid`)).trim();
    if (!/^\d+$/.test(pid)) return undefined;
    return await processStartedAt(pid);
  } catch (error) {
    log.debug("when a VM was started cannot be told", { name, error });
    return undefined;
  }
}
