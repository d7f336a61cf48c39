import assert from "node:assert/strict";
import { startEventLoop } from "./event_loop.ts";
import { Subscription } from "./subscription.ts";
import { libvirtTest, SHARED, testMachine, until } from "./testing.ts";
import { WorkerPool } from "./worker_pool.ts";

/** More than Deno has threads for file accesses and other things that block. */
const BLOCKED = 40;
/** Milliseconds in which an event must arrive all the same. */
const EVENT_MS = 2000;

/** Has every blocking thread of this process hang in a file access until it is disposed of. */
async function blockedThreads(): Promise<AsyncDisposable> {
  const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" });
  const fifo = `${folder}/fifo`;
  const made = await new Deno.Command("mkfifo", { args: [fifo] }).output();
  assert.ok(made.success, new TextDecoder().decode(made.stderr));
  let opened = 0;
  const opening = Array.from({ length: BLOCKED }, async () => {
    using _file = await Deno.open(fifo);
    opened++;
  });
  // None of the threads is left when an access that does not hang does not come to its end
  let statted = false;
  const stat = Deno.stat(folder).then(() => statted = true);
  await new Promise((resolve) => setTimeout(resolve, 200));
  assert.equal(opened, 0);
  assert.equal(statted, false, "a blocking thread is left");
  return {
    [Symbol.asyncDispose]: async () => {
      // deno-lint-ignore no-sync-fn-in-async-fn -- no thread is left that an asynchronous one could use
      using _writer = Deno.openSync(fifo, { read: true, write: true });
      await Promise.all([...opening, stat]);
      await Deno.remove(folder, { recursive: true });
    },
  };
}

libvirtTest(
  "libvirt's events arrive, and turns end, while every blocking thread hangs in a file access",
  async () => {
    const errors: unknown[] = [];
    const loop = startEventLoop((error) => errors.push(error));
    const pool = new WorkerPool({ uri: SHARED });
    const uuid = crypto.randomUUID(), name = `kvmm-test-${uuid.slice(0, 8)}`;
    const seen: (string | number)[] = [];
    const subscription = await Subscription.open(pool, loop, {
      event: (event) => {
        if (event.kind === "domain" && event.uuid === uuid) seen.push(event.event);
      },
      lost: (reason) => assert.fail(reason),
    });
    try {
      await pool.call("domainDefine", { xml: testMachine(name, uuid) });
      await until("the machine to be defined", () => seen.length === 1);
      {
        await using _blocked = await blockedThreads();
        for (const [index, call] of (["domainStart", "domainSuspend", "domainResume"] as const).entries()) {
          await pool.call(call, { uuid });
          await until(`the event of ${call}`, () => seen.length === index + 2, EVENT_MS);
        }
        const began = performance.now();
        await loop.turned();
        assert.ok(performance.now() - began < EVENT_MS);
      }
      await pool.call("domainDestroy", { uuid });
      await pool.call("domainUndefine", { uuid });
      await subscription.close();
    } finally {
      pool.close();
      await loop.stop();
    }
    assert.deepEqual(errors, []);
  },
);
