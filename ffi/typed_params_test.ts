import assert from "node:assert/strict";
import fc from "fast-check";
import { PARAM_BYTES, parseParams, readParams, writeParams } from "./typed_params.ts";

const encoder = new TextEncoder();
type Fill = (view: DataView, value: number) => void;

/** One `virTypedParameter` as C lays it out. */
function param(name: string | Uint8Array, type: number, fill: Fill = () => {}): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(PARAM_BYTES);
  bytes.set(typeof name === "string" ? encoder.encode(name) : name);
  const view = new DataView(bytes.buffer);
  view.setInt32(80, type, true);
  fill(view, 88);
  return bytes;
}
function array(...params: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(params.length * PARAM_BYTES);
  params.forEach((each, index) => bytes.set(each, index * PARAM_BYTES));
  return bytes;
}

const text = encoder.encode("vda \u{1F600}\0");
const EVERY: readonly [string, number, Fill, string | number | boolean][] = [
  ["int", 1, (view, at) => view.setInt32(at, -5, true), -5],
  ["uint", 2, (view, at) => view.setUint32(at, 0xffffffff, true), 4294967295],
  ["llong", 3, (view, at) => view.setBigInt64(at, -(2n ** 53n), true), -(2 ** 53)],
  ["ullong", 4, (view, at) => view.setBigUint64(at, 2n ** 53n - 1n, true), 2 ** 53 - 1],
  ["ullong.most", 4, (view, at) => view.setBigUint64(at, 2n ** 64n - 1n, true), 2 ** 64],
  ["double", 5, (view, at) => view.setFloat64(at, 0.1, true), 0.1],
  ["true", 6, (view, at) => view.setInt8(at, 1), true],
  ["false", 6, (view, at) => view.setInt8(at, 0), false],
  [
    "text",
    7,
    (view, at) => view.setBigUint64(at, Deno.UnsafePointer.value(Deno.UnsafePointer.of(text)), true),
    "vda 😀",
  ],
  ["no.text", 7, () => {}, ""],
  ["new.type", 8, (view, at) => view.setInt32(at, 1, true), ""],
  ["no.type", 0, () => {}, ""],
  ["bad.type", -1, () => {}, ""],
];

Deno.test("parseParams() reads every type", () => {
  const bytes = array(...EVERY.map(([name, type, fill]) => param(name, type, fill)));
  assert.deepEqual(
    parseParams(bytes, EVERY.length),
    Object.fromEntries(EVERY.map(([name, , , value]) => [name, value])),
  );
});

Deno.test("parseParams() reads from the middle of a larger buffer, and no more than it is told", () => {
  const bytes = array(
    param("before", 1),
    param("a", 1, (view, at) => view.setInt32(at, 7, true)),
    param("after", 1),
  );
  assert.deepEqual(parseParams(bytes.subarray(PARAM_BYTES), 1), { a: 7 });
});

Deno.test("parseParams() ends a name at its NUL, or at the field's 80 bytes", () => {
  const full = new Uint8Array(80).fill(0x61);
  assert.deepEqual(
    Object.keys(parseParams(array(param(full, 1, (view, at) => view.setInt32(at, 1, true))), 1)),
    ["a".repeat(80)],
  );
  assert.deepEqual(Object.keys(parseParams(array(param("x\0rest", 1)), 1)), ["x"]);
  assert.deepEqual(Object.keys(parseParams(array(param(new Uint8Array([0xff, 0]), 1)), 1)), ["\ufffdff"]);
  assert.deepEqual(parseParams(array(param("", 1)), 1), { "": 0 });
});

Deno.test("parseParams() gives each name as it is, whatever names were seen before", () => {
  const name = fc.string({ unit: fc.constantFrom("a", "b", ".", "0", "1", "é"), maxLength: 6 });
  fc.assert(fc.property(fc.uniqueArray(name, { maxLength: 50 }), (names) => {
    const bytes = array(
      ...names.map((each, index) => param(each, 1, (view, at) => view.setInt32(at, index, true))),
    );
    const expected = Object.fromEntries(names.map((each, index) => [each, index]));
    assert.deepEqual(parseParams(bytes, names.length), expected);
  }));
});

Deno.test("parseParams() refuses a count that the buffer does not hold", () => {
  const bytes = array(param("a", 1));
  for (const count of [2, 1000, 2 ** 31 - 1]) assert.throws(() => parseParams(bytes, count), RangeError);
});

Deno.test("readParams() reads C memory; nothing for NULL, no or a negative count", () => {
  const bytes = array(param("a", 1, (view, at) => view.setInt32(at, 3, true)), param("b", 6));
  const pointer = Deno.UnsafePointer.of(bytes);
  assert.deepEqual(readParams(pointer, 2), { a: 3, b: false });
  for (const count of [0, -1, -(2 ** 31), NaN]) assert.deepEqual(readParams(pointer, count), {});
  assert.deepEqual(readParams(null, 1000), {});
});

Deno.test("writeParams() writes what parseParams() reads", () => {
  const values = { a: 0, read_bytes_sec: 50 * 2 ** 20, most: 10 ** 15, [`${"n".repeat(79)}`]: 1 };
  const bytes = writeParams(values, "ullong");
  assert.equal(bytes.length, 4 * PARAM_BYTES);
  assert.equal(new DataView(bytes.buffer).getInt32(80, true), 4);
  assert.deepEqual(parseParams(bytes, 4), values);
  const small = { a: 0, b: 2 ** 32 - 1 };
  assert.deepEqual(parseParams(writeParams(small, "uint"), 2), small);
  assert.equal(writeParams({}, "uint").length, 0);
});

Deno.test("writeParams() refuses what the array cannot hold", () => {
  for (const value of [-1, 1.5, NaN, 2 ** 53]) {
    assert.throws(() => writeParams({ a: value }, "ullong"), RangeError);
  }
  assert.throws(() => writeParams({ ["n".repeat(80)]: 1 }, "uint"), RangeError);
  assert.throws(() => writeParams({ a: 2 ** 32 }, "uint"), RangeError);
});
