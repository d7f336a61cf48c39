import assert from "node:assert/strict";
import { layout } from "./columns.ts";

const column = (title: string, order: number, least: number, most = least) => ({
  title,
  order,
  least,
  most,
  cell: () => ({ text: "" }),
});
const A = column("A", 0, 10, 30), B = column("B", 2, 10), C = column("C", 1, 5, 8);
const shown = (available: number) =>
  layout([A, B, C], available).map(({ column: { title }, width }) => [title, width]);

Deno.test("columns that do not fit are left out, the last in order first; the first grows first", () => {
  assert.deepEqual(shown(100), [["A", 30], ["B", 10], ["C", 8]]);
  assert.deepEqual(shown(27), [["A", 10], ["B", 10], ["C", 5]]);
  assert.deepEqual(shown(26), [["A", 20], ["C", 5]]);
  assert.deepEqual(shown(12), [["A", 12]]);
});

Deno.test("the first column is always there, as narrow as it must be", () => {
  assert.deepEqual(shown(6), [["A", 6]]);
});

Deno.test("no layout is wider than there is room", () => {
  for (let available = 1; available < 120; available++) {
    const widths = layout([A, B, C], available).map(({ width }) => width);
    assert.ok(widths.reduce((sum, width) => sum + width + 1, -1) <= available, String(available));
  }
});
