import assert from "node:assert/strict";
import fc from "fast-check";
import { type Item, placed } from "./place.ts";

const item: fc.Arbitrary<Item> = fc.record({
  height: fc.integer({ min: 1, max: 100 }),
  gap: fc.integer({ min: 0, max: 20 }),
  anchor: fc.constant(0),
  wanted: fc.option(fc.integer({ min: -500, max: 500 }), { nil: undefined }),
});

Deno.test("placed() keeps the order and the room between", () => {
  fc.assert(fc.property(fc.array(item), (items) => {
    const tops = placed(items);
    assert.equal(tops.length, items.length);
    for (let index = 1; index < items.length; index++) {
      const least = tops[index - 1]! + items[index - 1]!.height + items[index]!.gap;
      assert.ok(tops[index]! >= least - 1e-6, `${index}: ${tops[index]} is above ${least}`);
    }
  }));
});

Deno.test("placed() gives everybody what is wanted where there is room, and the middle where there is none", () => {
  const box = (wanted: number | undefined) => ({ height: 10, anchor: 5, gap: 2, wanted });
  assert.deepEqual(placed([box(5), box(50), box(100)]), [0, 45, 95]);
  assert.deepEqual(placed([box(50), box(50)]), [39, 51]);
  assert.deepEqual(placed([box(50), box(undefined)]), [45, 57]);
  assert.deepEqual(placed([box(undefined), box(50)]), [33, 45]);
  assert.deepEqual(placed([]), []);
});
