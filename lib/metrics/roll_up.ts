/** Many points → one for each step of time. Pure. */
import type { Points } from "./points.ts";
import { quantise } from "./quantise.ts";
import { floorTo } from "./resolutions.ts";

/** The least, mean and greatest figure of each step. A step without figures has no point: a gap is a gap. NaN is none. */
export function rollUp(points: Points, step: number): Points {
  const { times: all, avg: values, min: least = values, max: most = values } = points;
  const times: number[] = [], avg: number[] = [], min: number[] = [], max: number[] = [];
  let sum = 0, count = 0;
  for (let index = 0; index < all.length; index++) {
    const value = values[index]!, last = times.length - 1;
    if (Number.isNaN(value)) continue;
    const slot = floorTo(all[index]!, step);
    if (times[last] === slot) {
      sum += value;
      count++;
      avg[last] = quantise(sum / count);
      min[last] = Math.min(min[last]!, least[index]!);
      max[last] = Math.max(max[last]!, most[index]!);
    } else {
      times.push(slot);
      avg.push(value);
      min.push(least[index]!);
      max.push(most[index]!);
      [sum, count] = [value, 1];
    }
  }
  return { times, avg, min, max };
}
