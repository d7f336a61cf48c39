import assert from "node:assert/strict";
import { PeriodicSync } from "./periodic_sync.ts";

const MIB = 1024 * 1024;

/** A sync whose calls end when they are told to. */
function syncs() {
  const calls: PromiseWithResolvers<void>[] = [];
  const steady = new PeriodicSync(() => {
    const call = Promise.withResolvers<void>();
    calls.push(call);
    return call.promise;
  });
  return { calls, steady };
}

Deno.test("PeriodicSync syncs once for what has come together, one after the other, and at the end", async () => {
  const { calls, steady } = syncs();
  for (let done = 0; done < 255; done++) steady.wrote(MIB);
  assert.equal(calls.length, 0);
  for (let done = 0; done < 1000; done++) steady.wrote(MIB);
  assert.equal(calls.length, 1);
  calls[0]!.resolve();
  await new Promise((resolve) => setTimeout(resolve));
  steady.wrote(MIB);
  assert.equal(calls.length, 2);
  const ended = steady.end().then(() => "ended");
  calls[1]!.resolve();
  await new Promise((resolve) => setTimeout(resolve));
  assert.equal(calls.length, 3);
  assert.equal(await Promise.race([ended, Promise.resolve("under way")]), "under way");
  calls[2]!.resolve();
  assert.equal(await ended, "ended");
});

Deno.test("PeriodicSync tells at every end what a sync has thrown, and begins no other one meanwhile", async () => {
  const { calls, steady } = syncs();
  steady.wrote(256 * MIB);
  calls[0]!.reject(new Error("EIO"));
  await assert.rejects(steady.end(), /EIO/);
  steady.wrote(256 * MIB);
  await assert.rejects(steady.end(), /EIO/);
  assert.equal(calls.length, 1);
});
