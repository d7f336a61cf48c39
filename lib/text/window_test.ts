import assert from "node:assert/strict";
import { lineAt, lineOffsets, windowOf } from "./window.ts";

const offsets = lineOffsets(Array.from({ length: 1_000 }, () => 36));

Deno.test("lineOffsets() adds heights up", () =>
  assert.deepEqual(lineOffsets([36, 36, 28]), [0, 36, 72, 100]));

Deno.test("lineAt() finds the line that covers a height", () => {
  assert.equal(lineAt(offsets, 0), 0);
  assert.equal(lineAt(offsets, 35), 0);
  assert.equal(lineAt(offsets, 36), 1);
});

Deno.test("windowOf() draws what is visible and a margin, and accounts for every pixel", () => {
  const { from, to, before, after } = windowOf(offsets, 3_600, 4_320, 360);
  assert.deepEqual([from, to], [90, 131]);
  assert.equal(before + (to - from) * 36 + after, 36_000);
});

Deno.test("windowOf() stays within the list", () => {
  assert.deepEqual(windowOf(offsets, -500, -100, 0), { from: 0, to: 1, before: 0, after: 36_000 - 36 });
  const end = windowOf(offsets, 90_000, 91_000, 0);
  assert.equal(end.to, 1_000);
  assert.equal(end.after, 0);
  assert.deepEqual(windowOf([0], 0, 800, 100), { from: 0, to: 0, before: 0, after: 0 });
});
