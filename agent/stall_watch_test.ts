import assert from "node:assert/strict";
import { beat, heartbeat, onDisk } from "./heartbeat.ts";
import { StallWatch } from "./stall_watch.ts";

function watching() {
  const memory = new Int32Array(new SharedArrayBuffer(8)), told: string[] = [];
  return { memory, told, watch: new StallWatch(memory, "/data", (message) => told.push(message)) };
}

Deno.test("StallWatch tells once that the main thread stands still, and when it turns again", () => {
  const { memory, told, watch } = watching();
  for (let now = 10_000; now < 20_000; now += 1000) {
    Atomics.add(memory, 0, 1);
    watch.look(now);
  }
  assert.deepEqual(told, []);
  Atomics.store(memory, 1, 1);
  for (let now = 20_000; now < 40_000; now += 1000) watch.look(now);
  assert.deepEqual(told, [
    "the disk of /data does not respond: the main thread has been writing to the database for 5 seconds",
  ]);
  Atomics.store(memory, 1, 0);
  Atomics.add(memory, 0, 1);
  watch.look(40_000);
  assert.equal(told[1], "the main thread turns again after 21 seconds");
  for (let now = 41_000; now < 47_000; now += 1000) watch.look(now);
  assert.equal(told[2], "the main thread has not turned for 5 seconds");
});

Deno.test("StallWatch takes a host that was suspended for no stall", () => {
  const { memory, told, watch } = watching();
  watch.look(1000);
  watch.look(2000);
  watch.look(60_000);
  Atomics.add(memory, 0, 1);
  watch.look(61_000);
  assert.deepEqual(told, []);
});

Deno.test("onDisk() notes what the main thread does, also one within another and one that fails", async () => {
  const memory = new Int32Array(heartbeat);
  onDisk("writing to the database", () => {
    assert.equal(memory[1], 1);
    assert.throws(() => onDisk("noting an operation", () => assert.equal(memory[1], 0)));
    assert.equal(memory[1], 1);
  });
  assert.equal(memory[1], 0);
  const end = beat(), before = memory[0]!;
  await new Promise((resolve) => setTimeout(resolve, 1200));
  end();
  assert.equal(memory[0], before + 1);
});
