import assert from "node:assert/strict";
import { PacedJobs, Periodic, type PeriodicJob } from "./periodic.ts";
import { TestClock } from "./testing.ts";

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const job = (name: string, every: number, run: PeriodicJob["run"]): PeriodicJob => ({
  name,
  every: () => every,
  run,
});

Deno.test("Periodic runs each job again and again, and none that is stopped", async () => {
  let runs = 0;
  const clock = new TestClock();
  const periodic = new Periodic([job("a", 2, () => void runs++)], clock);
  await clock.advance(10);
  assert.equal(runs, 0, "it does nothing before its start");
  periodic.start();
  await clock.advance(100);
  assert.deepEqual(await periodic.stop(1000), []);
  assert.equal(runs, 50);
  await clock.advance(20);
  assert.equal(runs, 50);
});

Deno.test("Periodic never runs a job twice at the same time, and lets no job wait for another", async () => {
  let inside = 0, most = 0, quick = 0;
  const periodic = new Periodic([
    job("slow", 0, async () => {
      most = Math.max(most, ++inside);
      await sleep(20);
      inside--;
    }),
    job("quick", 1, () => void quick++),
  ]);
  periodic.start();
  await sleep(100);
  await periodic.stop(1000);
  assert.equal(most, 1);
  assert.ok(quick >= 5, `${quick} quick runs`);
});

Deno.test("Periodic goes on after a job has failed", async () => {
  let runs = 0;
  const clock = new TestClock();
  const periodic = new Periodic([
    job("throws", 1, () => {
      runs++;
      throw new Error("no");
    }),
    job("rejects", 1, () => Promise.reject(new Error("no"))),
  ], clock);
  const { stderr } = Deno, original = stderr.writeSync;
  stderr.writeSync = (bytes) => bytes.length;
  try {
    periodic.start();
    await clock.advance(5);
    assert.deepEqual(await periodic.stop(1000), []);
  } finally {
    stderr.writeSync = original;
  }
  assert.equal(runs, 5);
});

Deno.test("Periodic asks for the pause again each time", async () => {
  const pauses = [1, 1, 10_000];
  let runs = 0;
  const clock = new TestClock();
  const periodic = new Periodic(
    [{ name: "a", every: () => pauses.shift() ?? 0, run: () => void runs++ }],
    clock,
  );
  periodic.start();
  await clock.advance(80);
  await periodic.stop(100);
  assert.equal(runs, 2);
});

Deno.test("Periodic.stop() tells jobs to end, waits for them, and names what still runs at its deadline", async () => {
  const { promise: hang, resolve: release } = Promise.withResolvers<void>();
  let ended = false;
  const periodic = new Periodic([
    job("hangs", 0, () => hang),
    job("obeys", 0, async (signal) => {
      while (!signal.aborted) await sleep(1);
      ended = true;
    }),
    job("waits", 60_000, () => {}),
  ]);
  periodic.start();
  await sleep(20);
  const started = performance.now();
  assert.deepEqual(await periodic.stop(50), ["hangs"]);
  assert.ok(performance.now() - started < 1000);
  assert.ok(ended);
  release();
  await sleep(0);
});

Deno.test("PacedJobs run jobs that are due, at a pace that may change, by one timer", async () => {
  const clock = new TestClock();
  const runs: Record<string, number[]> = { fixed: [], paced: [], never: [] };
  let pace = 1000, isReady = false;
  const start = clock.monotonic();
  const ran = (name: string) => () => void runs[name]!.push(clock.monotonic() - start);
  const jobs = new PacedJobs([
    job("fixed", 300, ran("fixed")),
    { name: "paced", every: () => pace, run: ran("paced") },
    job("never", Infinity, ran("never")),
  ], { clock, checkMs: 100, isReady: () => isReady });
  jobs.start();
  await clock.advance(250);
  assert.deepEqual(runs, { fixed: [], paced: [], never: [] }, "nothing before it is ready");
  assert.equal(clock.waiting, 1);
  isReady = true;
  await clock.advance(1000);
  pace = 100;
  await clock.advance(200);
  assert.deepEqual(runs.fixed, [300, 600, 900, 1200]);
  assert.deepEqual(runs.paced, [300, 1300, 1400]);
  assert.equal(runs.never!.length, 1);
  assert.deepEqual(await jobs.stop(100), []);
  await clock.advance(1000);
  assert.equal(runs.fixed!.length, 4);
  assert.equal(clock.waiting, 0);
});

Deno.test("PacedJobs never run a job twice at the same time, and go on with the others", async () => {
  const clock = new TestClock();
  const hang = Promise.withResolvers<void>();
  let hanging = 0, others = 0;
  const jobs = new PacedJobs([
    job("hangs", 0, () => {
      hanging++;
      return hang.promise;
    }),
    job("other", 0, () => void others++),
  ], { clock, checkMs: 10, isReady: () => true });
  jobs.start();
  await clock.advance(50);
  assert.deepEqual([hanging, others], [1, 5]);
  assert.deepEqual(await jobs.stop(10), ["hangs"]);
  hang.resolve();
});

Deno.test("PacedJobs that are due at once run one after the other, from their second run on", async () => {
  const clock = new TestClock();
  let inside = 0, most = 0;
  const runs: string[] = [];
  const slow = (name: string) =>
    job(name, 1000, async () => {
      runs.push(name);
      most = Math.max(most, ++inside);
      await sleep(5);
      inside--;
    });
  const jobs = new PacedJobs([slow("a"), slow("b"), slow("c")], { clock, checkMs: 100, isReady: () => true });
  jobs.start();
  await clock.advance(100);
  assert.equal(most, 3, "the first runs do not wait");
  await sleep(50);
  most = 0;
  await clock.advance(1000);
  await sleep(50);
  assert.equal(most, 1);
  assert.deepEqual(runs, ["a", "b", "c", "a", "b", "c"]);
  assert.deepEqual(await jobs.stop(100), []);
});
