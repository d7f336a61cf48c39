/**
 * libvirtd, KVM Manager, or both killed in the middle of every operation of several steps: afterwards it is whole or
 * was never begun, nothing is left, nothing is lost, and the same command works again. A kill of each operation runs
 * always; `KVMM_KILLS=200` sets how many. Their moments are spread evenly over what an operation takes; with
 * `KVMM_KILL_SEED=n` moments and victims are drawn instead, each round's of its own seed, which is told.
 * `KVMM_KILL_ONLY=clone` runs the operations alone whose name has that in it.
 */
import assert from "node:assert/strict";
import { COPY_SCENARIOS } from "../testbed/kill_copies.ts";
import { config, KILL_SCENARIOS, KillBench, type KillScenario, NotDone } from "../testbed/kill_scenarios.ts";
import { Mirror } from "../testbed/mirror.ts";
import { filesOf, releaseName, testName } from "../testbed/names.ts";
import { privateLibvirt } from "../testbed/private_libvirt.ts";
import { run } from "../testbed/process.ts";
import { call } from "../testbed/product.ts";
import { removeFiles } from "../testbed/removal.ts";
import { CallError } from "../testbed/server.ts";
import { requirement } from "../testbed/skip.ts";
import { delay, until } from "../testbed/wait.ts";

const ignore = await requirement("qemu") !== null;
const only = Deno.env.get("KVMM_KILL_ONLY") ?? "", seeded = Deno.env.get("KVMM_KILL_SEED");
const SCENARIOS = [...KILL_SCENARIOS, ...COPY_SCENARIOS].filter(({ name }) => name.includes(only));
/** How many kills. */
const KILLS = Number(Deno.env.get("KVMM_KILLS") ?? SCENARIOS.length);
/** Processes to be killed; a libvirtd takes less time to come back than the product. */
const VICTIMS = ["libvirtd", "libvirtd", "agent", "both"] as const;
/** Megabytes of content of what is copied: enough for a copy to be met in the middle. */
const SIZE = 160;
/** A start that QEMU does not answer in is given up after two and a half minutes. */
const SETTLED_SECONDS = 200;

/** Outcome of a call that was cut off. */
async function outcomeOf(asked: Promise<unknown>): Promise<string> {
  try {
    await asked;
    return "done";
  } catch (error) {
    if (error instanceof CallError) return (error.body as { code: string }).code;
    if (error instanceof NotDone) return error.message;
    if (error instanceof TypeError) return "cut off"; // fetch's word for a connection that broke
    throw error;
  }
}

/** Kills, and brings back. @param libvirtd its process: to look for it would take longer than some operations do */
async function strike(bench: KillBench, victim: typeof VICTIMS[number], libvirtd: number): Promise<void> {
  const { host, server } = bench;
  if (victim !== "agent") Deno.kill(libvirtd, "SIGKILL");
  if (victim !== "libvirtd") await server.kill();
  if (victim !== "agent") {
    await host.kill(); // waits until it is gone
    await host.start();
  }
  if (victim === "libvirtd") return;
  await server[Symbol.asyncDispose]();
  await bench.start();
}

/** Waits until nothing is held, left or half done. @param inUse files that may be there or gone: they go once their VM is off */
async function clean(
  bench: KillBench,
  extra: readonly string[],
  about: string,
  inUse: readonly string[] = [],
): Promise<void> {
  let seen: unknown;
  await until(`everything to be settled ${about}`, async () => {
    if (!(await call(bench.server, "get_connection_status")).connected) return false;
    const judged = (files: Iterable<string>) => [...new Set(files)].filter((file) => !inUse.includes(file));
    const files = judged(await bench.files());
    const wanted = judged([...await bench.used(), "base.qcow2", ...extra]).sort();
    const busy = (await call(bench.server, "get_vms")).filter(({ operation }) => operation !== undefined);
    const jobs = await call(bench.server, "list_jobs", { open: true });
    const open = bench.open();
    seen = { files, wanted, busy: busy.map(({ name }) => name), jobs: jobs.map(({ title }) => title), open };
    return open.length === 0 && busy.length === 0 && jobs.length === 0 &&
      JSON.stringify(files) === JSON.stringify(wanted);
  }, {
    seconds: SETTLED_SECONDS,
    every: 100,
    lastSeen: async () => {
      const activity = await call(bench.server, "get_activity", { limit: 5 });
      const log = bench.server.log().split("\n").filter((line) => !line.includes(" debug "));
      return [JSON.stringify(seen), ...activity.map((each) => JSON.stringify(each)), ...log.slice(-30)].join(
        "\n",
      );
    },
  });
}

/** Whether libvirt 9.0, killed while it began a backup, has taken that up and never ends it (docs/backups.md). */
const isHeldByLibvirt = (error: unknown): boolean =>
  error instanceof CallError && /held by monitor=init-.*restart libvirt/.test(JSON.stringify(error.body));

/** Whether libvirt 9.0, killed while it began a merge or a copy, keeps the mark of a job that it does not have (docs/snapshots.md). */
const isMarkedByLibvirt = (error: unknown): boolean =>
  error instanceof CallError &&
  /active block job.*shut the VM down, start it/.test(JSON.stringify(error.body));

/** Whether libvirt 9.0, killed while it took a snapshot, does not know the images that QEMU writes to (docs/snapshots.md). */
const isUnknownToLibvirt = (error: unknown): boolean =>
  error instanceof CallError &&
  /(?:from|until) the next start.*Shut the VM down and start it/.test(JSON.stringify(error.body));

/** Carries out the remedy of the refusal and the docs. */
async function release({ host, server }: KillBench, name: string, restartsLibvirt: boolean): Promise<void> {
  const isConnected = async () => (await call(server, "get_connection_status")).connected;
  await host.virsh("destroy", name);
  if (restartsLibvirt) {
    await host.kill();
    await until("the connection to be lost", async () => !await isConnected(), { seconds: 60 });
    await host.start();
    await until("the connection", isConnected, { seconds: 60 });
  }
  await host.virsh("start", name);
  const { id: vmId } = (await call(server, "get_vms")).find((vm) => vm.name === name)!;
  await until(`${name} to run`, async () => (await call(server, "get_vm", { vmId })).state === "running");
}

/** The process of a VM that runs although libvirt, killed while it ended a merge, takes it for off (docs/snapshots.md). */
async function lostProcess({ server }: KillBench, name: string | undefined): Promise<number | undefined> {
  const [attention] = (await call(server, "get_vms")).find((vm) => vm.name === name)?.attention ?? [];
  const pid = /^It still runs as process (\d+) of the host/.exec(attention ?? "")?.[1];
  return pid === undefined ? undefined : Number(pid);
}

/** Milliseconds after which a VM that libvirt is said to start is one that it holds. */
const HELD_MS = 20_000;

/** The VM for which libvirt, killed before its QEMU had begun, waits for good (docs/snapshots.md). */
async function heldAtStart({ server }: KillBench): Promise<string | undefined> {
  return (await call(server, "get_vms")).find(({ attention, stateSince = Date.now() }) =>
    attention.some((text) => text.startsWith("libvirt is starting it, and does not answer")) &&
    Date.now() - stateSince > HELD_MS
  )?.name;
}

/** Ends such a process, as its VM's page says. @returns whether there was one */
async function endLost(bench: KillBench, name: string | undefined, about: string): Promise<boolean> {
  const pid = await lostProcess(bench, name);
  if (pid === undefined) return false;
  console.log(`libvirt lost ${name}, which runs on, ${about}: it is ended and started again`);
  Deno.kill(pid, "SIGTERM");
  await until(`${name} to be known as off`, async () => await lostProcess(bench, name) === undefined);
  return true;
}

/**
 * Files of a VM that libvirt 9.0, killed while it took a snapshot, leaves in use, as the activity list tells: an image that QEMU
 * has open and does not use, or one below the images that it went over to (docs/snapshots.md).
 */
async function leftInUse(bench: KillBench, name: string | undefined): Promise<string[]> {
  const activity = await call(bench.server, "get_activity", { limit: 20 });
  const isTold = activity.some(({ vmName, action, message = "" }) =>
    vmName === name && action === "create_snapshot" &&
    /The next start uses the new images|because a program has it open/.test(message)
  );
  return isTold
    ? (await bench.files()).filter((file) => file.startsWith(`${name}.`) || file.startsWith(`${name}-`))
    : [];
}

/** One kill, everything that must hold after it, and the same once more. */
async function round(
  bench: KillBench,
  scenario: KillScenario,
  n: number,
  { victim, afterMs }: { victim: typeof VICTIMS[number]; afterMs: number },
): Promise<string> {
  const { name, prepare, isWhole, clear, files = () => [], filesBefore = () => [] } = scenario;
  const about = `after ${victim} was killed ${Math.round(afterMs)} ms into ${name} (round ${n})`;
  await prepare?.(bench, n);
  const vmId = await bench.idFor(scenario, n);
  const libvirtd = await bench.host.pid() ?? assert.fail("there is no libvirtd");
  const asked = outcomeOf(scenario.run(bench, n, vmId));
  await delay(afterMs);
  await strike(bench, victim, libvirtd);
  const outcome = await asked;
  const wait = async () => {
    let whole = false, ended = false;
    await until(`a state that is one of the two ${about}`, async () => {
      ended ||= await endLost(bench, scenario.vm?.(n), about);
      const held = await heldAtStart(bench);
      if (held !== undefined) {
        console.log(`libvirt holds ${held}, which was to start, ${about}: the way out is taken`);
        await bench.host.forget(held);
      }
      if (bench.open().length > 0) return false;
      if (ended) {
        await call(bench.server, "start_vm", { vmId });
        ended = false;
      }
      whole = await isWhole(bench, n);
      return true;
    }, { seconds: SETTLED_SECONDS, every: 100, lastSeen: () => bench.open().join("\n") });
    return whole;
  };
  await until("the connection", async () => (await call(bench.server, "get_connection_status")).connected, {
    seconds: 60,
  });
  let whole = await wait();
  const end = `${outcome}: ${whole ? "whole" : "undone"}`;
  if (outcome === "done") assert.ok(whole, `it was told to be done, and is not ${about}`);
  const inUse = await leftInUse(bench, scenario.vm?.(n));
  if (inUse.length > 0) console.log(`${inUse.join(", ")} stay in use ${about}`);
  await clean(bench, whole ? files(n) : filesBefore(n), about, inUse);
  if (!whole) {
    await scenario.run(bench, n, vmId).catch(async (error) => {
      const isHeld = isHeldByLibvirt(error);
      if (!isHeld && !isMarkedByLibvirt(error) && !isUnknownToLibvirt(error)) throw error;
      console.log(`libvirt hinders ${name} of ${scenario.vm!(n)} for good ${about}: the way out is taken`);
      await release(bench, scenario.vm!(n), isHeld);
      await scenario.run(bench, n, vmId);
    });
    whole = await isWhole(bench, n);
    assert.ok(whole, `the same command did not work again ${about}`);
    await clean(bench, files(n), `${about}, and done again`, inUse);
  }
  await clear(bench, n);
  await clean(bench, [], `${about}, and cleared`);
  return end;
}

/** Two numbers from 0 to 1 that a seed decides on (splitmix32). */
function drawn(seed: number): [number, number] {
  let state = seed | 0;
  const next = () => {
    state = state + 0x9e3779b9 | 0;
    let mixed = Math.imul(state ^ state >>> 16, 0x21f0aaad);
    mixed = Math.imul(mixed ^ mixed >>> 15, 0x735a2d97);
    return ((mixed ^ mixed >>> 15) >>> 0) / 2 ** 32;
  };
  return [next(), next()];
}

/** Victim and time of a round's kill, the time as a part of the operation's. */
function kill(n: number, index: number, lap: number): { victim: typeof VICTIMS[number]; part: number } {
  if (seeded !== undefined) {
    const [who, when] = drawn(Number(seeded) + n);
    return { victim: VICTIMS[Math.floor(who * VICTIMS.length)]!, part: when * 1.05 };
  }
  // By lap, not by round alone: with as many rounds a lap as it may be, each meets every kind of kill.
  // 0.62 is near the golden ratio: its multiples fill the time evenly, whatever their number.
  return { victim: VICTIMS[(index + lap) % VICTIMS.length]!, part: (lap * 0.62 + index * 0.17) % 1.05 };
}

Deno.test({
  name: `operations are whole or undone after ${KILLS} kills of libvirtd, KVM Manager or both (faults 1, 19)`,
  ignore,
  fn: async () => {
    await using undo = new AsyncDisposableStack();
    const own = await testName("operations");
    undo.defer(() => releaseName(own));
    undo.defer(() => removeFiles(own));
    const pool = `${filesOf(own)}/images`, dataDir = `${filesOf(own)}/data`;
    for (const folder of [pool, dataDir]) await Deno.mkdir(folder, { recursive: true });
    const host = undo.use(await privateLibvirt("operations"));
    await run(["qemu-img", "create", "-q", "-f", "qcow2", `${pool}/base.qcow2`, `${SIZE}M`]);
    await run(["qemu-io", "-f", "qcow2", "-c", `write -q -P 0x5a 0 ${SIZE}M`, `${pool}/base.qcow2`]);
    await host.virsh("pool-define-as", "images", "dir", "--target", pool);
    await host.virsh("pool-autostart", "images");
    await host.virsh("pool-start", "images");
    const mirror = undo.use(new Mirror());
    const body = new Uint8Array(200_000).map((_, index) => index * 7 % 251); // in four pieces
    mirror.serve("/image.img", { body, pace: 60 });
    const bench = new KillBench(host, pool, dataDir, mirror);
    await bench.start();
    undo.defer(() => bench.server[Symbol.asyncDispose]());
    await call(bench.server, "set_image_policy", { hosts: ["127.0.0.1"] });
    await call(
      bench.server,
      "create_vm",
      config("origin", { disks: [{ path: "images/base.qcow2", copyAs: "qcow2", pool: "images" }] }),
    );
    // How long each takes: a kill is to meet every step of it.
    const took = new Map<KillScenario, number>();
    for (const scenario of SCENARIOS) {
      // Twice: the first one finds out what is found out once.
      for (const n of [9998, 9999]) {
        await scenario.prepare?.(bench, n);
        const vmId = await bench.idFor(scenario, n);
        const begin = performance.now();
        await scenario.run(bench, n, vmId);
        took.set(scenario, performance.now() - begin);
        assert.ok(await scenario.isWhole(bench, n), scenario.name);
        await scenario.clear(bench, n);
      }
    }
    const counts = new Map<string, number>();
    for (let n = 1; n <= KILLS; n++) {
      const index = n % SCENARIOS.length;
      const scenario = SCENARIOS[index]!;
      const { victim, part } = kill(n, index, Math.floor(n / SCENARIOS.length));
      const afterMs = took.get(scenario)! * part;
      const end = await round(bench, scenario, n, { victim, afterMs }).catch((cause) => {
        const of = seeded === undefined ? "" : `, seed ${Number(seeded) + n}`;
        const what = `round ${n}${of}: ${scenario.name}, ${victim} killed after ${Math.round(afterMs)} ms`;
        throw new Error(what, { cause });
      });
      const key = `${scenario.name}, ${victim} killed, ${end}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
      // As it goes: a run that is broken off has shown what it saw.
      const seed = seeded === undefined ? "" : `, seed ${Number(seeded) + n}`;
      console.log(
        `${n}: ${key}, ${Math.round(afterMs)} of ${Math.round(took.get(scenario)!)} ms into it${seed}`,
      );
    }
    for (const [key, count] of [...counts].sort()) console.log(`${count} × ${key}`);
    const database = await Deno.readTextFile(`${dataDir}/kvm-manager.db-wal`).catch((error) => {
      if (error instanceof Deno.errors.NotFound) return "";
      throw error;
    });
    assert.equal(database.includes("geheim-42"), false, "a password was written down");
  },
});
