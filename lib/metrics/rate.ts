/** Counters → what they rose by. Pure. */

/** Counters of 32 bits begin anew after this. */
const WRAP = 2 ** 32;

/**
 * What a counter rose by between two readings; NaN where they cannot tell: there was none before, or it began anew. A
 * counter that falls from the upper half of 32 bits to the lower has wrapped. Of a VM all counters begin anew together,
 * with its QEMU: that is told beforehand, by another of its counters (`hasReset`).
 */
export function increase(before: number, now: number): number {
  if (now >= before) return now - before;
  const hasWrapped = before < WRAP && before >= WRAP / 2 && now < WRAP / 2;
  return hasWrapped ? now + WRAP - before : NaN;
}

/** What a counter rose by in a second, times a factor. NaN as for {@link increase}, and where no time went by. */
export function perSecond(before: number, now: number, seconds: number, factor = 1): number {
  return seconds > 0 ? increase(before, now) / seconds * factor : NaN;
}
