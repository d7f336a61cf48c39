/**
 * Points of a group of series as they stand in one row of the store. A row of one series alone would be written to a page of its
 * own each hour: the disk has as much to write for a point as for a page full of them.
 *
 * Layout, squeezed: of each series its place in the group (8 bits), the length of its chunk (32 bits, the lowest first), and
 * the chunk (`lib/metrics/chunk.ts`).
 */
import { decodeChunk, encodeChunk } from "../../lib/metrics/chunk.ts";
import { mergeAll, type Points } from "../../lib/metrics/points.ts";
import { log } from "../log.ts";
import { compress, unsqueeze } from "./squeezed.ts";

/** Series of a group. Their points in a row fill some pages, and one of them is unpacked fast. */
export const GROUP = 64;

const LENGTH_BYTES = 4, HEAD_BYTES = 1 + LENGTH_BYTES;

/** Points by place of their series in the group. */
export type GroupPoints = ReadonlyMap<number, Points>;

export function packPoints(group: GroupPoints): Uint8Array {
  const chunks = [...group].map(([place, points]) => [place, encodeChunk(points)] as const);
  const plain = new Uint8Array(chunks.reduce((sum, [, chunk]) => sum + HEAD_BYTES + chunk.length, 0));
  const view = new DataView(plain.buffer);
  let at = 0;
  for (const [place, chunk] of chunks) {
    view.setUint8(at, place);
    view.setUint32(at + 1, chunk.length, true);
    plain.set(chunk, at + HEAD_BYTES);
    at += HEAD_BYTES + chunk.length;
  }
  return compress(plain);
}

/** The points of a row; of all series, where none are named. Damaged ones are a gap: they must not keep others from being read. */
export function unpackPoints(bytes: Uint8Array, wanted?: ReadonlySet<number>): Map<number, Points> {
  const found = new Map<number, Points>();
  try {
    const plain = unsqueeze(bytes), view = new DataView(plain.buffer, plain.byteOffset, plain.length);
    for (let at = 0; at < plain.length;) {
      const place = view.getUint8(at), first = at + HEAD_BYTES;
      at = first + view.getUint32(at + 1, true);
      if (wanted === undefined || wanted.has(place)) found.set(place, decodeChunk(plain.subarray(first, at)));
    }
  } catch (error) {
    log.warn("a chunk of the metrics is damaged", { error });
  }
  return found;
}

/** Places that a row has points of, as bits: they are searched without unpacking it. */
export function placeBits(group: GroupPoints): Uint8Array {
  const bits = new Uint8Array(GROUP / 8);
  for (const place of group.keys()) bits[place >> 3]! |= 1 << (place & 7);
  return bits;
}

/** The places of {@link placeBits}. */
export const placesIn = (bits: Uint8Array): number[] =>
  Array.from({ length: GROUP }, (_, place) => place).filter((place) => bits[place >> 3]! & 1 << (place & 7));

/** Points of many rows, series by series. Where several have one, that of the last counts. */
export function mergeGroups(groups: readonly GroupPoints[]): GroupPoints {
  const parts = Map.groupBy(groups.flatMap((group) => [...group]), ([place]) => place);
  return new Map(parts.entries().map(([place, of]) => [place, mergeAll(of.map(([, points]) => points))]));
}

/** Points of all its series. */
export const countIn = (group: GroupPoints) =>
  group.values().reduce((sum, { times }) => sum + times.length, 0);
/** The first time of all. */
export const oldestIn = (group: GroupPoints) =>
  group.values().reduce((least, { times }) => Math.min(least, times[0] ?? Infinity), Infinity);
