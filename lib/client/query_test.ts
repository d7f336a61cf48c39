import assert from "node:assert/strict";
import { signal } from "@preact/signals";
import { Query, whenChanged } from "./query.ts";

const pause = (ms = 20) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** A query whose answers come when the test gives them. */
function world(more: { everyMs?: number; canRead?: () => boolean } = {}) {
  const asked: PromiseWithResolvers<string>[] = [];
  const failures: unknown[] = [];
  const change = signal(0);
  const query = new Query<string>({
    first: "first",
    read: () => {
      const answer = Promise.withResolvers<string>();
      asked.push(answer);
      return answer.promise;
    },
    follow: whenChanged(change),
    onFailure: (error) => failures.push(error),
    settleMs: 5,
    ...more,
  });
  return { asked, failures, change, query };
}

Deno.test("Query reads once for changes that come together, and keeps the old value meanwhile", async () => {
  const { asked, change, query } = world();
  const stop = query.start();
  await pause();
  assert.equal(asked.length, 0, "what there is already is no change");
  for (let each = 0; each < 5; each++) change.value++;
  await pause();
  assert.deepEqual([asked.length, query.value.peek()], [1, "first"]);
  asked[0]!.resolve("second");
  await pause();
  assert.equal(query.value.peek(), "second");
  stop();
  change.value++;
  await pause();
  assert.equal(asked.length, 1, "stopped");
});

Deno.test("Query: an answer that a later question has overtaken changes nothing, nor does its failure", async () => {
  const { asked, failures, query } = world();
  const all = [query.reread(), query.reread(), query.reread()];
  asked[2]!.resolve("newest");
  asked[0]!.resolve("oldest");
  asked[1]!.reject(new Error("away"));
  await Promise.all(all);
  assert.deepEqual([query.value.peek(), failures], ["newest", []]);
});

Deno.test("Query tells why it could not be read, keeps the value, and reads again at the next change", async () => {
  const { asked, failures, change, query } = world();
  const stop = query.start();
  change.value++;
  await pause();
  asked[0]!.reject(new Error("away"));
  await pause();
  assert.deepEqual([query.value.peek(), failures.map(String)], ["first", ["Error: away"]]);
  change.value++;
  await pause();
  asked[1]!.resolve("there again");
  await pause();
  assert.equal(query.value.peek(), "there again");
  stop();
});

Deno.test("Query gives no new value for an equal one, and none after it was stopped", async () => {
  const { asked, change, query } = world();
  let told = 0;
  query.value.subscribe(() => told++);
  const stop = query.start();
  change.value++;
  await pause();
  asked[0]!.resolve("first");
  await pause();
  assert.equal(told, 1, "the subscription's own");
  const late = query.reread();
  stop();
  asked[1]!.resolve("late");
  await late;
  assert.equal(query.value.peek(), "first");
});

Deno.test("Query reads at intervals while that makes sense", async () => {
  let sense = false;
  const { asked, query } = world({ everyMs: 5, canRead: () => sense });
  const stop = query.start();
  await pause(40);
  assert.equal(asked.length, 0);
  sense = true;
  await pause(60);
  stop();
  const then = asked.length;
  assert.ok(then >= 2, `${then} times`);
  await pause();
  assert.equal(asked.length, then);
});
