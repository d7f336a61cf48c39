import assert from "node:assert/strict";
import { LibvirtError } from "./error.ts";
import { startEventLoop } from "./event_loop.ts";
import { type LibvirtEvent, LIFECYCLE, OBJECT_LIFECYCLE } from "./events.ts";
import { Subscription } from "./subscription.ts";
import { libvirtTest, SHARED, testMachine, until } from "./testing.ts";
import { WorkerPool } from "./worker_pool.ts";

/** A pool, and the event loop that feeds what is subscribed through it. */
function subscriber(uri: string) {
  const errors: unknown[] = [];
  const loop = startEventLoop((error) => errors.push(error));
  const pool = new WorkerPool({ uri });
  const events: LibvirtEvent[] = [];
  return {
    pool,
    events,
    open: () =>
      Subscription.open(pool, loop, {
        event: (event) => events.push(event),
        lost: (reason) => assert.fail(reason),
      }),
    close: async () => {
      pool.close();
      await loop.stop();
      assert.deepEqual(errors, []);
    },
  };
}

libvirtTest("Subscription tells a machine's life in order, with its uuid, name and details", async () => {
  const { pool, events, open, close } = subscriber(SHARED);
  const uuid = crypto.randomUUID(), name = `kvmm-test-${uuid.slice(0, 8)}`;
  try {
    const subscription = await open();
    await pool.call("domainDefine", { xml: testMachine(name, uuid) });
    await pool.call("domainStart", { uuid });
    await pool.call("domainSuspend", { uuid });
    await pool.call("domainResume", { uuid });
    await pool.call("domainDestroy", { uuid });
    await pool.call("domainUndefine", { uuid });
    const own = () => events.filter((event) => event.kind === "domain" && event.uuid === uuid);
    await until("all events", () => own().length >= 6);
    assert.ok(
      own().every((event) => event.kind === "domain" && event.event === "lifecycle" && event.name === name),
    );
    assert.deepEqual(own().map(({ args }) => [LIFECYCLE[Number(args[0])], args[1]]), [
      ["defined", 0],
      ["started", 0],
      ["suspended", 0],
      ["resumed", 0],
      ["stopped", 1],
      ["undefined", 0],
    ]);
    await subscription.close();
  } finally {
    await close();
  }
});

libvirtTest("Subscription opened again tells each event once, and a closed one none", async () => {
  const { pool, events, open, close } = subscriber(SHARED);
  const uuid = crypto.randomUUID(), name = `kvmm-test-${uuid.slice(0, 8)}`;
  try {
    for (let round = 0; round < 5; round++) await (await open()).close();
    const subscription = await open();
    await pool.call("domainDefine", { xml: testMachine(name, uuid) });
    await pool.call("domainUndefine", { uuid });
    const own = () => events.filter((event) => event.name === name);
    await until("both events", () => own().length >= 2);
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(own().length, 2);
    await subscription.close();
    await pool.call("domainDefine", { xml: testMachine(name, uuid) });
    await pool.call("domainUndefine", { uuid });
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(own().length, 2);
  } finally {
    await close();
  }
});

libvirtTest("Subscription.open() says why it cannot connect", async () => {
  const { open, close } = subscriber("qemu+unix:///system?socket=/no/such/socket");
  try {
    const refused = await open().then(() => null, (error) => error);
    assert.ok(refused instanceof LibvirtError && refused.kind === "unavailable", String(refused));
    assert.match(refused.message, /No such file or directory/);
  } finally {
    await close();
  }
});

libvirtTest("startEventLoop().turned() comes at once, and after a stop as well", async () => {
  const loop = startEventLoop((error) => assert.fail(String(error)));
  const before = performance.now();
  for (let round = 0; round < 20; round++) await Promise.all([loop.turned(), loop.turned()]);
  assert.ok(performance.now() - before < 900, "not at the loop's own pace");
  await loop.stop();
  await loop.turned();
});

libvirtTest("startEventLoop() runs one loop, and can be started again after a stop", async () => {
  const fail = (error: unknown) => assert.fail(String(error));
  const first = startEventLoop(fail);
  assert.equal(startEventLoop(fail), first);
  // Another connection needs it still
  await first.stop();
  await first.turned();
  assert.equal(startEventLoop(fail), first);
  await first.stop();
  await first.stop();
  const second = startEventLoop(fail);
  assert.notEqual(second, first);
  await second.stop();
});

Deno.test("LIFECYCLE and OBJECT_LIFECYCLE have libvirt's order", () => {
  assert.deepEqual(
    [LIFECYCLE.indexOf("started"), LIFECYCLE.indexOf("stopped"), LIFECYCLE.indexOf("crashed")],
    [2, 5, 8],
  );
  assert.deepEqual([OBJECT_LIFECYCLE.indexOf("started"), OBJECT_LIFECYCLE.indexOf("stopped")], [2, 3]);
});
