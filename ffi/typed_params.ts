/**
 * `virTypedParameter` arrays (libvirt-common.h): char field[80] @0, int type @80, value @88; 96 bytes each.
 *
 * The whole array is copied once and read from the copy, and field names are interned by their bytes: a view and a
 * string per field would cost several times as much, and a stats poll reads tens of thousands of fields.
 */
import { bytesOfText, textOfBytes } from "../lib/text/byte_text.ts";
import { cString, readString } from "./memory.ts";

/** Bytes of one parameter. */
export const PARAM_BYTES = 96;
const NAME_BYTES = 80;
const TYPE = 80;
const VALUE = 88;

/** Type numbers of `virTypedParameterType`. */
const INT = 1, UINT = 2, LLONG = 3, ULLONG = 4, DOUBLE = 5, BOOLEAN = 6, STRING = 7;

/** Values above 2^53 lose their last digits, which no counter we show reaches. */
export type ParamValue = number | string | boolean;
export type Params = Record<string, ParamValue>;

const names = new Map<number, { bytes: Uint8Array; name: string }[]>();

/** The field's name, without making a new string for one seen before. */
function internedName(bytes: Uint8Array, at: number): string {
  let hash = 2166136261;
  let end = at;
  for (; end < at + NAME_BYTES && bytes[end] !== 0; end++) hash = Math.imul(hash ^ bytes[end]!, 16777619);
  const length = end - at;
  const bucket = names.get(hash);
  const known = bucket?.find((entry) => {
    if (entry.bytes.length !== length) return false;
    for (let i = 0; i < length; i++) if (entry.bytes[i] !== bytes[at + i]) return false;
    return true;
  });
  if (known) return known.name;
  const copy = bytes.slice(at, end);
  const name = textOfBytes(copy);
  if (bucket) bucket.push({ bytes: copy, name });
  else names.set(hash, [{ bytes: copy, name }]);
  return name;
}

/** Reads `count` parameters from C memory. */
export function readParams(array: Deno.PointerValue, count: number): Params {
  if (array === null || count <= 0) return {};
  const bytes = new Uint8Array(count * PARAM_BYTES);
  new Deno.UnsafePointerView(array).copyInto(bytes);
  return parseParams(bytes, count);
}

/** Reads parameters from a copy. String values are read through their pointer, which must still be valid. */
export function parseParams(bytes: Uint8Array, count: number): Params {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const params: Params = {};
  for (let index = 0, at = 0; index < count; index++, at += PARAM_BYTES) {
    params[internedName(bytes, at)] = readValue(view, at);
  }
  return params;
}

/** Types that whole numbers are written in, and the most that each holds. */
const WHOLE = {
  uint: { type: UINT, most: 2 ** 32 - 1 },
  ullong: { type: ULLONG, most: Number.MAX_SAFE_INTEGER },
} as const;

/**
 * Whole numbers by name, as an array for a call.
 *
 * @param as the type that the call wants of all of them
 * @throws {RangeError} for a name that its field does not hold, and for what is no such number
 */
export function writeParams(
  values: Readonly<Record<string, number>>,
  as: keyof typeof WHOLE,
): Uint8Array<ArrayBuffer> {
  const { type, most } = WHOLE[as];
  const entries = Object.entries(values);
  const bytes = new Uint8Array(entries.length * PARAM_BYTES), view = new DataView(bytes.buffer);
  for (const [index, [name, value]] of entries.entries()) {
    const at = index * PARAM_BYTES;
    if (!Number.isInteger(value) || value < 0 || value > most) {
      throw new RangeError(`${name} cannot be ${value}`);
    }
    writeName(bytes, at, name);
    view.setInt32(at + TYPE, type, true);
    view.setBigUint64(at + VALUE, BigInt(value), true);
  }
  return bytes;
}

/** A parameter of a call: `ullong` for a bigint, `int` for a number, else a text. */
export type MixedParam = readonly [name: string, value: string | bigint | number];

/** Texts that arrays point to during a call: nothing else keeps them from the garbage collector. */
const pointedTo = new Set<readonly Uint8Array[]>();

/**
 * Gives parameters of several types to a call, as an array that is good until the call returns.
 *
 * @throws {RangeError} for a name that its field does not hold
 */
export function withMixedParams<T>(
  entries: readonly MixedParam[],
  call: (bytes: Uint8Array<ArrayBuffer>, count: number) => T,
): T {
  const bytes = new Uint8Array(entries.length * PARAM_BYTES), view = new DataView(bytes.buffer);
  const texts: Uint8Array[] = [];
  for (const [index, [name, value]] of entries.entries()) {
    const at = index * PARAM_BYTES;
    writeName(bytes, at, name);
    if (typeof value === "bigint") {
      view.setInt32(at + TYPE, ULLONG, true);
      view.setBigUint64(at + VALUE, value, true);
      continue;
    }
    if (typeof value === "number") {
      view.setInt32(at + TYPE, INT, true);
      view.setInt32(at + VALUE, value, true);
      continue;
    }
    const text = cString(value);
    texts.push(text);
    view.setInt32(at + TYPE, STRING, true);
    view.setBigUint64(at + VALUE, Deno.UnsafePointer.value(Deno.UnsafePointer.of(text)), true);
  }
  pointedTo.add(texts);
  try {
    return call(bytes, entries.length);
  } finally {
    pointedTo.delete(texts);
  }
}

/** @throws {RangeError} for a name that its field does not hold */
function writeName(bytes: Uint8Array, at: number, name: string): void {
  const text = bytesOfText(name);
  if (text.length >= NAME_BYTES) throw new RangeError(`${name} is too long for a parameter's name`);
  bytes.set(text, at);
}

function readValue(view: DataView, at: number): ParamValue {
  const value = at + VALUE;
  switch (view.getInt32(at + TYPE, true)) {
    case INT:
      return view.getInt32(value, true);
    case UINT:
      return view.getUint32(value, true);
    case LLONG:
      return Number(view.getBigInt64(value, true));
    case ULLONG:
      return view.getUint32(value, true) + view.getUint32(value + 4, true) * 4294967296;
    case DOUBLE:
      return view.getFloat64(value, true);
    case BOOLEAN:
      return view.getInt8(value) !== 0;
    case STRING:
      return readString(Deno.UnsafePointer.create(view.getBigUint64(value, true)));
    default:
      return "";
  }
}
