import assert from "node:assert/strict";
import { deflateSync, inflateSync } from "node:zlib";
import { type Bitmap, decodePpm, PngError, shrink } from "./image.ts";
import { decodePng, encodePng, isPng, pngSize } from "./png.ts";

const inflate = (bytes: Uint8Array, most: number) => inflateSync(bytes, { maxOutputLength: most });

/** A picture in which every byte differs from its neighbours. */
function noise(width: number, height: number): Bitmap {
  return { width, height, rgb: Uint8Array.from({ length: width * height * 3 }, (_, n) => (n * 151) % 251) };
}

const ppm = ({ width, height, rgb }: Bitmap, comment = "") =>
  Uint8Array.from([...new TextEncoder().encode(`P6\n${comment}${width} ${height}\n255\n`), ...rgb]);

Deno.test("decodePng() reads what encodePng() writes", () => {
  for (const [width, height] of [[1, 1], [7, 3], [64, 48]] as const) {
    const image = noise(width, height);
    const file = encodePng(image, deflateSync);
    assert.ok(isPng(file));
    assert.deepEqual(pngSize(file), { width, height });
    assert.deepEqual(decodePng(file, inflate), image);
  }
});

Deno.test("decodePng() undoes each of the five filters", () => {
  // Two lines of two RGB pixels under each filter, made by hand from the specification's formulas.
  const image: Bitmap = {
    width: 2,
    height: 2,
    rgb: Uint8Array.from([9, 8, 7, 20, 30, 40, 1, 2, 3, 250, 0, 5]),
  };
  const lines: Record<number, number[]> = {
    0: [9, 8, 7, 20, 30, 40, 1, 2, 3, 250, 0, 5],
    1: [9, 8, 7, 11, 22, 33, 1, 2, 3, 249, 254, 2],
    2: [9, 8, 7, 20, 30, 40, 248, 250, 252, 230, 226, 221],
    3: [9, 8, 7, 16, 26, 37, 253, 254, 0, 240, 240, 240],
    4: [9, 8, 7, 11, 22, 33, 248, 250, 252, 241, 226, 221],
  };
  for (const [filter, bytes] of Object.entries(lines)) {
    const filtered = [Number(filter), ...bytes.slice(0, 6), Number(filter), ...bytes.slice(6)];
    // The head and the frame of the chunks are ours; only what is compressed is replaced.
    const file = encodePng(image, () => deflateSync(Uint8Array.from(filtered)));
    assert.deepEqual(decodePng(file, inflate), image, `filter ${filter}`);
  }
});

Deno.test("decodePng() refuses what is broken, too large or of another kind", () => {
  const good = encodePng(noise(8, 8), deflateSync);
  const changed = (at: number, ...bytes: number[]) => {
    const copy = good.slice();
    copy.set(bytes, at);
    return copy;
  };
  for (
    const bad of [
      new Uint8Array(),
      good.subarray(0, 40),
      changed(0, 0),
      changed(16, 0xff, 0xff, 0xff, 0xff),
      changed(24, 16),
      changed(25, 3),
      changed(28, 1),
    ]
  ) assert.throws(() => decodePng(bad, inflate), PngError);
  assert.throws(() => decodePng(changed(23, 1), inflate), "more was inflated than the head says");
});

Deno.test("decodePpm() reads the pixels, over comments, and refuses what is cut", () => {
  const image = noise(5, 4);
  assert.deepEqual(decodePpm(ppm(image)), image);
  assert.deepEqual(decodePpm(ppm(image, "# made by\n# QEMU\n")), image);
  assert.throws(() => decodePpm(ppm(image).subarray(0, -1)), PngError);
  assert.throws(() => decodePpm(new TextEncoder().encode("P6\n99999 99999\n255\n")), PngError);
  assert.throws(() => decodePpm(new TextEncoder().encode("P3\n1 1\n255\n0 0 0")), PngError);
});

Deno.test("shrink() takes the mean of each box, keeps the shape, and leaves a small picture alone", () => {
  const image: Bitmap = {
    width: 4,
    height: 2,
    // deno-fmt-ignore -- rows of pixels
    rgb: Uint8Array.from([
      0, 0, 0,  100, 100, 100,  10, 20, 30,  10, 20, 30,
      0, 0, 0,  100, 100, 100,  10, 20, 30,  10, 20, 30,
    ]),
  };
  assert.deepEqual(shrink(image, 2), { width: 2, height: 1, rgb: Uint8Array.from([50, 50, 50, 10, 20, 30]) });
  assert.equal(shrink(image, 4), image);
  const { width, height } = shrink(noise(720, 400), 320);
  assert.deepEqual([width, height], [320, 178]);
});
