/** How much of the machine is left: of its processors and its memory. Source: proc(5), /proc/stat and /proc/meminfo. */
import { setTimeout as delay } from "node:timers/promises";

/** Ticks of all processors together since the machine started. */
interface Ticks {
  readonly all: number;
  /** With nothing to do, nor anything that waits for a disk. */
  readonly idle: number;
}

/** Reads the first line of /proc/stat: `cpu  user nice system idle iowait irq softirq steal …`. */
export function ticksIn(stat: string): Ticks {
  const numbers = /^cpu +([\d ]+)/.exec(stat)?.[1]?.trim().split(/ +/).slice(0, 8).map(Number) ?? [];
  return { all: numbers.reduce((sum, each) => sum + each, 0), idle: numbers[3] ?? 0 };
}

/** The share of their time, 0–1, that the processors have nothing to do for so many milliseconds from now. */
export async function idleShare(ms: number): Promise<number> {
  const before = ticksIn(await Deno.readTextFile("/proc/stat"));
  await delay(ms);
  const after = ticksIn(await Deno.readTextFile("/proc/stat"));
  return (after.idle - before.idle) / (after.all - before.all);
}

/** The share of the memory, 0–1, that programs can have before the machine swaps. @param meminfo of /proc */
export function freeMemoryIn(meminfo: string): number {
  const kib = (name: string) => Number(new RegExp(`^${name}: +(\\d+) kB$`, "m").exec(meminfo)?.[1]);
  return kib("MemAvailable") / kib("MemTotal");
}

/** The share of the processors' time for so many milliseconds from now that is left; 0 where the memory is nearly taken. */
export async function spareShare(ms: number): Promise<number> {
  const idle = await idleShare(ms);
  return freeMemoryIn(await Deno.readTextFile("/proc/meminfo")) < LEAST_MEMORY ? 0 : idle;
}

/** The share of the memory that stays free for what runs already. */
const LEAST_MEMORY = 0.25;
