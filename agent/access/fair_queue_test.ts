import assert from "node:assert/strict";
import { FairQueue, type Waiter } from "./fair_queue.ts";

/** A queue whose works end when the test says so: the order does not depend on the machine's speed. */
function handQueue() {
  const queue = new FairQueue({ atOnce: 2, mostWaiting: 16, mostOfOne: 8 });
  const started: string[] = [], refused: string[] = [], ends: (() => void)[] = [], all: Promise<void>[] = [];
  return {
    started,
    refused,
    ask(who: string, waiter: Waiter): void {
      const work = () => {
        started.push(who);
        const { promise, resolve } = Promise.withResolvers<void>();
        ends.push(resolve);
        return promise;
      };
      all.push(
        queue.run(waiter, work).catch((error) => void refused.push(`${who} ${error.code}`)),
      );
    },
    /** Ends the oldest work that is running, and waits until the next has begun. */
    async endOne(): Promise<void> {
      ends.shift()!();
      for (let step = 0; step < 10; step++) await Promise.resolve();
    },
    async endAll(): Promise<void> {
      while (ends.length > 0) await this.endOne();
      await Promise.all(all);
    },
  };
}

Deno.test("FairQueue.run() lets no anonymous flood keep known callers out, or another network", async () => {
  const queue = handQueue();
  for (let index = 0; index < 20; index++) queue.ask(`flood ${index}`, { network: "a", isKnown: false });
  queue.ask("other", { network: "b", isKnown: false });
  queue.ask("known", { network: "a", isKnown: true });
  assert.deepEqual(queue.started, ["flood 0", "flood 1"]);
  await queue.endOne();
  assert.deepEqual(queue.started, ["flood 0", "flood 1", "known"]);
  await queue.endAll();
  assert.deepEqual(
    queue.refused,
    Array.from({ length: 10 }, (_, index) => `flood ${index + 10} TooManyRequests`),
    "two at work, eight wait",
  );
  assert.equal(queue.started.length, 12);
  assert.equal(queue.started.at(-1), "other");
});

Deno.test("FairQueue.run() refuses unknown callers of any network when too many wait, known ones never", async () => {
  const queue = handQueue();
  for (let index = 0; index < 19; index++) queue.ask(`${index}`, { network: `${index}`, isKnown: false });
  for (let index = 0; index < 20; index++) queue.ask("known", { network: "a", isKnown: true });
  await queue.endAll();
  assert.deepEqual(queue.refused, ["18 TooManyRequests"]);
  assert.equal(queue.started.length, 38);
});

Deno.test("FairQueue.run() gives the place back after work that fails", async () => {
  const queue = new FairQueue({ atOnce: 1, mostWaiting: 1, mostOfOne: 1 });
  const stranger = { network: "a", isKnown: false };
  for (let index = 0; index < 3; index++) {
    await assert.rejects(queue.run(stranger, () => Promise.reject(new Error("of the work"))), /of the work/);
  }
  assert.equal(await queue.run(stranger, () => Promise.resolve(7)), 7);
});
