import assert from "node:assert/strict";
import fc from "fast-check";
import {
  check,
  MOVES,
  type Observation,
  OBSERVATIONS,
  observe,
  type Watch,
  WATCH_STATES,
  WELL,
} from "./watch.ts";

const seen = fc.constantFrom(...OBSERVATIONS);
const checksOf = fc.integer({ min: 1, max: 6 });

/** Runs checks in order. @returns the last state, and the alerts that began or ended */
function run(row: readonly Observation[], checks: number, from: Watch = WELL) {
  const became: string[] = [];
  let watch = from;
  for (const each of row) {
    const step = check(watch, each, checks);
    watch = step.watch;
    if (step.became !== undefined) became.push(step.became);
  }
  return { watch, became };
}

Deno.test("MOVES says for every state and observation what is done", () => {
  for (const state of WATCH_STATES) {
    assert.deepEqual(Object.keys(MOVES[state]).sort(), [...OBSERVATIONS].sort());
  }
});

Deno.test("check() fires after just so many bad checks in a row, whatever gaps are between them", () => {
  fc.assert(fc.property(checksOf, fc.array(fc.constantFrom<Observation>("bad", "unknown")), (checks, row) => {
    const bad = row.filter((each) => each === "bad").length;
    const { watch, became } = run(row, checks);
    assert.equal(watch.state, bad === 0 ? "well" : bad < checks ? "pending" : "firing");
    assert.deepEqual(became, bad < checks ? [] : ["firing"]);
  }));
});

Deno.test("check() tells firing and its end in turns, whatever it is shown", () => {
  fc.assert(fc.property(checksOf, fc.array(seen, { maxLength: 60 }), (checks, row) => {
    const { watch, became } = run(row, checks);
    became.forEach((each, index) => assert.equal(each === "firing", index % 2 === 0));
    assert.equal(watch.state === "firing", became.length % 2 === 1);
    assert.ok(watch.count >= 0 && watch.count < checks);
  }));
});

Deno.test("check() never fires of less bad than it takes, nor ends of less good", () => {
  fc.assert(fc.property(checksOf, fc.array(seen, { maxLength: 60 }), (checks, row) => {
    let watch: Watch = WELL, bad = 0, good = 0;
    for (const each of row) {
      const step = check(watch, each, checks);
      bad = each === "bad" ? bad + 1 : each === "unknown" ? bad : 0;
      good = each === "good" ? good + 1 : each === "unknown" ? good : 0;
      if (step.became === "firing") assert.ok(bad >= checks);
      if (step.became === "cleared") assert.ok(good >= checks);
      if (step.became === "gone") assert.equal(each, "gone");
      watch = step.watch;
    }
  }));
});

Deno.test("check() of what was acknowledged is over as of what fires, and never fires again before", () => {
  fc.assert(fc.property(checksOf, fc.array(seen, { maxLength: 60 }), (checks, row) => {
    const firing = run(row, checks, { state: "firing", count: 0 });
    const acknowledged = run(row, checks, { state: "acknowledged", count: 0 });
    assert.deepEqual(acknowledged.became, firing.became);
    if (firing.became.length === 0) assert.equal(acknowledged.watch.state, "acknowledged");
  }));
});

Deno.test("a restart in between neither fires again nor loses what fires; only a row begins again", () => {
  fc.assert(
    fc.property(
      checksOf,
      fc.array(seen, { maxLength: 30 }),
      fc.array(seen, { maxLength: 30 }),
      (checks, a, b) => {
        const before = run(a, checks).watch;
        // What is kept: whether it fires
        const kept: Watch = before.state === "firing" ? { state: "firing", count: 0 } : WELL;
        const after = run(b, checks, kept).became;
        if (kept.state === "firing") assert.notEqual(after[0], "firing");
      },
    ),
  );
});

Deno.test("observe() is bad beyond the threshold only, good at or behind the clear threshold, unknown where there is no figure", () => {
  const above = { comparison: "above", threshold: 90, clearThreshold: 80 } as const;
  assert.deepEqual([91, 90, 81, 80, 0, NaN].map((value) => observe(value, above)), [
    "bad",
    "between",
    "between",
    "good",
    "good",
    "unknown",
  ]);
  const below = { comparison: "below", threshold: 10, clearThreshold: 20 } as const;
  assert.deepEqual([9, 10, 19, 20].map((value) => observe(value, below)), [
    "bad",
    "between",
    "between",
    "good",
  ]);
  assert.deepEqual([91, 90].map((value) => observe(value, { comparison: "above", threshold: 90 })), [
    "bad",
    "good",
  ]);
});
