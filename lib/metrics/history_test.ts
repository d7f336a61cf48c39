import assert from "node:assert/strict";
import fc from "fast-check";
import { columns, percentile, rawStep, summary } from "./history.ts";
import { mergePoints, type Points } from "./points.ts";
import { quantise } from "./quantise.ts";
import { chooseResolution, RESOLUTIONS } from "./resolutions.ts";
import { rollUp } from "./roll_up.ts";

const named = (points: Points, label = "") => ({
  name: "cpu_usage",
  label,
  unit: "percent" as const,
  points,
});

/** Readings at some of the times of a day. */
const day = fc.array(fc.record({ at: fc.nat(2879), figure: fc.double({ min: 0, max: 1e9, noNaN: true }) }), {
  maxLength: 300,
}).map((all): Points => {
  const by = new Map(all.map(({ at, figure }) => [at * 30, quantise(figure)]));
  const times = [...by.keys()].sort((a, b) => a - b);
  return { times, avg: times.map((time) => by.get(time)!) };
});

Deno.test("rollUp() is what a naive computation gives, at every step", () => {
  fc.assert(fc.property(day, (points) => {
    for (const { step } of RESOLUTIONS.slice(1)) {
      const slots = new Map<number, number[]>();
      points.times.forEach((time, index) => {
        const slot = time - time % step;
        slots.set(slot, [...slots.get(slot) ?? [], points.avg[index]!]);
      });
      const { times, avg, min, max } = rollUp(points, step);
      assert.deepEqual(times, [...slots.keys()]);
      times.forEach((time, index) => {
        const all = slots.get(time)!, mean = all.reduce((a, b) => a + b, 0) / all.length;
        assert.equal(min![index], Math.min(...all));
        assert.equal(max![index], Math.max(...all));
        assert.ok(Math.abs(avg[index]! - mean) <= mean * 0.0005 + 1e-12);
        assert.ok(min![index]! <= avg[index]! && avg[index]! <= max![index]!);
      });
    }
  }));
});

Deno.test("rollUp() leaves out what is no figure: a step of nothing else is a gap", () => {
  const { times, avg } = rollUp({ times: [0, 30, 60, 120], avg: [NaN, 4, NaN, 2] }, 60);
  assert.deepEqual([times, avg], [[0, 120], [4, 2]]);
});

Deno.test("mergePoints() has every time once, in order; the later part counts", () => {
  fc.assert(fc.property(day, day, (a, b) => {
    const { times, avg } = mergePoints(a, b);
    const expected = new Map([...a.times.entries()].map(([index, time]) => [time, a.avg[index]!]));
    b.times.forEach((time, index) => expected.set(time, b.avg[index]!));
    assert.deepEqual(times, [...expected.keys()].sort((x, y) => x - y));
    assert.deepEqual(avg, times.map((time) => expected.get(time)));
  }));
});

Deno.test("columns(): all series over the same times, null where nothing is known", () => {
  const series = [
    named({ times: [60, 90, 150], avg: [1, 2, 3] }),
    named({ times: [90], avg: [Infinity] }, "vda"),
  ];
  assert.deepEqual(columns(series, { from: 45, to: 180 }, 30), {
    stepSeconds: 30,
    times: [30_000, 60_000, 90_000, 120_000, 150_000],
    series: [
      {
        name: "cpu_usage",
        unit: "percent",
        min: [null, 1, 2, null, 3],
        avg: [null, 1, 2, null, 3],
        max: [null, 1, 2, null, 3],
      },
      {
        name: "cpu_usage",
        label: "vda",
        unit: "percent",
        min: Array(5).fill(null),
        avg: Array(5).fill(null),
        max: Array(5).fill(null),
      },
    ],
  });
  assert.deepEqual(columns([], { from: 0, to: 0 }, 30), { stepSeconds: 30, times: [], series: [] });
});

Deno.test("rawStep() is the interval, or the longer one at which most was taken", () => {
  const every = (step: number, count: number) =>
    named({ times: Array.from({ length: count }, (_, index) => index * step), avg: Array(count).fill(1) });
  assert.equal(rawStep([], 30), 30);
  assert.equal(rawStep([every(60, 10)], 30), 60);
  assert.equal(rawStep([every(10, 10)], 30), 30);
  assert.equal(
    rawStep([named({ times: [0, 30, 3600, 3630, 3660], avg: [1, 1, 1, 1, 1] })], 30),
    30,
    "a gap is none",
  );
});

Deno.test("summary() has mean, extremes, percentiles and how much of the range is known", () => {
  const hundred = Array.from({ length: 100 }, (_, index) => index + 1);
  const [one, none] = summary(
    [
      named({ times: hundred.map((each) => (each - 1) * 60), avg: hundred }),
      named({ times: [], avg: [] }),
    ],
    { from: 0, to: 12_000 },
    60,
  );
  assert.deepEqual(one, {
    name: "cpu_usage",
    unit: "percent",
    points: 100,
    coverage: 0.5,
    last: 100,
    min: 1,
    avg: 50.5,
    max: 100,
    p50: 50,
    p90: 90,
    p95: 95,
    p99: 99,
  });
  assert.deepEqual([none!.points, none!.coverage, none!.avg, none!.max, none!.p99], [0, 0, null, null, null]);
  assert.equal(percentile([], 0.5), undefined);
  assert.equal(percentile([7], 0), 7);
});

Deno.test("chooseResolution(): the finest that has few enough times and reaches back far enough", () => {
  const kept = { "raw": 2, "1m": 7, "15m": 90, "1h": 365 };
  const HOUR = 3600, DAY = 24 * HOUR;
  const TABLE: readonly [seconds: number, age: number, interval: number, expected: string][] = [
    [HOUR, HOUR, 30, "raw"],
    [6 * HOUR, 6 * HOUR, 30, "raw"],
    [24 * HOUR, 24 * HOUR, 30, "1m"],
    [24 * HOUR, 24 * HOUR, 60, "raw"],
    [7 * DAY, 7 * DAY, 30, "15m"],
    [30 * DAY, 30 * DAY, 30, "1h"],
    [365 * DAY, 365 * DAY, 30, "1h"],
    [HOUR, 3 * DAY, 30, "1m"],
    [HOUR, 30 * DAY, 30, "15m"],
    [HOUR, 300 * DAY, 30, "1h"],
    [HOUR, 4000 * DAY, 30, "1h"],
  ];
  for (const [seconds, age, interval, expected] of TABLE) {
    const { name } = chooseResolution({ seconds, age }, interval, (each) => kept[each]);
    assert.equal(name, expected, `${seconds} s, ${age} s ago`);
  }
});
