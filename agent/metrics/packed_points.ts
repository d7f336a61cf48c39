/**
 * Points as they stand in a row of the store. What is rolled up grows by some points each hour: they are put behind what
 * is there, as a part of their own, and parts are made one from time to time. So an hour costs as much as its own points,
 * not as much as all that stand in the row.
 *
 * Layout: 0, then a chunk (`lib/metrics/chunk.ts`); or 1, then a deflated chunk; or 2, then parts: the length of each (16
 * bits, the lowest first), then one of the former.
 */
import { deflateRawSync, inflateRawSync } from "node:zlib";
import { decodeChunk, encodeChunk } from "../../lib/metrics/chunk.ts";
import { mergePoints, NO_POINTS, type Points } from "../../lib/metrics/points.ts";
import { log } from "../log.ts";

const PLAIN = 0, DEFLATED = 1, PARTS = 2;
const LENGTH_BYTES = 2;
/** Fewer bytes do not get smaller. */
const LEAST_DEFLATED = 24;
/** Memory for a few hundred bytes: zlib's own measure is for files, and takes longer to set up than they take. */
const DEFLATE = { windowBits: 12, memLevel: 5, chunkSize: 1024 };
/** Most bytes that a chunk is unpacked to. */
const INFLATE = { maxOutputLength: 4 << 20, chunkSize: 4096 };

function marked(mark: number, body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(1 + body.length);
  bytes[0] = mark;
  bytes.set(body, 1);
  return bytes;
}

/** Points, once and for all. */
export function pack(points: Points): Uint8Array {
  const plain = encodeChunk(points);
  const deflated = plain.length < LEAST_DEFLATED ? plain : deflateRawSync(plain, DEFLATE);
  return deflated.length < plain.length ? marked(DEFLATED, deflated) : marked(PLAIN, plain);
}

/** Points that are packed with others soon: they are not made as small as they could be. */
export const packLoosely = (points: Points): Uint8Array => marked(PLAIN, encodeChunk(points));

/** A row of one part. What comes behind it is another such without its first byte. */
export function asPart(packed: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(1 + LENGTH_BYTES + packed.length);
  bytes[0] = PARTS;
  new DataView(bytes.buffer).setUint16(1, packed.length, true);
  bytes.set(packed, 1 + LENGTH_BYTES);
  return bytes;
}

/** The points of a row. A part whose bytes are damaged is a gap: it must not keep the others from being packed or read. */
export function unpack(bytes: Uint8Array): Points {
  return bytes[0] === PARTS ? partsOf(bytes).map(unpackOne).reduce(mergePoints, NO_POINTS) : unpackOne(bytes);
}

/** Whether there is more than one part. */
export function hasParts(bytes: Uint8Array): boolean {
  return bytes[0] === PARTS && partsOf(bytes).length > 1;
}

function partsOf(bytes: Uint8Array): Uint8Array[] {
  const parts: Uint8Array[] = [], view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 1; at + LENGTH_BYTES <= bytes.length;) {
    const first = at + LENGTH_BYTES;
    at = first + view.getUint16(at, true);
    parts.push(bytes.subarray(first, at));
  }
  return parts;
}

function unpackOne(bytes: Uint8Array): Points {
  try {
    const body = bytes.subarray(1);
    return decodeChunk(bytes[0] === DEFLATED ? inflateRawSync(body, INFLATE) : body);
  } catch (error) {
    log.warn("a chunk of the metrics is damaged", { error });
    return NO_POINTS;
  }
}
