import assert from "node:assert/strict";
import { LibvirtError, VIR_ERR } from "./error.ts";
import { libvirtTest, SHARED, testMachine, until } from "./testing.ts";
import { type PoolOptions, WorkerPool } from "./worker_pool.ts";

/** A pool that is closed at the end of its block. */
function poolOf(uri: string, options: PoolOptions = {}): WorkerPool & Disposable {
  const pool = new WorkerPool({ uri }, options);
  return Object.assign(pool, { [Symbol.dispose]: () => pool.close() });
}
const failure = async (call: Promise<unknown>): Promise<LibvirtError> => {
  const error = await call.then(() => new Error("it did not fail"), (thrown) => thrown);
  assert.ok(error instanceof LibvirtError, String(error));
  return error;
};

/** A libvirtd that accepts connections and never answers, until it is disposed. */
function silentLibvirtd(): { uri: string; connections: Deno.Conn[] } & Disposable {
  const folder = Deno.makeTempDirSync({ prefix: "kvmm-test-" });
  const listener = Deno.listen({ transport: "unix", path: `${folder}/sock` });
  const connections: Deno.Conn[] = [];
  const accept = async () => {
    for await (const connection of listener) connections.push(connection);
  };
  accept().catch(() => {/* the listener was closed */});
  return {
    uri: `qemu+unix:///system?socket=${folder}/sock`,
    connections,
    [Symbol.dispose]() {
      listener.close();
      for (const connection of connections) connection.close();
      Deno.removeSync(folder, { recursive: true });
    },
  };
}

libvirtTest("WorkerPool.call() gives libvirt's answers as plain data", async () => {
  using pool = poolOf(SHARED);
  const [node, counters, networks, pools] = await Promise.all([
    pool.call("nodeInfo"),
    pool.call("nodeCounters"),
    pool.call("networkScan"),
    pool.call("poolScan"),
  ]);
  assert.equal(node.type, "TEST");
  assert.ok(counters.memory.total > 0 && node.threads > 0 && node.cores > 0);
  assert.ok(networks.some(({ name, active }) => name === "default" && active));
  assert.ok(pools.some(({ name, state }) => name === "default-pool" && state === 2));
  const domains = await pool.call("domainScan");
  const test = domains.find(({ name }) => name === "test")!;
  assert.match(test.uuid, /^[0-9a-f-]{36}$/);
  assert.equal(test.summary.virtType, "test");
  assert.equal((await pool.call("domainRead", { uuid: test.uuid }))?.name, "test");
  const glance = (await pool.call("domainListStates")).find(({ uuid }) => uuid === test.uuid);
  assert.equal(glance?.name, "test");
});

libvirtTest("WorkerPool.call() keeps libvirt's code, domain, level and text", async () => {
  using pool = poolOf(SHARED);
  const uuid = crypto.randomUUID();
  const error = await failure(pool.call("domainStart", { uuid }));
  const { kind, code, domain, level } = error;
  assert.deepEqual({ kind, code, domain, level }, {
    kind: "libvirt",
    code: VIR_ERR.NO_DOMAIN,
    domain: 12,
    level: 2,
  });
  assert.match(error.message, /^Domain not found/);
  assert.equal(await pool.call("domainRead", { uuid }), null);
});

libvirtTest("WorkerPool.call() never gives another call's error (fault 5)", async () => {
  using pool = poolOf(SHARED);
  const paths = Array.from({ length: 200 }, (_, index) => `/no/such/volume-${index}-${crypto.randomUUID()}`);
  const errors = await Promise.all(paths.map((path) => failure(pool.call("volumeDelete", { path }))));
  paths.forEach((path, index) => {
    assert.equal(errors[index]!.code, VIR_ERR.NO_STORAGE_VOL);
    assert.ok(errors[index]!.message.includes(`'${path}'`), `${path}: ${errors[index]!.message}`);
  });
  const mixed = await Promise.allSettled(paths.flatMap((path, index) => [
    pool.call("volumeDelete", { path }),
    pool.call("networkLeases", { name: `none-${index}` }),
    pool.call("domainRead", { uuid: crypto.randomUUID() }),
  ]));
  mixed.forEach((result, index) => {
    const at = Math.floor(index / 3);
    if (index % 3 === 2) return assert.deepEqual(result, { status: "fulfilled", value: null });
    assert.equal(result.status, "rejected");
    const own = index % 3 === 0 ? `'${paths[at]}'` : `'none-${at}'`;
    assert.ok(result.reason.message.includes(own), result.reason.message);
  });
});

libvirtTest("WorkerPool.call() refuses a text with a NUL instead of cutting it", async () => {
  using pool = poolOf(SHARED);
  const error = await failure(pool.call("networkLeases", { name: "default\0x" }));
  assert.match(error.message, /NUL/);
  assert.equal((await pool.call("nodeInfo")).type, "TEST"); // the worker lives on
});

libvirtTest("WorkerPool.call() says unavailable when there is no libvirt at the URI", async () => {
  using pool = poolOf("qemu+unix:///system?socket=/no/such/socket");
  const error = await failure(pool.call("domainScan"));
  assert.equal(error.kind, "unavailable");
  assert.match(error.message, /No such file or directory/);
});

libvirtTest("WorkerPool keeps its size, and what waits is served in turn", async () => {
  using pool = poolOf(SHARED, { warm: 1, most: 3 });
  const calls = Array.from({ length: 60 }, () => pool.call("nodeInfo"));
  assert.ok(pool.state.workers <= 3 && pool.state.queued >= 57, JSON.stringify(pool.state));
  await Promise.all(calls);
  const { workers, ...rest } = pool.state;
  assert.ok(workers <= 3, `${workers} workers`);
  assert.deepEqual(rest, { busy: 0, queued: 0, lost: 0 });
});

libvirtTest("WorkerPool.close() fails what runs and waits, and what comes later", async () => {
  const pool = new WorkerPool({ uri: SHARED }, { most: 1 });
  const calls = [pool.call("domainScan"), pool.call("domainScan"), pool.call("nodeInfo")].map(failure);
  pool.close();
  for (const error of [...await Promise.all(calls), await failure(pool.call("nodeInfo"))]) {
    assert.equal(error.kind, "unavailable");
  }
  assert.deepEqual(pool.state, { workers: 0, busy: 0, queued: 0, lost: 0 });
});

libvirtTest("WorkerPool ends workers that were idle too long, but for the warm ones", async () => {
  using pool = poolOf(SHARED, { warm: 1, most: 5, idleMs: 100 });
  let most = 0;
  await Promise.all(Array.from({ length: 2000 }, async () => {
    await pool.call("nodeInfo");
    most = Math.max(most, pool.state.workers);
  }));
  assert.ok(most > 1, "it grew");
  await until("the idle workers end", () => pool.state.workers === 1);
  assert.equal((await pool.call("nodeInfo")).type, "TEST");
});

libvirtTest(
  "WorkerPool tells a call over its time limit, and no call waits behind one that hangs (fault 4)",
  async () => {
    using libvirtd = silentLibvirtd();
    // 15 s for a read become 0.6 s, and it counts as hanging after 0.32.
    using pool = poolOf(libvirtd.uri, { most: 4, timeScale: 0.04 });
    const read = (uuid: string) => failure(pool.call("domainXml", { uuid, secure: false, inactive: false }));
    const errors = await Promise.all(Array.from({ length: 30 }, () => read("x")));
    const timeouts = errors.filter(({ message }) => message.startsWith("no answer"));
    // What waits is told at once, and does not hang as well.
    assert.ok(timeouts.length >= 1 && timeouts.length <= 4, `${timeouts.length} calls were let hang`);
    const isToldEarly = ({ kind, message }: LibvirtError) =>
      kind === "silent" || message.startsWith("no turn");
    assert.equal(errors.filter(isToldEarly).length, 30 - timeouts.length);
    assert.equal(timeouts[0]!.message, "no answer within 0.6 seconds");
    assert.equal(pool.state.lost, timeouts.length);

    // It is not asked again, however often; another one is.
    assert.equal((await read("x")).kind, "silent");
    assert.equal((await read("y")).kind, "timeout");
    assert.equal(pool.state.lost, timeouts.length + 1);
    await Deno.readTextFile("/proc/self/stat");

    // When libvirtd goes, the calls return: the pool takes calls again.
    await until("the lost workers come back", () => {
      for (const connection of libvirtd.connections.splice(0)) connection.close();
      return pool.state.lost === 0;
    });
  },
);

libvirtTest("WorkerPool.abandonOpening() fails what has no connection yet, and nothing else", async () => {
  using libvirtd = silentLibvirtd();
  using waiting = poolOf(libvirtd.uri);
  const call = failure(waiting.call("nodeInfo"));
  await until("a connection is asked for", () => libvirtd.connections.length === 1);
  waiting.abandonOpening("Libvirtd does not answer.");
  const { kind, message } = await call;
  assert.deepEqual([kind, message, waiting.state.lost], ["unavailable", "Libvirtd does not answer.", 1]);
  await until("the lost worker comes back", () => {
    for (const connection of libvirtd.connections.splice(0)) connection.close();
    return waiting.state.lost === 0;
  });

  using connected = poolOf(SHARED);
  await connected.call("nodeInfo");
  const other = connected.call("nodeInfo");
  connected.abandonOpening("no");
  assert.equal((await other).type, "TEST");
});

libvirtTest("WorkerPool.abandonOpening() fails what waits for a worker as well", async () => {
  using libvirtd = silentLibvirtd();
  using pool = poolOf(libvirtd.uri, { most: 1 });
  const opening = failure(pool.call("nodeInfo"));
  await until("a connection is asked for", () => libvirtd.connections.length === 1);
  const waiting = failure(pool.call("nodeInfo"));
  assert.equal(pool.state.queued, 1);
  pool.abandonOpening("Libvirtd does not answer.");
  assert.deepEqual([(await opening).kind, (await waiting).kind], ["unavailable", "unavailable"]);
  assert.equal(pool.state.queued, 0);
  assert.equal(libvirtd.connections.length, 1, "nothing else is asked for");
});

libvirtTest("WorkerPool changes machines, and reads back what it changed", async () => {
  using pool = poolOf(SHARED);
  const uuid = crypto.randomUUID(), name = `kvmm-test-${uuid.slice(0, 8)}`;
  await pool.call("domainDefine", { xml: testMachine(name, uuid) });
  const read = async () => (await pool.call("domainRead", { uuid }))!;
  try {
    assert.deepEqual([(await read()).state, (await read()).persistent, (await read()).autostart], [
      5,
      true,
      false,
    ]);
    await pool.call("domainSetAutostart", { uuid, autostart: true });
    await pool.call("domainStart", { uuid });
    assert.deepEqual([(await read()).state, (await read()).autostart], [1, true]);
    await pool.call("domainSuspend", { uuid });
    assert.equal((await read()).state, 3);
    await pool.call("domainResume", { uuid });
    await pool.call("domainManagedSave", { uuid });
    assert.deepEqual([(await read()).state, (await read()).managedSave], [5, true]);
    await pool.call("domainStart", { uuid });
    assert.equal((await read()).managedSave, false);
    const keep = async (xml: string | null, from?: string) => {
      const stored = await pool.call("domainXml", { uuid, secure: true, inactive: true });
      const metadata = { uuid, prefix: "kvmm", uri: "urn:kvm-manager:vm:1", from: from ?? stored };
      return await pool.call("domainSetMetadata", { ...metadata, xml });
    };
    assert.equal(await keep("<vm><tag>a&#38;b</tag></vm>"), true);
    assert.deepEqual((await read()).summary.tags, ["a&b"]);
    assert.equal(
      await keep("<vm><tag>late</tag></vm>", "<domain/>"),
      false,
      "made from what is stored no more",
    );
    assert.deepEqual((await read()).summary.tags, ["a&b"]);
    assert.equal(await keep(null), true);
    assert.deepEqual((await read()).summary.tags, []);
    assert.match(
      await pool.call("domainXml", { uuid, secure: true, inactive: true }),
      new RegExp(`<uuid>${uuid}</uuid>`),
    );
    assert.match((await failure(pool.call("domainStart", { uuid }))).message, /already running/);
    await pool.call("domainDestroy", { uuid });
    assert.equal((await read()).state, 5);
  } finally {
    await pool.call("domainDestroy", { uuid }).catch(() => {/* it is off already */});
    await pool.call("domainUndefine", { uuid });
  }
  assert.equal(await pool.call("domainRead", { uuid }), null);
});
