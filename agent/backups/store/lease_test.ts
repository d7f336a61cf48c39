import assert from "node:assert/strict";
import { TestClock } from "../../testing.ts";
import { StoreLeases } from "./lease.ts";

const MINUTE = 60_000;

/** A store of locks in memory. */
function files() {
  const kept = new Map<string, Uint8Array<ArrayBuffer>>();
  return {
    kept,
    isAway: false,
    async *list() {
      for (const [name, { length }] of kept) yield await Promise.resolve({ name, bytes: length });
    },
    read(name: string) {
      const bytes = kept.get(name);
      return bytes === undefined ? Promise.reject(new Deno.errors.NotFound(name)) : Promise.resolve(bytes);
    },
    write(name: string, bytes: Uint8Array<ArrayBuffer>) {
      if (this.isAway) return Promise.reject(new Error("no connection"));
      kept.set(name, bytes);
      return Promise.resolve();
    },
    remove(name: string) {
      kept.delete(name);
      return Promise.resolve();
    },
  };
}

Deno.test("a lock is held as long as it is made again in time", async () => {
  const store = files(), clock = new TestClock();
  const lock = await new StoreLeases(store, "me", clock).lock("write", true);
  assert.ok(lock !== undefined);
  await clock.advance(60 * MINUTE);
  assert.ok(lock.isHeld());
  store.isAway = true;
  await clock.advance(10 * MINUTE);
  assert.ok(lock.isHeld(), "it holds still");
  store.isAway = false;
  await clock.advance(4 * MINUTE);
  store.isAway = true;
  await clock.advance(10 * MINUTE);
  assert.ok(lock.isHeld(), "it was made again meanwhile");
  await clock.advance(10 * MINUTE);
  assert.equal(lock.isHeld(), false);
  await lock.release();
  assert.equal(clock.waiting, 0);
});

Deno.test("a lock that is let go while it is made again leaves nothing behind", async () => {
  const store = files(), clock = new TestClock(), { promise, resolve } = Promise.withResolvers<void>();
  const lock = await new StoreLeases(store, "me", clock).lock("write", true);
  const { write } = store;
  store.write = async (name, bytes) => {
    await promise;
    await write.call(store, name, bytes);
  };
  await clock.advance(5 * MINUTE);
  await lock!.release();
  assert.equal(store.kept.size, 0);
  resolve();
  await new Promise((done) => setTimeout(done)); // what was under way goes on to its end
  assert.equal(store.kept.size, 0);
});

Deno.test("a lock with a gap is lost for good, whoever had it then: no connection, or a host that slept", async () => {
  for (const isAsleep of [false, true]) {
    const store = files(), clock = new TestClock();
    const lock = await new StoreLeases(store, "me", clock).lock("write", true);
    assert.ok(lock !== undefined);
    store.isAway = !isAsleep;
    // The uptime may know nothing of the sleep, and no timer comes meanwhile.
    await clock.advance(isAsleep ? 1 : 20 * MINUTE, 20 * MINUTE);
    store.isAway = false;
    await clock.advance(5 * MINUTE);
    assert.equal(lock.isHeld(), false, isAsleep ? "asleep" : "no connection");
    await lock.release();
  }
});

Deno.test("another host's lock counts until it is over by every clock, and for no longer", async () => {
  const ahead = async (minutes: number) => {
    const store = files(), here = new TestClock(), there = new TestClock(here.now() + minutes * MINUTE);
    assert.ok(await new StoreLeases(store, "here", here).lock("write", true) !== undefined);
    const other = await new StoreLeases(store, "there", there).lock("write", true);
    return other === undefined ? "taken" : "free";
  };
  assert.equal(await ahead(0), "taken");
  assert.equal(await ahead(16), "taken", "a live lock was taken over by a clock that is ahead");
  assert.equal(await ahead(50), "taken");
  assert.equal(await ahead(-40), "taken");
  assert.equal(await ahead(61), "free");
  assert.equal(await ahead(-50), "free");
});
