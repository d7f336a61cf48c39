/** Points of one series in memory: times, and what was at each. Pure. */

/** Times in whole seconds since 1970, rising; of each the mean, the least and the greatest figure. */
export interface Points {
  readonly times: readonly number[];
  readonly avg: readonly number[];
  /** Missing where each point is one reading: then all three are the same. */
  readonly min?: readonly number[];
  readonly max?: readonly number[];
}

export const NO_POINTS: Points = { times: [], avg: [] };

/** Points of two parts in order of time. Where both have one, that of `later` counts. */
export function mergePoints(earlier: Points, later: Points): Points {
  if (earlier.times.length === 0) return later;
  if (later.times.length === 0) return earlier;
  if (earlier.times.at(-1)! < later.times[0]!) return join([earlier, later]);
  const isRolled = earlier.min !== undefined || later.min !== undefined;
  const times: number[] = [], avg: number[] = [], min: number[] = [], max: number[] = [];
  const take = (points: Points, index: number) => {
    times.push(points.times[index]!);
    avg.push(points.avg[index]!);
    min.push((points.min ?? points.avg)[index]!);
    max.push((points.max ?? points.avg)[index]!);
  };
  let a = 0, b = 0;
  while (a < earlier.times.length || b < later.times.length) {
    const left = earlier.times[a] ?? Infinity, right = later.times[b] ?? Infinity;
    if (left < right) take(earlier, a++);
    else {
      if (left === right) a++;
      take(later, b++);
    }
  }
  return isRolled ? { times, avg, min, max } : { times, avg };
}

/** Points of many parts, as {@link mergePoints} merges two. */
export function mergeAll(parts: readonly Points[]): Points {
  const known = parts.filter(({ times }) => times.length > 0);
  const isInOrder = known.every(({ times }, index) =>
    index === 0 || known[index - 1]!.times.at(-1)! < times[0]!
  );
  return isInOrder ? join(known) : known.reduce(mergePoints, NO_POINTS);
}

/** Points of parts each of which begins after the one before has ended. */
function join(parts: readonly Points[]): Points {
  if (parts.length < 2) return parts[0] ?? NO_POINTS;
  const column = (of: (points: Points) => readonly number[]) => parts.flatMap(of);
  const times = column((points) => points.times), avg = column((points) => points.avg);
  if (parts.every(({ min }) => min === undefined)) return { times, avg };
  const min = column((points) => points.min ?? points.avg),
    max = column((points) => points.max ?? points.avg);
  return { times, avg, min, max };
}

/** The points from one time (included) to another (not included). */
export function between({ times, avg, min, max }: Points, from: number, to: number): Points {
  const first = firstFrom(times, from), end = firstFrom(times, to);
  if (first === 0 && end === times.length) return { times, avg, ...(min && max && { min, max }) };
  const part = (values: readonly number[]) => values.slice(first, end);
  return { times: part(times), avg: part(avg), ...(min && max && { min: part(min), max: part(max) }) };
}

/** Index of the first time that is not before another; the length where there is none. */
function firstFrom(times: readonly number[], time: number): number {
  let low = 0, high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle]! < time) low = middle + 1;
    else high = middle;
  }
  return low;
}
