import assert from "node:assert/strict";
import { Mutex } from "./mutex.ts";

Deno.test("Mutex.run() begins nothing before what came first is over, and goes on after a failure", async () => {
  const turns = new Mutex();
  const seen: string[] = [];
  const first = Promise.withResolvers<string>();
  const one = turns.run(() => {
    seen.push("one begins");
    return first.promise;
  });
  const two = turns.run(() => {
    seen.push("two begins");
    return Promise.reject(new Error("two fails"));
  });
  const three = turns.run(() => Promise.resolve(seen.push("three begins")));
  await Promise.resolve();
  assert.deepEqual(seen, ["one begins"]);
  first.resolve("one");
  assert.equal(await one, "one");
  await assert.rejects(two, /two fails/);
  await three;
  assert.deepEqual(seen, ["one begins", "two begins", "three begins"]);
});
