import assert from "node:assert/strict";
import {
  DEFAULT_RANGE,
  LEAST_RANGE_MS,
  LIVE_MS,
  type PageRange,
  rangeBetween,
  rangeIn,
  rangeInput,
  rangeQuery,
} from "./ranges.ts";

const NOW = Date.parse("2026-11-22T12:00:00Z"), HOUR = 3600_000;
/** Milliseconds that a range is long. */
const lengthOf = (range: PageRange) => "window" in range ? NaN : range.to - range.from;
const asked = (query: string) => rangeIn(new URLSearchParams(query), NOW);

Deno.test("rangeIn() reads what rangeQuery() writes", () => {
  for (
    const range of [{ window: "7d" }, { window: "live" }, { from: NOW - 5 * HOUR, to: NOW - HOUR }] as const
  ) {
    assert.deepEqual(asked(String(new URLSearchParams(rangeQuery(range)))), range);
  }
  assert.deepEqual(asked(`from=${NOW - HOUR}&to=${NOW - 60_000 * 5}`), {
    from: NOW - HOUR,
    to: NOW - 300_000,
  });
  assert.deepEqual(
    asked("from=2026-11-22T11:00Z"),
    { from: NOW - HOUR, to: NOW },
    "until now where no end is said",
  );
});

Deno.test("rangeIn() of nonsense is the default", () => {
  for (
    const query of [
      "",
      "range=2y",
      "from=x",
      "from=&to=",
      "from=2026-11-22T11:00Z&to=2026-11-22T10:00Z",
      "from=2027-01-01T00:00Z",
      "from=-5",
      `from=${"9".repeat(400)}`,
      "to=2026-11-22T11:00Z",
    ]
  ) assert.deepEqual(asked(query), DEFAULT_RANGE, query);
});

Deno.test("rangeBetween() is never shorter than a few readings, longer than a year, or after now", () => {
  const drag = rangeBetween(NOW - HOUR, NOW - HOUR + 10, NOW);
  assert.equal(lengthOf(drag), LEAST_RANGE_MS);
  assert.deepEqual(rangeBetween(NOW, NOW - HOUR, NOW), { from: NOW - HOUR, to: NOW }, "dragged to the left");
  assert.deepEqual(rangeBetween(NOW - 10, NOW + HOUR, NOW), { from: NOW - LEAST_RANGE_MS, to: NOW });
  assert.ok(lengthOf(rangeBetween(0, NOW, NOW)) <= 365 * 24 * HOUR);
});

Deno.test("rangeInput() is what the commands take", () => {
  assert.deepEqual(rangeInput({ window: "6h" }, NOW), { window: "6h" });
  assert.deepEqual(rangeInput({ window: "live" }, NOW), { since: NOW - LIVE_MS, until: NOW });
  assert.deepEqual(rangeInput({ from: 1, to: 2 }, NOW), { since: 1, until: 2 });
});
