/** How busy the processors are. Source: proc(5), /proc/stat. */
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
