/** Rates from running totals, as libvirt counts them. */
import type { VmStats } from "../contract/mod.ts";

/** Bytes a second since the sample before. */
export interface Rates {
  readonly diskRead: number;
  readonly diskWrite: number;
  readonly networkRx: number;
  readonly networkTx: number;
}

/** The rate of each counter between two samples; null while there is nothing to compare, or the VM restarted. */
export function ratesBetween(before: VmStats | undefined, after: VmStats): Rates | null {
  if (before === undefined) return null;
  const seconds = (after.timestamp - before.timestamp) / 1000;
  if (!(seconds > 0)) return null;
  const rate = (key: "diskReadBytes" | "diskWriteBytes" | "networkRxBytes" | "networkTxBytes") =>
    (after[key] - before[key]) / seconds;
  const rates = {
    diskRead: rate("diskReadBytes"),
    diskWrite: rate("diskWriteBytes"),
    networkRx: rate("networkRxBytes"),
    networkTx: rate("networkTxBytes"),
  };
  // A counter that fell means it began again: the VM restarted, or a device was unplugged.
  return Object.values(rates).some((value) => value < 0) ? null : rates;
}
