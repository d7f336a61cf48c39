/** A Linux guest's load, as its files under `/proc` tell it. Pure. */
import type { GuestMetrics } from "../contract/guest.ts";
import { toldText } from "./told.ts";

/** The files that are read, by what they are for. */
export const PROC_FILES = {
  stat: "/proc/stat",
  memory: "/proc/meminfo",
  load: "/proc/loadavg",
  uptime: "/proc/uptime",
  disks: "/proc/diskstats",
  network: "/proc/net/dev",
} as const;

/** Their contents at one moment. */
export type ProcFiles = Readonly<Record<keyof typeof PROC_FILES, string>>;

/** Cores, disks and network interfaces that are told. */
const MOST = 512;
/** Bytes of a sector in `/proc/diskstats`, whatever the disk has. */
const SECTOR = 512;

const number = (text: string | undefined): number => {
  const value = Number(text);
  return Number.isFinite(value) && value >= 0 && value <= Number.MAX_SAFE_INTEGER ? value : 0;
};
const lines = (text: string) => text.split("\n").filter((line) => line.trim() !== "");

/** Ticks of a processor: all of them, and those it did nothing in. */
interface Ticks {
  readonly all: number;
  readonly idle: number;
}

/** The ticks of all processors together, and of each. */
function ticksOf(stat: string): { readonly whole: Ticks | undefined; readonly cores: readonly Ticks[] } {
  const read = (line: string): Ticks => {
    // user nice system idle iowait irq softirq steal; the guest's own guests are part of user and nice
    const values = line.trim().split(/\s+/).slice(1, 9).map(number);
    return {
      all: values.reduce((sum, each) => sum + each, 0),
      idle: (values[3] ?? 0) + (values[4] ?? 0),
    };
  };
  const rows = lines(stat);
  const whole = rows.find((line) => /^cpu\s/.test(line));
  return {
    whole: whole === undefined ? undefined : read(whole),
    cores: rows.filter((line) => /^cpu\d+\s/.test(line)).slice(0, MOST).map(read),
  };
}

/** Per cent between two moments, with one decimal. */
function busy(before: Ticks | undefined, after: Ticks | undefined): number {
  if (before === undefined || after === undefined || after.all <= before.all) return 0;
  const share = 1 - (after.idle - before.idle) / (after.all - before.all);
  return Math.round(Math.min(1, Math.max(0, share)) * 1000) / 10;
}

/** `/proc/meminfo` in KiB, by name. */
function memoryOf(text: string): (name: string) => number {
  const found = new Map(
    lines(text).slice(0, 200).map((line) => {
      const [name = "", value] = line.split(/:\s*/);
      return [name, number(value?.split(" ")[0])] as const;
    }),
  );
  return (name) => found.get(name) ?? 0;
}

/** Whole disks: no partitions, loops or RAM disks, which would be counted twice or are none. */
const DISK = /^((s|v|xv|h)d[a-z]+|nvme\d+n\d+|mmcblk\d+)$/;

/**
 * The load between two moments, and what there is at the second.
 *
 * @param before `/proc/stat` of the first
 */
export function procMetrics(before: string, now: ProcFiles): GuestMetrics {
  const [first, last] = [ticksOf(before), ticksOf(now.stat)];
  const memory = memoryOf(now.memory);
  const mb = (kib: number) => Math.round(kib / 1024);
  const total = memory("MemTotal"), available = Math.min(total, memory("MemAvailable"));
  const load = now.load.trim().split(/\s+/).slice(0, 3);
  const uptime = now.uptime.trim().split(/\s+/)[0];
  return {
    cpuUsagePercent: busy(first.whole, last.whole),
    cores: last.cores.map((core, index) => busy(first.cores[index], core)),
    ...(load.length === 3 && { loadAverage: load.map(number) }),
    memoryUsedMb: mb(total - available),
    memoryTotalMb: mb(total),
    memoryAvailableMb: mb(available),
    swapUsedMb: mb(Math.max(0, memory("SwapTotal") - memory("SwapFree"))),
    swapTotalMb: mb(memory("SwapTotal")),
    ...(uptime !== undefined && uptime !== "" && { uptimeSeconds: number(uptime) }),
    diskIo: lines(now.disks).map((line) => line.trim().split(/\s+/))
      .filter(([, , name]) => DISK.test(name ?? "")).slice(0, MOST)
      .map((fields) => ({
        name: toldText(fields[2], 64),
        readBytes: number(fields[5]) * SECTOR,
        writeBytes: number(fields[9]) * SECTOR,
      })),
    networkIo: lines(now.network).flatMap((line) => {
      const [, name, rest] = /^\s*([^\s:]+):\s*(.*)$/.exec(line) ?? [];
      if (name === undefined || rest === undefined || name === "lo") return [];
      const fields = rest.split(/\s+/);
      return [{ name: toldText(name, 64), rxBytes: number(fields[0]), txBytes: number(fields[8]) }];
    }).slice(0, MOST),
  };
}
