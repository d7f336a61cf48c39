/**
 * Ids of the rows in the metrics' file. They are made of what a row is of: a range of time is a range of rows, and what is
 * written together stands together, so that the disk has few pages to write. Pure.
 */
import { floorTo, HOUR_S, type Resolution } from "../../lib/metrics/resolutions.ts";
import { GROUP } from "./packed_points.ts";

/** Series whose figures of a tick stand in one row. */
export const BUCKET = 8 * GROUP;
/** A tick's id: time · 2^19 + bucket. */
export const OF_TIME = 2 ** 19;
/** A chunk's id: group · 2^24 + resolution · 2^22 + hour at which it begins. It stays below 2^53 for 30 billion series. */
const OF_GROUP = 2 ** 24, OF_RESOLUTION = 2 ** 22;
/** No clock that is in its mind is beyond: ids of ticks stay below 2^53. */
const MOST_TIME = 2 ** 34 - 1;

/** Ids of rows: from the first (included) to another (not included). */
export type IdRange = readonly [first: number, end: number];

export const groupOf = (series: number) => Math.floor(series / GROUP);
export const bucketOf = (series: number) => Math.floor(series / BUCKET);

/** The time that a reading is written with. Seconds since 1970. */
export const tickTime = (time: number) => Math.min(MOST_TIME, Math.max(0, time));

/** Ticks of all buckets from one time (included) to another (not included). Seconds since 1970. */
export const tickIds = (from: number, to: number): IdRange => [from * OF_TIME, to * OF_TIME];

/** Times before 1970 or after 2400 are none: the clock is out of its mind. */
const hourNumber = (time: number) => Math.min(OF_RESOLUTION - 1, Math.max(0, Math.floor(time / HOUR_S)));

/** All rows of a group, or of a resolution of it. */
export function groupIds(group: number, resolution?: Resolution): IdRange {
  const base = group * OF_GROUP;
  if (resolution === undefined) return [base, base + OF_GROUP];
  return [base + resolution.id * OF_RESOLUTION, base + (resolution.id + 1) * OF_RESOLUTION];
}

/** The row of an hour. */
export const hourId = (group: number, resolution: Resolution, time: number) =>
  groupIds(group, resolution)[0] + hourNumber(time);

/** All rows of the chunk that a time is in. */
export function chunkIds(group: number, resolution: Resolution, time: number): IdRange {
  const first = hourId(group, resolution, floorTo(time, resolution.chunk));
  return [first, Math.min(groupIds(group, resolution)[1], first + resolution.chunk / HOUR_S)];
}

/** The hour of a row. Seconds since 1970. */
export const timeOf = (id: number) => id % OF_RESOLUTION * HOUR_S;
