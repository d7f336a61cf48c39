import assert from "node:assert/strict";
import fc from "fast-check";
import { METRIC_UNITS } from "../contract/metric_series.ts";
import { ceilingOf } from "./scale.ts";

Deno.test("ceilingOf() is a round number of the unit", () => {
  assert.equal(ceilingOf("bytes", 3 * 1024 ** 3), 3 * 1024 ** 3);
  assert.equal(ceilingOf("bytes/s", 1025), 1.5 * 1024);
  assert.equal(ceilingOf("ms", 1000), 1000);
  assert.equal(ceilingOf("ms", 1001), 1500);
  assert.equal(ceilingOf("count", 0.2), 1);
});

Deno.test("ceilingOf() has room for the highest figure, and none for a murmur", () => {
  for (const unit of METRIC_UNITS) {
    assert.ok(ceilingOf(unit, null) > 0);
    assert.equal(ceilingOf(unit, 0), ceilingOf(unit, null));
    fc.assert(fc.property(fc.double({ min: 0, max: 1e15, noNaN: true }), (highest) => {
      const top = ceilingOf(unit, highest);
      assert.ok(
        top >= highest && (top <= Math.max(highest * 2, ceilingOf(unit, 0))),
        `${unit} ${highest} ${top}`,
      );
    }));
  }
});
