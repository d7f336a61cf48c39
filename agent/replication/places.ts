/** How many increments of replicas begin by themselves at once. Pure. */

/** Of those that move, and to one host. */
const MOST_AT_ONCE = 2;
/** Milliseconds without progress after which one does not keep those to other hosts waiting: that host may never answer. */
const STILL_MS = 10 * 60_000;
/** Milliseconds that QEMU may take to begin a copy, until its increment keeps no other waiting: one that has stopped takes minutes. */
const BEGIN_MS = 30_000;

/** An increment, or a switch-over, that is under way. Its times are by the clock that is never set, in milliseconds. */
export interface UnderWay {
  readonly toHost: string;
  readonly vmId: string;
  /** Its last progress. */
  movedAt: number;
  /** Since when QEMU is asked to begin a copy; undefined where it is not. */
  beganAt?: number | undefined;
}

/** Whether another increment may begin by itself. @param underWay those whose VMs respond */
export function hasRoom(underWay: readonly UnderWay[], toHost: string, now: number): boolean {
  const counted = underWay.filter(({ beganAt = now }) => now - beganAt < BEGIN_MS);
  return counted.filter(({ movedAt }) => now - movedAt < STILL_MS).length < MOST_AT_ONCE &&
    counted.filter((each) => each.toHost === toHost).length < MOST_AT_ONCE;
}
