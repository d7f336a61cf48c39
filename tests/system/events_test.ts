/** The event stream as clients live with it: they come back, come from an earlier run, do not read, are many. */
import assert from "node:assert/strict";
import { testMachine } from "../testbed/machine.ts";
import { call, EventLog, known } from "../testbed/product.ts";
import { startServer, type TestServer } from "../testbed/server.ts";
import { testerHeaders } from "../testbed/sign_in.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("qemu") !== null;
const test = (name: string, fn: () => Promise<void>) => Deno.test({ name, ignore, fn });

/** Tags a machine `count` times: each is a change every client is told of. The tag tells which one. */
async function change(server: TestServer, vmId: string, count: number, word: string): Promise<string[]> {
  const tags = Array.from({ length: count }, (_, index) => `${word}-${index}`);
  for (const tag of tags) await call(server, "set_tags", { vmId, tags: [tag] });
  return tags;
}

/** Waits until a client has been told a tag; gives the tags it was told, each once, in order. */
async function told(log: EventLog, vmId: string, last: string): Promise<string[]> {
  await log.waitFor("vm-updated", ({ vm }) => vm.id === vmId && vm.tags.includes(last));
  return [
    ...new Set(log.of("vm-updated").filter(({ vm }) => vm.id === vmId).flatMap(({ vm }) => vm.tags)),
  ];
}

test("a client that comes back with Last-Event-ID misses nothing and is told nothing twice", async () => {
  await using vm = await testMachine({ guest: false });
  await using server = await startServer();
  await known(server, vm.uuid);
  const before = await EventLog.open(server);
  let first: string[], since: string;
  {
    await using log = before;
    first = await change(server, vm.uuid, 5, "before");
    assert.deepEqual(await told(log, vm.uuid, first.at(-1)!), first);
    since = log.lastId ?? assert.fail("no event had an id");
  }
  const away = await change(server, vm.uuid, 20, "away");
  await using after = await EventLog.open(server, since);
  const back = await change(server, vm.uuid, 5, "back");
  const seen = await told(after, vm.uuid, back.at(-1)!);
  // What came after the id may still have told of the last tag of before: it is not missed, and that is what counts.
  assert.deepEqual(seen.filter((tag) => tag !== first.at(-1)), [...away, ...back]);
  const ids = after.events.map(({ id, event }) => event.endsWith("stats-updated") ? null : id).filter((id) =>
    id !== null
  );
  assert.equal(new Set(ids).size, ids.length, "an event was told twice");
  assert.deepEqual(after.of("reload"), []);
});

test("a client with an id of an earlier run, or with nonsense, is told to reload and goes on listening", async () => {
  await using vm = await testMachine({ guest: false });
  await using server = await startServer();
  await known(server, vm.uuid);
  for (const id of ["0badc0de-3", "nonsense", "00000000-999999999999999", "../../etc/passwd", "-1"]) {
    await using log = await EventLog.open(server, id);
    await log.waitFor("reload");
    const [tag] = await change(server, vm.uuid, 1, "on");
    await log.waitFor("vm-updated", (event) => event.vm.tags.includes(tag!));
    await call(server, "set_tags", { vmId: vm.uuid, tags: [] });
  }
});

test("a client that missed more than is kept is told to reload", async () => {
  await using vm = await testMachine({ guest: false, description: "x".repeat(60_000) });
  await using server = await startServer();
  await known(server, vm.uuid);
  let since: string;
  {
    await using log = await EventLog.open(server);
    await change(server, vm.uuid, 1, "first");
    await told(log, vm.uuid, "first-0");
    since = log.lastId ?? assert.fail("no event had an id");
  }
  // Each call is several events of 60 kB and more: together they are more than the 8 MB that are kept.
  await change(server, vm.uuid, 150, "many");
  await using log = await EventLog.open(server, since);
  await log.waitFor("reload");
});

test("20 clients all see every change", async () => {
  await using vm = await testMachine({ guest: false });
  await using server = await startServer();
  await known(server, vm.uuid);
  await using logs = new AsyncDisposableStack();
  const clients = await Promise.all(Array.from({ length: 20 }, () => EventLog.open(server)));
  for (const client of clients) logs.use(client);
  const tags = await change(server, vm.uuid, 10, "all");
  for (const client of clients) assert.deepEqual(await told(client, vm.uuid, tags.at(-1)!), tags);
});

test("a client that does not read is cut off, and the server's memory stays bounded", async () => {
  await using vm = await testMachine({ guest: false, description: "x".repeat(60_000) });
  await using server = await startServer();
  await known(server, vm.uuid);
  await using reading = await EventLog.open(server);
  const { hostname, port } = new URL(server.url);
  const headers = { host: `${hostname}:${port}`, accept: "text/event-stream", ...testerHeaders(server.url) };
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const request = new TextEncoder().encode(`GET /api/v1/events HTTP/1.1\r\n${head}\r\n`);
  await using sleepers = new AsyncDisposableStack();
  const idle = await Promise.all(
    Array.from({ length: 20 }, async () => {
      const connection = sleepers.adopt(
        await Deno.connect({ hostname, port: Number(port) }),
        (connection) => connection.close(),
      );
      await connection.write(request);
      const answer = new Uint8Array(256);
      await connection.read(answer);
      assert.match(new TextDecoder().decode(answer), /^HTTP\/1\.1 200 /); // nothing is read from here on
      return connection;
    }),
  );
  const before = await server.rss();
  let most = before;
  // Every change tells 60 kB or more to each: 150 are 9 MB and more each, 180 MB and more for all.
  for (let round = 0; round < 15; round++) {
    await change(server, vm.uuid, 10, `flood-${round}`);
    most = Math.max(most, await server.rss());
  }
  await reading.waitFor("vm-updated", (event) => event.vm.tags.includes("flood-14-9"));
  assert.equal(reading.ended, false, "the one that reads was cut, too");
  // Each may be behind by a bounded amount (1 MB, and what the kernel takes), and so are the events that are kept.
  const grown = (most - before) / 1024 / 1024;
  console.log(`      20 that do not read: the server grew by ${grown.toFixed(0)} MB at most`);
  assert.ok(grown < 150, `grew by ${grown} MB`);
  // Reading now, each finds what fitted, and then is cut.
  await Promise.all(idle.map(async (connection) => {
    const buffer = new Uint8Array(1 << 20);
    await until("the end of a stream that was cut", async () => {
      return await connection.read(buffer).catch(() => null) === null; // or a reset
    }, { seconds: 10, every: 0 });
  }));
});
