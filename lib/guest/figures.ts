/**
 * Converts reports of agents to figures, by the names that the metrics have in their readings (`fs.0.used`, …). All of
 * it is the guest's word: bounded in number and size, and values that cannot be right are neither shown nor kept. Pure.
 */
import { canFill } from "../vm/fill.ts";
import type { GuestFilesystem, GuestMetrics } from "../contract/guest.ts";
import { MOST_LABEL } from "../contract/metric_series.ts";
import { oneLine } from "../text/text.ts";

/** A part of a VM's reading. */
export type GuestReading = Readonly<Record<string, number | string>>;

/** File systems of a guest that figures are kept of. */
export const MOST_FILESYSTEMS = 16;
/** More bytes than anything has, and more things than a guest has of any. */
const MOST_BYTES = 2 ** 60, MOST_THINGS = 1_000_000;
const MEBIBYTE = 1024 * 1024;

const bounded = (value: number, most: number) => Math.min(Math.max(0, value), most);

/** Label of a file system's figures. */
const labelOf = (mountpoint: string) => oneLine(mountpoint, MOST_LABEL - 1);

/**
 * The labels that figures of a guest are kept under: whoever mounts under another name each time must not fill the disk. The
 * first that came stay, until KVM Manager is started again.
 */
export class AdmittedLabels {
  readonly #labels = new Map<string, Set<string>>();

  /** Whether figures are kept under a label. */
  admits(vmId: string, label: string): boolean {
    const known = this.#labels.getOrInsertComputed(vmId, () => new Set());
    if (known.has(label)) return true;
    if (label === "" || known.size >= MOST_FILESYSTEMS) return false;
    known.add(label);
    return true;
  }

  /** A VM is no more. */
  forget(vmId: string): void {
    this.#labels.delete(vmId);
  }
}

/** How full file systems are. A device that is mounted at several places counts at the shortest path. */
export function filesystemReading(
  filesystems: readonly GuestFilesystem[],
  admits: (label: string) => boolean,
): GuestReading {
  const seen = new Set<string>(), reading: Record<string, number | string> = {};
  let count = 0;
  for (const each of filesystems.toSorted((a, b) => a.mountpoint.length - b.mountpoint.length)) {
    const { name, mountpoint, type, totalBytes, usedBytes } = each, label = labelOf(mountpoint);
    if (totalBytes === undefined || usedBytes === undefined || totalBytes <= 0) continue;
    if (!canFill(type) || seen.has(name) || !admits(label)) continue;
    seen.add(name);
    const total = bounded(totalBytes, MOST_BYTES), at = `fs.${count++}.`;
    reading[`${at}name`] = label;
    reading[`${at}total`] = total;
    reading[`${at}used`] = bounded(usedBytes, total);
  }
  return { ...reading, "fs.count": count };
}

/** The guest's own view of its memory. */
export function memoryReading({ memoryUsedMb, memoryTotalMb, swapUsedMb }: GuestMetrics): GuestReading {
  const bytes = (value: number) => bounded(value * MEBIBYTE, MOST_BYTES);
  return {
    "guest.memory.used": bytes(Math.min(memoryUsedMb, memoryTotalMb)),
    "guest.swap.used": bytes(swapUsedMb),
  };
}

/** How many there are of something. */
export const countReading = (
  name: "guest.services.failed" | "guest.updates",
  count: number,
): GuestReading => ({
  [name]: bounded(count, MOST_THINGS),
});
