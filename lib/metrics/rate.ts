/** Counters → what they rose by. Pure. */

/**
 * Increase of a counter between two readings; NaN if it is unknown: there was none before, or it began again at zero.
 * The kernel, libvirt and QEMU count in 64 bits, which no counter of theirs ever fills: one that falls began again, as
 * that of a network device does which was removed and came back. How much it counted meanwhile is not known.
 */
export const increase = (before: number, now: number): number => now >= before ? now - before : NaN;

/** Increase of a counter per second, times a factor. NaN as for {@link increase}, and if no time went by. */
export function perSecond(before: number, now: number, seconds: number, factor = 1): number {
  return seconds > 0 ? increase(before, now) / seconds * factor : NaN;
}
