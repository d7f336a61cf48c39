import assert from "node:assert/strict";
import { TestClock } from "./testing.ts";
import { Pace } from "./pace.ts";

Deno.test("a pace lets the first piece go, and each further one when those before have had their time", async () => {
  const clock = new TestClock(), pace = new Pace(clock, 1000);
  const gone: number[] = [], start = clock.monotonic();
  const work = (async () => {
    for (let piece = 0; piece < 4; piece++) {
      await pace.take(500);
      gone.push(clock.monotonic() - start);
    }
  })();
  await new Promise((resolve) => setTimeout(resolve, 0));
  await clock.advance(499);
  assert.deepEqual(gone, [0]);
  await clock.advance(2000);
  await work;
  assert.deepEqual(gone, [0, 500, 1000, 1500]);
  await clock.advance(60_000);
  await pace.take(500);
  assert.equal(clock.monotonic() - start, 62_499, "an idle time is not saved up, and costs nothing");
});

Deno.test("a pace that is waited for ends with the signal", async () => {
  const clock = new TestClock(), pace = new Pace(clock, 1), end = new AbortController();
  await pace.take(1000, end.signal);
  const waiting = assert.rejects(pace.take(1, end.signal), /cancelled/);
  end.abort(new Error("cancelled"));
  await waiting;
});

Deno.test("a pace whose rate changes goes by what it is now", async () => {
  const clock = new TestClock();
  let sharing = 2;
  const pace = new Pace(clock, () => 1000 / sharing), start = clock.monotonic();
  assert.equal(pace.bytesPerSecond, 500);
  await pace.take(500);
  sharing = 1;
  const second = pace.take(500).then(() => clock.monotonic() - start);
  await clock.advance(1000);
  assert.equal(await second, 1000);
  const third = pace.take(1).then(() => clock.monotonic() - start);
  await clock.advance(500);
  assert.equal(await third, 1500);
});

Deno.test("a pace with a burst lets that much go at once, and again after a while without any", async () => {
  const clock = new TestClock(), pace = new Pace(clock, 1000, 2000);
  const gone: number[] = [], start = clock.monotonic();
  const take = async (...sizes: readonly number[]) => {
    for (const bytes of sizes) {
      await pace.take(bytes);
      gone.push(clock.monotonic() - start);
    }
  };
  await take(2000, 500);
  const waiting = take(500);
  for (let tick = 0; tick < 20; tick++) await clock.advance(100);
  await waiting;
  assert.deepEqual(gone, [0, 0, 500]);
  await clock.advance(8000);
  await take(2000, 500);
  assert.deepEqual(gone, [0, 0, 500, 10_000, 10_000]);
});
