/** How busy the demo's VMs and hosts are at a time: the same curves fill the past and go on live. Pure. */
import { drift } from "./chance.ts";
import type { DemoHost } from "./hosts.ts";
import { DEMO_VMS, type DemoDisk, type DemoVm } from "./vms.ts";
import { GIB } from "../../../lib/text/byte_units.ts";

/** Loads of a VM. Bytes, and bytes a second. */
export interface LoadNow {
  /** Share of all its vCPUs, 0 to 1. */
  readonly cpu: number;
  readonly memoryUsed: number;
  readonly received: number;
  readonly sent: number;
  readonly read: number;
  readonly written: number;
}

const MINUTE = 60, HOUR = 60 * MINUTE, DAY = 24 * HOUR;
const clamp = (value: number, least: number, most: number) => Math.min(most, Math.max(least, value));

/** From 0 to 1: how much of the day's work goes on. In local time, so that noon is noon. */
function dayCurve(peak: DemoVm["load"]["peak"], seconds: number): number {
  if (peak === "even") return 0.5;
  const date = new Date(seconds * 1000), hour = date.getHours() + date.getMinutes() / 60;
  const isWeekend = date.getDay() === 0 || date.getDay() === 6;
  const wave = Math.cos((hour - (peak === "office" ? 13.5 : 2)) / 24 * 2 * Math.PI) / 2 + 0.5;
  return wave ** 1.6 * (isWeekend && peak === "office" ? 0.45 : 1);
}

/** From -1 to 1: what of it no clock tells. */
const noise = (name: string, seconds: number): number =>
  drift(`${name} day`, seconds, DAY) * 0.25 + drift(`${name} hour`, seconds, 2 * HOUR) * 0.35 +
  drift(`${name} minutes`, seconds, 7 * MINUTE) * 0.25 + drift(`${name} now`, seconds, 20) * 0.15;

/** Loads of a running VM. @param seconds since 1970 */
export function simulatedLoad({ name, load, memoryGib }: DemoVm, seconds: number): LoadNow {
  const day = dayCurve(load.peak, seconds) - 0.4;
  const cpu = clamp((load.cpu + load.swing * (day * 1.3 + noise(name, seconds))) / 100, 0.004, 0.995);
  const busy = clamp(1 + (load.cpu === 0 ? 0 : load.swing / load.cpu) * day, 0.08, 3);
  const of = (what: string, mean: number) =>
    mean * busy * clamp(1 + 1.4 * noise(`${name} ${what}`, seconds), 0.05, 3);
  const memory = clamp(load.memory / 100 * (1 + 0.09 * noise(`${name} memory`, seconds / 3)), 0.05, 0.98);
  return {
    cpu,
    memoryUsed: memory * memoryGib * GIB,
    received: of("in", load.network * 0.45),
    sent: of("out", load.network * 0.55),
    read: of("read", load.disk * 0.55),
    written: of("write", load.disk * 0.45),
  };
}

/** Share of a disk's growth over a month. */
const GROWTH = 0.055;

/** Bytes that a disk took up at a time. It grew up to now. @param now seconds since 1970 */
export function usedOf({ gib, usedGib }: DemoDisk, seconds: number, now: number): number {
  const months = Math.max(0, now - seconds) / (30 * DAY);
  return Math.min(gib, usedGib * Math.max(0.2, 1 - GROWTH * months)) * GIB;
}

/** Loads of a host: of its VMs that run, and of itself. */
export interface HostLoad {
  /** Share of its threads, 0 to 1. */
  readonly cpu: number;
  readonly memoryUsed: number;
  readonly running: number;
}

/** @param seconds since 1970 @param isRunning whether one of its VMs runs */
export function hostLoadOf(
  host: DemoHost,
  seconds: number,
  isRunning: (vm: DemoVm) => boolean = ({ state }) => state === "running",
): HostLoad {
  const vms = DEMO_VMS.filter((vm) => vm.host === host.id && isRunning(vm));
  const busy = vms.reduce((sum, vm) => sum + simulatedLoad(vm, seconds).cpu * vm.vcpus, 0);
  const given = vms.reduce((sum, { memoryGib }) => sum + memoryGib, 0);
  const own = 0.02 + 0.01 * drift(host.id, seconds, 5 * MINUTE);
  return {
    cpu: clamp(busy * 1.15 / host.threads + own, 0, 1),
    memoryUsed: (given * 0.97 + host.memoryGib * 0.04 + drift(`${host.id} memory`, seconds, HOUR)) * GIB,
    running: vms.length,
  };
}
