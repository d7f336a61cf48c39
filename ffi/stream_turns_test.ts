import assert from "node:assert/strict";
import { LibvirtError } from "./error.ts";
import { StreamTurns } from "./stream_turns.ts";

const isOf = (kind: LibvirtError["kind"]) => (error: unknown) =>
  error instanceof LibvirtError && error.kind === kind;

/** Milliseconds until a promise is fulfilled. */
async function took(promise: Promise<unknown>): Promise<number> {
  const began = performance.now();
  await promise;
  return performance.now() - began;
}

/** Milliseconds after which what has not returned is slow, and a little more. */
const SLOW = 1050;
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

Deno.test("StreamTurns: a second open of a VM waits for the first, and is refused at once when that hangs", async () => {
  const turns = new StreamTurns();
  const first = await turns.toOpen("a", 5000);
  const second = turns.toOpen("a", 5000);
  const third = assert.rejects(turns.toOpen("a", 5000), isOf("silent"));
  setTimeout(first, 100);
  const time = await took(second);
  assert.ok(time > 50 && time < 500, `${time} ms`);
  await third; // the second does not return
  assert.ok(await took(assert.rejects(turns.toOpen("a", 5000), isOf("silent"))) < 50);
  assert.ok(await took(turns.toOpen("b", 5000)) < 50);
  (await second)();
  assert.ok(await took(turns.toOpen("a", 5000)) < 50);
});

Deno.test("StreamTurns: few are opened and closed at once, and those that hang hold up none", async () => {
  const turns = new StreamTurns();
  const returned = await Promise.all(["a", "b", "c"].map((vm) => turns.toOpen(vm, 5000)));
  await turns.toClose();
  const order: string[] = [];
  const waiting = [
    turns.toOpen("d", 5000).then(() => order.push("d")),
    turns.toClose().then(() => order.push("close")),
  ];
  await assert.rejects(turns.toOpen("e", -1), isOf("busy"));
  assert.deepEqual(order, []);
  returned[0]!();
  await sleep(20);
  assert.deepEqual(order, ["d"]);
  await sleep(SLOW);
  assert.deepEqual(order, ["d", "close"]);
  await Promise.all(waiting);
  assert.ok(await took(turns.toOpen("a", 5000)) < 50);
  await assert.rejects(turns.toOpen("b", 5000), isOf("silent"));
});
