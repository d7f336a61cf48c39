/**
 * The header structure of RPM packages: tags with values, in an index before a store. Pure.
 * Source: "Package format" in rpm's documentation (docs/manual/format_v4.md), lib/rpmtag.h.
 */
import { joined } from "../../bytes.ts";

/** A value by its kind: RPM's types INT16, INT32, STRING, BIN, STRING_ARRAY, I18NSTRING. */
export type TagValue =
  | { readonly int16: readonly number[] }
  | { readonly int32: readonly number[] }
  | { readonly text: string }
  | { readonly bytes: Uint8Array }
  | { readonly texts: readonly string[] }
  | { readonly translated: string };

/** A tag's number and its value. */
export type RpmTag = readonly [number: number, value: TagValue];

const TYPES = { int16: 3, int32: 4, text: 6, bytes: 7, texts: 8, translated: 9 } as const;
/** Bytes that values of a kind begin at a multiple of. */
const ALIGNED: Partial<Record<keyof typeof TYPES, number>> = { int16: 2, int32: 4 };
const MAGIC = [0x8e, 0xad, 0xe8, 0x01, 0, 0, 0, 0];

const encoder = new TextEncoder();

function int16s(values: readonly number[]): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(values.length * 2));
  values.forEach((value, at) => view.setUint16(at * 2, value));
  return new Uint8Array(view.buffer);
}

/** Whole numbers of 32 bits, the highest byte first. */
function int32s(values: readonly number[]): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(values.length * 4));
  values.forEach((value, at) => view.setUint32(at * 4, value));
  return new Uint8Array(view.buffer);
}

const strings = (texts: readonly string[]) => joined(texts.map((text) => encoder.encode(`${text}\0`)));

/** A value's kind, how many it has, and its bytes. */
function stored(value: TagValue): [kind: keyof typeof TYPES, count: number, data: Uint8Array] {
  if ("int16" in value) return ["int16", value.int16.length, int16s(value.int16)];
  if ("int32" in value) return ["int32", value.int32.length, int32s(value.int32)];
  if ("text" in value) return ["text", 1, strings([value.text])];
  if ("bytes" in value) return ["bytes", value.bytes.length, value.bytes];
  if ("texts" in value) return ["texts", value.texts.length, strings(value.texts)];
  return ["translated", 1, strings([value.translated])];
}

/**
 * A header of these tags.
 *
 * @param region the tag that stands for the whole header: 62 of signatures, 63 of what they sign
 */
export function writeHeader(region: number, tags: readonly RpmTag[]): Uint8Array<ArrayBuffer> {
  const index: number[][] = [], store: Uint8Array[] = [];
  let size = 0;
  const put = (data: Uint8Array) => {
    store.push(data);
    size += data.length;
  };
  for (const [number, value] of tags.toSorted(([a], [b]) => a - b)) {
    const [kind, count, data] = stored(value), step = ALIGNED[kind] ?? 1;
    put(new Uint8Array((step - size % step) % step));
    index.push([number, TYPES[kind], size, count]);
    put(data);
  }
  // The region's own entry says where its trailer is; the trailer, how far before it the index begins
  const trailer = int32s([region, TYPES.bytes, -(index.length + 1) * 16, 16]);
  index.unshift([region, TYPES.bytes, size, trailer.length]);
  put(trailer);
  return joined([new Uint8Array(MAGIC), int32s([index.length, size]), ...index.map(int32s), ...store]);
}
