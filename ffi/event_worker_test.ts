import assert from "node:assert/strict";
import { workerUrl } from "../lib/bundle.ts";
import { startEventLoop } from "./event_loop.ts";
import { type LibvirtEvent, LIFECYCLE, OBJECT_LIFECYCLE } from "./events.ts";
import type { FromEventWorker, ToEventWorker } from "./protocol.ts";
import { libvirtTest, SHARED, testMachine, until } from "./testing.ts";
import { WorkerPool } from "./worker_pool.ts";

/** An event worker and what it told, with the event loop that feeds it. */
function eventWorker() {
  const errors: unknown[] = [];
  const loop = startEventLoop((error) => errors.push(error));
  const worker = new Worker(workerUrl("ffi/event_worker.ts"), { type: "module" });
  const messages: FromEventWorker[] = [];
  worker.onmessage = ({ data }: MessageEvent<FromEventWorker>) => messages.push(data);
  const post = (message: ToEventWorker) => worker.postMessage(message);
  const told = (type: FromEventWorker["type"]) => messages.filter((message) => message.type === type);
  return {
    messages,
    told,
    connect: async (uri: string) => {
      const before = messages.length;
      post({ type: "connect", uri });
      await until(
        "an answer to connect",
        () => messages.slice(before).some(({ type }) => type === "connected" || type === "refused"),
      );
    },
    events: (): LibvirtEvent[] =>
      messages.flatMap((message) => message.type === "events" ? message.events : []),
    close: async () => {
      post({ type: "close" });
      await until("the worker has closed", () => told("closed").length > 0);
      await loop.stop();
      worker.terminate();
      assert.deepEqual(errors, []);
    },
  };
}

libvirtTest("event worker tells a machine's life in order, with its uuid, name and details", async () => {
  const worker = eventWorker();
  const pool = new WorkerPool(SHARED);
  const uuid = crypto.randomUUID(), name = `kvmm-test-${uuid.slice(0, 8)}`;
  try {
    await worker.connect(SHARED);
    assert.equal(worker.told("connected").length, 1);
    await pool.call("domainDefine", { xml: testMachine(name, uuid) });
    await pool.call("domainStart", { uuid });
    await pool.call("domainSuspend", { uuid });
    await pool.call("domainResume", { uuid });
    await pool.call("domainDestroy", { uuid });
    await pool.call("domainUndefine", { uuid });
    const own = () => worker.events().filter((event) => event.kind === "domain" && event.uuid === uuid);
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
  } finally {
    await worker.close();
    pool.close();
  }
});

libvirtTest("event worker connects anew, and tells each event once", async () => {
  const worker = eventWorker();
  const pool = new WorkerPool(SHARED);
  const uuid = crypto.randomUUID(), name = `kvmm-test-${uuid.slice(0, 8)}`;
  try {
    for (let round = 0; round < 5; round++) await worker.connect(SHARED);
    await pool.call("domainDefine", { xml: testMachine(name, uuid) });
    await pool.call("domainUndefine", { uuid });
    const own = () => worker.events().filter((event) => event.name === name);
    await until("both events", () => own().length >= 2);
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(own().length, 2);
  } finally {
    await worker.close();
    pool.close();
  }
});

libvirtTest("event worker says why it cannot connect, and can still connect elsewhere", async () => {
  const worker = eventWorker();
  try {
    await worker.connect("qemu+unix:///system?socket=/no/such/socket");
    const [refused] = worker.told("refused");
    assert.ok(refused?.type === "refused" && refused.failure.kind === "unavailable");
    assert.match(refused.failure.message, /No such file or directory/);
    await worker.connect(SHARED);
    assert.equal(worker.told("connected").length, 1);
  } finally {
    await worker.close();
  }
});

libvirtTest("startEventLoop() runs one loop, and can be started again after a stop", async () => {
  const fail = (error: unknown) => assert.fail(String(error));
  const first = startEventLoop(fail);
  assert.equal(startEventLoop(fail), first);
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
