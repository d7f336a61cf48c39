/**
 * libvirtd and QEMU killed, stopped where they stand, or telling very much at once: what the product shows meanwhile,
 * how soon it says so, and that it heals by itself. On a libvirtd of the test's own, which no other test uses.
 */
import assert from "node:assert/strict";
import { dirname } from "node:path";
import { ERRORS } from "../../lib/contract/errors.ts";
import { Mirror } from "../testbed/mirror.ts";
import { freeze, thaw } from "../testbed/pid.ts";
import { type PrivateLibvirt, privateLibvirt, type PrivateMachine } from "../testbed/private_libvirt.ts";
import { exists } from "../testbed/process.ts";
import { call, EventLog, known, knownPool, refusal, refused, shows } from "../testbed/product.ts";
import { startServer, type TestServer } from "../testbed/server.ts";
import { requirement } from "../testbed/skip.ts";
import { delay, Lateness, until } from "../testbed/wait.ts";

const reason = await requirement("qemu") ??
  (Deno.uid() === 0 ? null : "only root can make a private libvirtd");
const test = (name: string, fn: () => Promise<void>) => Deno.test({ name, ignore: reason !== null, fn });

/** Error text while libvirtd is away. */
const AWAY = "Libvirtd is not running. Please start the service.";

/** A libvirtd of our own, its running machines and the product on it. */
async function faultyHost(
  running: number,
): Promise<AsyncDisposable & { host: PrivateLibvirt; server: TestServer; machines: PrivateMachine[] }> {
  await using undo = new AsyncDisposableStack();
  const host = undo.use(await privateLibvirt("faults"));
  const machines: PrivateMachine[] = [];
  for (let index = 0; index < running; index++) machines.push(await host.machine());
  await host.virshBatch(machines.map(({ name }) => `start ${name}`));
  const server = undo.use(await startServer({ uri: host.uri }));
  for (const { uuid } of machines) await shows(server, uuid, ({ state }) => state === "running");
  const all = undo.move();
  return { host, server, machines, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

/** The QEMU of a machine. */
async function qemuOf(machine: PrivateMachine): Promise<number> {
  return await machine.qemuPid() ?? assert.fail(`${machine.name} has no QEMU`);
}

/** Stops a machine's QEMU where it stands until disposed of. */
async function hang(machine: PrivateMachine): Promise<AsyncDisposable> {
  const pid = await qemuOf(machine);
  await freeze(pid);
  return { [Symbol.asyncDispose]: () => thaw(pid) };
}

/** Waits until the product is connected to libvirt, and says so. */
async function connected(server: TestServer, seconds = 15): Promise<void> {
  await until("the product to reconnect", async () => {
    const { connected, error } = await call(server, "get_connection_status");
    assert.ok(!connected || error === null);
    return connected;
  }, { seconds, every: 20, lastSeen: () => server.log().slice(-2000) });
}

/** Milliseconds a promise took, and what it gave. */
async function timed<T>(asked: Promise<T>): Promise<[milliseconds: number, answer: T]> {
  const begin = performance.now();
  const answer = await asked;
  return [performance.now() - begin, answer];
}

/** A page and the stylesheet it names, and what lists show, must come fast, whatever libvirt does. */
async function servesFast(server: TestServer, limit = 2000): Promise<void> {
  const [pageMs, html] = await timed(fetch(`${server.url}/`).then((response) => response.text()));
  const [, style = assert.fail("no stylesheet")] = /<link rel="stylesheet" href="(.*?)"/.exec(html) ?? [];
  const [fileMs] = await timed(fetch(server.url + style).then((response) => response.text()));
  const [listMs] = await timed(call(server, "get_vms"));
  for (const [what, took] of Object.entries({ pageMs, fileMs, listMs })) {
    assert.ok(took < limit, `${what}: ${took}`);
  }
}

test("a killed libvirtd is told at once, leaves the last known state, and is followed when it is back", async () => {
  await using faulty = await faultyHost(2);
  const { host, server, machines: [lively, pet] } = faulty;
  assert.ok(lively && pet);
  const undefined_ = await host.machine();
  const started = await host.machine();
  for (const { uuid } of [undefined_, started]) await known(server, uuid);
  const qemu = await qemuOf(lively);
  await using events = await EventLog.open(server);

  await host.kill();
  const killed = performance.now();
  const lost = await events.waitFor("connection-status-changed", ({ status }) => !status.connected);
  assert.equal(lost.data.status.error, AWAY);
  assert.ok(lost.at - killed < 1000, `told after ${lost.at - killed} ms`);
  const status = await call(server, "get_connection_status");
  assert.equal(status.connected, false);
  assert.equal(status.error, AWAY);
  const shown = await call(server, "get_vms");
  assert.equal(shown.length, 4);
  assert.equal(shown.find(({ id }) => id === lively.uuid)?.state, "running");
  for (const command of ["pause_vm", "force_stop_vm"] as const) {
    const [took, no] = await timed(refusal(call(server, command, { vmId: lively.uuid })));
    assert.deepEqual([no.status, no.code, no.message], [503, "LibvirtUnavailable", AWAY]);
    assert.ok(took < 500, `${command} was refused after ${took} ms`);
  }
  await servesFast(server);

  // While libvirtd is stopped, one machine is defined, one is removed. libvirtd reads these files when it starts.
  const folder = dirname(pet.definition);
  const defined = { uuid: crypto.randomUUID(), name: `${pet.name}-new` };
  const xml = (await Deno.readTextFile(pet.definition)).replaceAll(pet.uuid, defined.uuid)
    .replaceAll(`<name>${pet.name}<`, `<name>${defined.name}<`);
  await Deno.writeTextFile(`${folder}/etc/qemu/${defined.name}.xml`, xml);
  await Deno.remove(`${folder}/etc/qemu/${undefined_.name}.xml`);

  await host.start();
  await host.virsh("start", started.name);
  await connected(server);
  await events.waitFor("connection-status-changed", ({ status }) => status.connected);
  await known(server, defined.uuid);
  await shows(server, started.uuid, ({ state }) => state === "running");
  await until("the undefined machine to be gone", async () => {
    return !(await call(server, "get_vms")).some(({ id }) => id === undefined_.uuid);
  }, { seconds: 10 });
  await events.waitFor("vm-created", ({ vm }) => vm.id === defined.uuid);
  await events.waitFor("vm-deleted", ({ vmId }) => vmId === undefined_.uuid);

  const from = events.events.length;
  await host.virsh("suspend", lively.name);
  await events.waitFor("vm-state-changed", ({ vmId, state }) => vmId === lively.uuid && state === "paused", {
    from,
    seconds: 2,
  });
  await call(server, "resume_vm", { vmId: lively.uuid });
  assert.equal(await lively.state(), "running");
  assert.equal(await qemuOf(lively), qemu);
  assert.equal(await exists(`/proc/${server.pid}`), true);
});

test("a download during which libvirtd dies says that, and nothing of the image's server; nothing of it is left", async () => {
  await using faulty = await faultyHost(0);
  const { host, server } = faulty;
  const path = await Deno.makeTempDir({ prefix: "kvmm-test-arriving-" });
  await using undo = new AsyncDisposableStack();
  undo.defer(() => Deno.remove(path, { recursive: true }));
  await host.virshBatch([
    `pool-define-as arriving dir --target ${path}`,
    "pool-autostart arriving",
    "pool-start arriving",
  ]);
  await knownPool(server, "arriving");
  await using mirror = new Mirror();
  await call(server, "set_image_policy", { hosts: ["127.0.0.1"] });
  const url = mirror.serve("/long.img", { body: new Uint8Array(16 * 1024 ** 2), pace: 50 });
  const { jobId } = await call(server, "download_image", { url, pool: "arriving" });
  const job = async () => (await call(server, "get_job", { jobId })).job;
  await until("some of it to be there", async () => ((await job()).doneBytes ?? 0) > 512 * 1024);
  await host.kill();
  const failed = await until("its end", async () => {
    const now = await job();
    return now.endedAt === null ? null : now;
  });
  assert.deepEqual([failed.state, failed.error?.code], ["failed", "ConnectionLost"]);
  await host.start();
  await connected(server);
  await until("the unfinished volume to be gone", async () => !await exists(`${path}/long.img`));
});

test("libvirtd killed again and again: every time the product heals, and a command under way is told as unknown", async () => {
  await using faulty = await faultyHost(1);
  const { host, server, machines: [vm] } = faulty;
  assert.ok(vm);
  for (let round = 0; round < 3; round++) {
    let asked: ReturnType<typeof refusal>;
    {
      // A hung QEMU would be noticed, and not be asked
      await using _frozen = await host.freeze();
      asked = refusal(call(server, "pause_vm", { vmId: vm.uuid }));
      await delay(150 * (round + 1));
      await host.kill();
      const [took, no] = await timed(asked);
      // Where its worker had no connection yet, it is known that it was not carried out
      assert.ok(["ConnectionLost", "LibvirtUnavailable"].includes(no.code), `${no.code}: ${no.message}`);
      assert.equal(no.status, 503);
      assert.ok(took < 2000, `told after ${took} ms`);
    }
    await host.start();
    await connected(server);
    // Whether it was carried out is not known until now: the list agrees with libvirt.
    const state = await vm.state();
    await shows(server, vm.uuid, (seen) => seen.state === state && seen.operation === undefined);
    if (state === "paused") await call(server, "resume_vm", { vmId: vm.uuid });
    else await call(server, "pause_vm", { vmId: vm.uuid }).then(() => host.virsh("resume", vm.name));
    await shows(server, vm.uuid, (seen) => seen.state === "running");
  }
});

/** How many of its descriptors are of the kind that each connection to libvirt has one of. */
async function eventDescriptors({ pid }: TestServer): Promise<number> {
  let count = 0;
  for await (const { name } of Deno.readDir(`/proc/${pid}/fd`)) {
    const target = await Deno.readLink(`/proc/${pid}/fd/${name}`).catch((error) => {
      if (error instanceof Deno.errors.NotFound) return ""; // closed in between
      throw error;
    });
    if (target.includes("[eventfd]")) count++;
  }
  return count;
}

test("a connection that died with its libvirtd keeps no descriptor (fault 20)", async () => {
  await using host = await privateLibvirt("descriptors");
  await using server = await startServer({ uri: host.uri });
  await connected(server);
  const reconnect = async () => {
    await host.kill();
    await until(
      "the loss to be told",
      async () => !(await call(server, "get_connection_status")).connected,
      { every: 20 },
    );
    await host.start();
    await connected(server);
  };
  await reconnect();
  await call(server, "get_vms");
  // Workers beyond the warm ones have a connection each, and end after a while.
  let before = 0;
  await until("idle workers to end", async () => {
    const now = await eventDescriptors(server);
    const steady = now === before;
    before = now;
    return steady;
  }, { seconds: 60, every: 6000 });
  for (let round = 0; round < 12; round++) await reconnect();
  let seen = 0;
  await until("the descriptors to be given back", async () => {
    seen = await eventDescriptors(server);
    return seen <= before + 1;
  }, { seconds: 60, every: 500, lastSeen: () => `${before} before, ${seen} after twelve connections` });
});

test("without libvirtd at the start the product serves, says so, and heals when it appears", async () => {
  await using host = await privateLibvirt("missing");
  const vm = await host.machine();
  await host.kill();
  const socket = new URL(host.uri).searchParams.get("socket")!;
  await Deno.remove(socket); // as if it had never run
  await using server = await startServer({ uri: host.uri });
  await using events = await EventLog.open(server);
  const status = await call(server, "get_connection_status");
  assert.deepEqual([status.connected, status.error], [false, AWAY]);
  await refused(call(server, "get_vms"), "LibvirtUnavailable", AWAY);
  await refused(call(server, "start_vm", { vmId: vm.uuid }), "LibvirtUnavailable", AWAY);
  const page = await fetch(`${server.url}/`);
  assert.equal(page.status, 200);
  assert.ok((await page.text()).includes(AWAY), "the page does not say what to do");
  await host.start();
  await events.waitFor("connection-status-changed", ({ status }) => status.connected);
  await known(server, vm.uuid);
  await call(server, "start_vm", { vmId: vm.uuid });
  assert.equal(await vm.state(), "running");
});

test("a libvirtd that hangs is noticed within 5 s, calls fail in bounded time, and it heals", async () => {
  await using faulty = await faultyHost(1);
  const { host, server, machines: [vm] } = faulty;
  assert.ok(vm);
  await using events = await EventLog.open(server);
  // The product has more to do than this process, and waits longer for its turns.
  using late = new Lateness();
  const limit = (ms: number) => ms + 3 * late.ms;
  // A page waits while the host is read for the first time
  await servesFast(server, limit(10_000));
  const begin = performance.now();
  {
    await using _frozen = await host.freeze();
    const first = timed(refusal(call(server, "pause_vm", { vmId: vm.uuid })));
    first.catch(() => {/* looked at below, if it comes to that */});
    await servesFast(server, limit(2000));
    const lost = await events.waitFor(
      "connection-status-changed",
      ({ status }) => !status.connected,
      { seconds: 60 },
    );
    // 4 s, and what a busy machine adds
    assert.ok(
      lost.at - begin < limit(6000),
      `it was noticed after ${lost.at - begin} ms, ${late.ms} of them late`,
    );
    assert.equal(lost.data.status.error, "Libvirtd does not answer.");
    const [took, no] = await first;
    assert.ok(took < limit(10_000), `the call under way was told after ${took} ms`);
    // Where its worker had no connection yet, nothing was asked of libvirt
    const codes = ["ConnectionLost", "LibvirtTimeout", "LibvirtUnavailable"];
    assert.ok(codes.includes(no.code), `${no.code}: ${no.message}`);
    assert.equal(no.status, ERRORS[no.code].status);
    const [later, again] = await timed(refusal(call(server, "pause_vm", { vmId: vm.uuid })));
    assert.ok(later < limit(2000), `the next call was told after ${later} ms`);
    assert.deepEqual([again.status, again.code], [503, "LibvirtUnavailable"]);
    assert.match(again.message, /does not answer/);
    await servesFast(server, limit(2000));
  }
  await connected(server, 60);
  const from = events.events.length;
  await host.virsh("suspend", vm.name);
  // The pause that was under way may have been carried out after all: only the outcome counts.
  await shows(server, vm.uuid, ({ state }) => state === "paused");
  await call(server, "resume_vm", { vmId: vm.uuid });
  await events.waitFor("vm-state-changed", ({ vmId, state }) => vmId === vm.uuid && state === "running", {
    from,
  });
});

async function isNamed(server: TestServer, stuck: PrivateMachine | undefined): Promise<void> {
  assert.ok(stuck);
  await shows(server, stuck.uuid, ({ state }) => state === "running");
  {
    await using _hung = await hang(stuck);
    // Within 10 s, and what a busy machine adds: without open pages a tick comes every 30 s.
    const seen = await shows(server, stuck.uuid, ({ responsive }) => !responsive, { seconds: 15 });
    assert.match(seen.attention.join("\n"), /^It has not responded since .*SIGSTOP/);
  }
  await shows(server, stuck.uuid, ({ responsive }) => responsive, { seconds: 15 });
}

async function leavesOthersFresh(
  server: TestServer,
  [stuck, lively]: readonly PrivateMachine[],
): Promise<void> {
  assert.ok(stuck && lively);
  await using events = await EventLog.open(server); // somebody looks
  await events.waitFor("vm-stats-updated", ({ vmId }) => vmId === stuck.uuid);
  {
    await using _hung = await hang(stuck);
    const seen = await shows(server, stuck.uuid, ({ responsive }) => !responsive, { seconds: 15 });
    assert.match(seen.attention.join("\n"), /^It has not responded since .*SIGSTOP/);
    for (let round = 0; round < 4; round++) {
      await delay(1000);
      const stats = await call(server, "get_vm_stats", { vmId: lively.uuid });
      assert.ok(
        Date.now() - stats.timestamp < 5000,
        `the other machine's numbers are old: ${stats.timestamp}`,
      );
    }
    const other = await call(server, "get_vm", { vmId: lively.uuid });
    assert.deepEqual([other.responsive, other.attention], [true, []]);
    const from = events.events.length;
    await events.waitFor("vm-stats-updated", ({ vmId }) => vmId === lively.uuid, { from, seconds: 8 });
    await call(server, "pause_vm", { vmId: lively.uuid });
    await call(server, "resume_vm", { vmId: lively.uuid });
  }
  const healed = await shows(server, stuck.uuid, ({ responsive }) => responsive, { seconds: 15 });
  assert.deepEqual(healed.attention, []);
}

async function manyLeavePagesFast(
  server: TestServer,
  [lively, ...stuck]: readonly PrivateMachine[],
): Promise<void> {
  assert.ok(lively);
  let calls: Promise<unknown>[];
  {
    await using hung = new AsyncDisposableStack();
    for (const machine of stuck) hung.use(await hang(machine));
    await delay(3100); // what was read before is not current any more
    calls = stuck.flatMap(({ uuid }) => [
      call(server, "pause_vm", { vmId: uuid }),
      call(server, "get_vm_stats", { vmId: uuid }),
    ]).map((asked) => asked.catch(() => "refused"));
    for (let round = 0; round < 5; round++) {
      await delay(200);
      // What waits for one of these calls waits until QEMU goes on, below. The rest is the load of this machine: a dozen
      // workers are being started from source, while other tests run
      await servesFast(server, 8000);
    }
    const stats = await timed(call(server, "get_vm", { vmId: lively.uuid }));
    assert.ok(stats[0] < 8000);
  }
  await Promise.all(calls); // all end once QEMU goes on
  for (const { uuid } of stuck) await shows(server, uuid, (vm) => vm.operation === undefined);
}

Deno.test({
  name: "QEMUs that hang",
  ignore: reason !== null,
  fn: async (t) => {
    await using faulty = await faultyHost(7);
    const { server, machines } = faulty;
    // Before anybody listens
    await t.step(
      "a QEMU that hangs is named to API clients, though no browser listens",
      () => isNamed(server, machines[0]),
    );
    await t.step(
      "one QEMU that hangs is shown as such, while the others' numbers stay fresh",
      () => leavesOthersFresh(server, machines),
    );
    await t.step(
      "with many calls hanging in libvirt, pages, files and lists still come at once",
      () => manyLeavePagesFast(server, machines),
    );
  },
});

test("a storm of 300 changes ends in the right state, for the list and for who listens, in bounded memory", async () => {
  await using faulty = await faultyHost(1);
  const { host, server, machines: [vm] } = faulty;
  assert.ok(vm);
  await using events = await EventLog.open(server);
  const before = await server.rss();
  const round = (index: number) => [
    `suspend ${vm.name}`,
    `desc ${vm.name} --live --config storm-${index}`,
    `resume ${vm.name}`,
  ];
  await host.virshBatch([
    ...Array.from({ length: 100 }, (_, index) => round(index)).flat(),
    `desc ${vm.name} --live --config calm`,
    `suspend ${vm.name}`,
  ]);
  await shows(server, vm.uuid, ({ state, description }) => state === "paused" && description === "calm");
  await events.waitFor(
    "vm-updated",
    (event) => event.vm.state === "paused" && event.vm.description === "calm",
  );
  await until("the stream to end with the last state", () => {
    const states = events.of("vm-state-changed").filter(({ vmId }) => vmId === vm.uuid);
    return Promise.resolve(states.at(-1)?.state === "paused");
  }, { seconds: 5 });
  const grown = (await server.rss() - before) / 1024 / 1024;
  assert.ok(grown < 100, `grew by ${grown} MB`);
  await call(server, "resume_vm", { vmId: vm.uuid });
});
