import assert from "node:assert/strict";
import fc from "fast-check";
import { ChunkError, decodeChunk, encodeChunk } from "./chunk.ts";
import { codeOf, ofCode, quantise } from "./quantise.ts";

/** Any float, the odd ones often. */
const figure = fc.oneof(
  fc.double(),
  fc.constantFrom(0, -0, NaN, Infinity, -Infinity, Number.MAX_VALUE, Number.MIN_VALUE, -1.5),
  fc.double({ min: 0, max: 1e12, noNaN: true }).map(quantise),
);
const times = fc.array(fc.nat(100_000), { maxLength: 50 }).map((gaps) => {
  let time = 1_700_000_000;
  return gaps.map((gap) => time += 1 + gap);
});

Deno.test("encodeChunk() and decodeChunk() lose nothing: NaN, Infinity, -0 and all else come back as they were", () => {
  fc.assert(
    fc.property(
      times.chain((times) => {
        const column = fc.array(figure, { minLength: times.length, maxLength: times.length });
        return fc.record({ times: fc.constant(times), avg: column, min: column, max: column });
      }),
      fc.boolean(),
      ({ times, avg, min, max }, isRolled) => {
        const points = isRolled ? { times, avg, min, max } : { times, avg };
        assert.deepStrictEqual(decodeChunk(encodeChunk(points)), points);
      },
    ),
    { numRuns: 500 },
  );
});

Deno.test("encodeChunk() takes a byte or two a figure", () => {
  const day = Array.from({ length: 2880 }, (_, index) => 1_700_000_000 + index * 30);
  const noisy = day.map((_, index) => quantise(50 + 40 * Math.sin(index / 100) + (index * 7919 % 13)));
  assert.ok(encodeChunk({ times: day, avg: day.map(() => 0) }).length < 2880 + 16);
  assert.ok(encodeChunk({ times: day, avg: noisy }).length < 2 * 2880 + 16);
});

Deno.test("decodeChunk() refuses what is no chunk, whatever it is", () => {
  const whole = encodeChunk({ times: [10, 20, 30], avg: [1, NaN, 3] });
  for (let length = 0; length < whole.length; length++) {
    assert.throws(() => decodeChunk(whole.subarray(0, length)), ChunkError, String(length));
  }
  assert.throws(() => decodeChunk(Uint8Array.of(...whole, 0)), ChunkError);
  fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
    try {
      decodeChunk(bytes);
    } catch (error) {
      assert.ok(error instanceof ChunkError, String(error));
    }
  }));
});

Deno.test("quantise() is within 0.05 %, keeps order and small whole numbers, and has a code that comes back", () => {
  for (let whole = 0; whole <= 2048; whole++) assert.equal(quantise(whole), whole);
  const positive = fc.double({ min: 1e-30, max: 1e30, noNaN: true });
  fc.assert(fc.property(positive, positive, (a, b) => {
    const near = quantise(a);
    assert.ok(Math.abs(near - a) <= a * 0.0005, `${a} → ${near}`);
    assert.equal(quantise(near), near);
    assert.equal(ofCode(codeOf(near)!), near);
    assert.equal(Math.fround(near), near, "a 32-bit float holds it");
    if (a <= b) assert.ok(quantise(a) <= quantise(b));
  }));
  for (const odd of [-0, -3, NaN, Infinity, -Infinity, 1e300]) assert.ok(Object.is(quantise(odd), odd));
});
