import assert from "node:assert/strict";
import {
  exactBytes,
  formatBitrate,
  formatBytes,
  formatDisk,
  formatMemory,
  formatPercent,
  formatRate,
  gigabytes,
  share,
} from "./quantity.ts";

Deno.test("formatBytes() picks the unit that keeps the figure short", () => {
  assert.equal(formatBytes(0), "0 B");
  assert.equal(formatBytes(999), "999 B");
  assert.equal(formatBytes(1006), "1 KiB");
  assert.equal(formatBytes(1536), "1.5 KiB");
  assert.equal(formatBytes(200 * 1024 ** 3), "200 GiB");
});

Deno.test("exactBytes() loses no byte", () => {
  assert.deepEqual([0, 1500, 1536, 1 << 20, 2 ** 31, 3 * 2 ** 40].map(exactBytes), [
    ...["0", "1500", "1536", "1 MiB", "2 GiB", "3 TiB"],
  ]);
});

Deno.test("formatMemory() takes MiB", () => assert.equal(formatMemory(2458), "2.4 GiB"));
Deno.test("formatDisk() takes GiB", () => assert.equal(formatDisk(2048), "2 TiB"));
Deno.test("formatRate() says per second", () => assert.equal(formatRate(2048), "2 KiB/s"));

Deno.test("formatPercent() keeps a decimal only where it tells something", () => {
  assert.equal(formatPercent(0.44), "0.4 %");
  assert.equal(formatPercent(38.4), "38 %");
});

Deno.test("share() stays within 0–100 and never divides by zero", () => {
  assert.equal(share(1, 4), 25);
  assert.equal(share(5, 4), 100);
  assert.equal(share(-1, 4), 0);
  assert.equal(share(1, 0), 0);
  assert.equal(share(1, NaN), 0);
});

Deno.test("gigabytes() cuts off, so that what is refused never looks as large as what there is", () => {
  const gib = 1024 ** 3;
  const cases: [bytes: number, gb: number][] = [
    [0, 0],
    [40 * 1024 ** 2, 0.039],
    [14_000_000, 0.013],
    [gib, 1],
    [1.5 * gib, 1.5],
    [10 * gib - 1, 9.99],
    [15.699 * gib, 15.69],
    [500 * gib, 500],
    [500 * gib - 1, 499.99],
  ];
  for (const [bytes, gb] of cases) assert.equal(gigabytes(bytes), gb, String(bytes));
});

Deno.test("formatBitrate() tells kilobytes of 1,000 bytes in bits", () => {
  assert.deepEqual([1, 125, 12_500, 1563, 125_000, 1_250_000, 100_000_000].map(formatBitrate), [
    ...["8 kbit/s", "1 Mbit/s", "100 Mbit/s", "12.5 Mbit/s", "1 Gbit/s", "10 Gbit/s", "800 Gbit/s"],
  ]);
});
