/**
 * Soak tests of ffi/ (fault 6): many calls, many event registrations and many connections leave memory and file
 * descriptors as they were. Each runs in a process of its own, so that nothing else is measured.
 */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { startEventLoop } from "../../ffi/event_loop.ts";
import { DOMAIN_EVENTS, OTHER_EVENTS } from "../../ffi/events.ts";
import { Subscription } from "../../ffi/subscription.ts";
import { libvirtTest, SHARED, until } from "../../ffi/testing.ts";
import { WorkerPool } from "../../ffi/worker_pool.ts";
import { skippedUnless } from "../testbed/skipped_unless.ts";

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const files = () => [...Deno.readDirSync("/proc/self/fd")].length;
/** Bytes that belong to this process alone, after what is garbage was collected. */
async function memory(): Promise<number> {
  const { gc } = globalThis as { gc?: () => void };
  for (let round = 0; round < 3; round++) {
    gc?.();
    await sleep(50);
  }
  return Deno.memoryUsage().rss;
}

/** Results of a run: memory and descriptors after each window. */
interface Measured {
  readonly rss: number[];
  readonly files: number[];
  readonly more?: Record<string, number>;
}

/** Bytes by which memory may grow within a window: collectors of several threads breathe by this much. */
const SLACK = 3 * 1024 * 1024;

/**
 * Does the same work over and over, until one time of it leaves memory as it was. Heaps take some of them to find their
 * size; what leaks, leaks in each.
 */
async function windows(work: () => Promise<void>): Promise<Measured> {
  const measured = { rss: [] as number[], files: [] as number[] };
  for (let window = 0; window < 7; window++) {
    await work();
    measured.rss.push(await memory());
    measured.files.push(files());
    if (window > 0 && measured.rss[window]! - measured.rss[window - 1]! < SLACK) break;
  }
  return measured;
}

const CALLS = 100_000;
const CYCLES = 530;

/** The system's daemon, for connections that are sockets; its test driver, so that nothing real is touched. */
const DAEMON = "/run/libvirt/libvirt-sock";

const RUNS: Record<string, () => Promise<Measured>> = {
  async calls() {
    const pool = new WorkerPool({ uri: SHARED }, { warm: 2, most: 2 });
    const { uuid } = (await pool.call("domainScan")).find(({ name }) => name === "test")!;
    const kinds: (() => Promise<unknown>)[] = [
      () => pool.call("domainListStates"),
      () => pool.call("domainXml", { uuid, secure: false, inactive: false }),
      () =>
        pool.call("networkLeases", { name: "no such network" }).catch(
          () => {/* the error's path is soaked, too */},
        ),
      () => pool.call("domainRead", { uuid: "00000000-0000-4000-8000-000000000000" }),
    ];
    const run = async (count: number) => {
      let left = count;
      await Promise.all(Array.from({ length: 8 }, async () => {
        while (left-- > 0) await kinds[left & 3]!();
      }));
    };
    const measured = await windows(() => run(CALLS));
    pool.close();
    return measured;
  },

  async events() {
    const loop = startEventLoop((error) => {
      throw error;
    });
    const pool = new WorkerPool({ uri: SHARED }, { warm: 1, most: 1 });
    const run = async (count: number) => {
      for (let cycle = 0; cycle < count; cycle++) {
        const subscription = await Subscription.open(pool, loop, { event: () => {}, lost: () => {} });
        await subscription.close();
      }
    };
    const measured = await windows(() => run(CYCLES));
    pool.close();
    await loop.stop();
    return measured;
  },

  async loop() {
    for (let round = 0; round < 5; round++) await startEventLoop(() => {}).stop();
    const loop = startEventLoop(() => {});
    const before = Deno.readTextFileSync("/proc/self/stat").split(" ");
    await sleep(1500);
    const after = Deno.readTextFileSync("/proc/self/stat").split(" ");
    await loop.stop();
    const ticks = [13, 14].reduce((sum, field) => sum + Number(after[field]) - Number(before[field]), 0);
    return { rss: [], files: [], more: { cpuMs: ticks * 10 } };
  },

  async connections() {
    // A door before the daemon that knows how many connections are open.
    const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" });
    const listener = Deno.listen({ transport: "unix", path: `${folder}/sock` });
    let now = 0, most = 0;
    const serve = async () => {
      for await (const client of listener) {
        most = Math.max(most, ++now);
        const daemon = await Deno.connect({ transport: "unix", path: DAEMON });
        const ends = [client.readable.pipeTo(daemon.writable), daemon.readable.pipeTo(client.writable)];
        Promise.allSettled(ends).then(() => now--);
      }
    };
    serve().catch(() => {/* the listener was closed */});
    const loop = startEventLoop(() => {});
    const pool = new WorkerPool({ uri: `test+unix:///default?socket=${folder}/sock` }, {
      warm: 1,
      most: 5,
      idleMs: 200,
    });
    await Promise.all(Array.from({ length: 50 }, () => pool.call("nodeInfo")));
    await until(
      "the idle workers end and their connections close",
      () => pool.state.workers === 1 && now <= 1,
    );
    const idle = now;
    pool.close();
    await until("the last one closes", () => now === 0);
    await loop.stop();
    listener.close();
    await Deno.remove(folder, { recursive: true });
    return { rss: [], files: [], more: { most, idle } };
  },
};

if (import.meta.main && Deno.args[0] !== undefined && Object.hasOwn(RUNS, Deno.args[0])) {
  console.log(JSON.stringify(await RUNS[Deno.args[0]]!()));
  Deno.exit(0);
}

async function inOwnProcess(name: keyof typeof RUNS): Promise<Measured> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--v8-flags=--expose-gc,--max-semi-space-size=1",
      new URL(import.meta.url).pathname,
      name,
    ],
    stdout: "piped",
    stderr: "piped",
  });
  const { code, stdout, stderr } = await child.output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}

function assertFlat({ rss, files }: Measured, things: number, what: string): void {
  const [before, after] = rss.slice(-2) as [number, number];
  console.log(
    `      each ${things} ${what}: memory ${
      rss.map((bytes) => `${(bytes / 2 ** 20).toFixed(1)} MiB`).join(", ")
    }; files ${files.join(", ")}`,
  );
  assert.ok(
    after - before < SLACK,
    `${Math.round((after - before) / things)} bytes were kept for each of ${things} ${what}`,
  );
  assert.ok(files.at(-1)! <= files[0]! + 2, `descriptors grew: ${files.join(", ")}`);
}

libvirtTest(`WorkerPool leaves memory and descriptors as they were after ${CALLS} calls`, async () => {
  assertFlat(await inOwnProcess("calls"), CALLS, "calls");
});

const PER_CYCLE = Object.keys(DOMAIN_EVENTS).length + OTHER_EVENTS.length;
libvirtTest(
  `Subscription leaves memory and descriptors as they were after ${CYCLES * PER_CYCLE} registrations`,
  async () => {
    assertFlat(await inOwnProcess("events"), CYCLES * PER_CYCLE, "registrations");
  },
);

libvirtTest("startEventLoop() does not spin, also when it was stopped and started before", async () => {
  const { more } = await inOwnProcess("loop");
  assert.ok(more!.cpuMs! < 500, `${more!.cpuMs} ms of CPU in 1500 ms of nothing to do`);
});

const daemon = existsSync(DAEMON);
Deno.test({
  name: "WorkerPool closes the connections of workers that end",
  ignore: skippedUnless(daemon, `no libvirtd at ${DAEMON}`),
  fn: async () => {
    const { more } = await inOwnProcess("connections");
    assert.ok(more!.most! > 1, `${more!.most} connections were open`);
    assert.ok(more!.idle! <= 1, `${more!.idle} were left open`);
  },
});
