/** How high the scale of a graph goes. Pure. */
import type { MetricUnit } from "../contract/metric_series.ts";

/** The least top of a scale: a murmur must not fill a graph. */
const LEAST: Readonly<Record<MetricUnit, number>> = {
  "percent": 5,
  "bytes": 1024,
  "bytes/s": 1024,
  "1/s": 1,
  "ms": 1,
  "celsius": 50,
  "count": 1,
};

/** Steps of a scale within a power of its base. Halves of them are round, too: a scale has a line there. */
const STEPS = [1, 1.5, 2, 3, 4, 5, 6, 8, 10];
const BYTE_STEPS = [1, 1.5, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024];

/** The top of a scale on which the highest figure still fits, as a round number of its unit. */
export function ceilingOf(unit: MetricUnit, highest: number | null): number {
  const wanted = Math.max(LEAST[unit], highest ?? 0);
  const [base, steps] = unit.startsWith("bytes") ? [1024, BYTE_STEPS] : [10, STEPS];
  // By multiplication: a logarithm of 1000 may be a little less than 3
  let power = 1;
  while (power * base < wanted) power *= base;
  return power * steps.find((step) => power * step >= wanted)!;
}
