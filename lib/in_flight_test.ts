import assert from "node:assert/strict";
import { InFlight } from "./in_flight.ts";

Deno.test("InFlight.join() carries the same out once at a time, and again once it is over", async () => {
  const calls = new InFlight<number>(), gate = Promise.withResolvers<void>();
  let ran = 0;
  const work = async () => {
    await gate.promise;
    return ++ran;
  };
  const same = [calls.join(["a", { x: 1, y: 2 }], work), calls.join(["a", { x: 1, y: 2 }], work)];
  const other = calls.join(["a", { x: 2 }], () => Promise.reject(new Error("other")));
  await assert.rejects(other, /other/);
  gate.resolve();
  assert.deepEqual(await Promise.all(same), [1, 1]);
  assert.equal(await calls.join(["a", { x: 1, y: 2 }], work), 2);
});
