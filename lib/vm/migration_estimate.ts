/** How long a move of a VM that runs takes, and whether it comes to an end. Pure. */
import type { MigrationPlan } from "../contract/mod.ts";

/** Measurements, and the amounts to send. Bytes, bytes per second. */
export interface MeasuredMove {
  readonly memory: number;
  /** Of disks that are copied. */
  readonly disks: number;
  readonly line: number;
  /** A limit of the line. */
  readonly limit: number | undefined;
  /** Undefined where it is not known. */
  readonly dirty: number | undefined;
}

/** Part of the line that what the guest changes may take: beyond, rounds of memory hardly grow smaller. */
const MOST_SHARE = 0.8;

/** Estimates it: disks first, then memory, and what changes of it while it is sent, again. */
export function estimateOf(
  { memory, disks, line, limit, dirty }: MeasuredMove,
): NonNullable<MigrationPlan["estimate"]> {
  const rate = Math.max(1, Math.round(Math.min(line, limit ?? Infinity)));
  const converges = (dirty ?? 0) < rate * MOST_SHARE;
  return {
    lineBytesPerSecond: rate,
    ...(dirty !== undefined && { dirtyBytesPerSecond: Math.round(dirty) }),
    converges,
    ...(converges && { seconds: Math.ceil(disks / rate + memory / (rate - (dirty ?? 0))) }),
  };
}
