import assert from "node:assert/strict";
import { ContractError, type Input, type Output } from "../../../lib/contract/mod.ts";
import { ALL_RIGHTS } from "../../../lib/access/rights.ts";
import { principalOf } from "../../access.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { Jobs } from "../../jobs/jobs.ts";
import { Store } from "../../store/store.ts";
import { TestClock } from "../../testing.ts";
import { MOVE_MIGRATIONS, MoveQueue } from "./move_queue.ts";
import { MoveSlots } from "./move_slots.ts";

const ANN = principalOf({ name: "ann", door: "api", via: "session", userId: "u-ann", rights: ALL_RIGHTS });
const MOVED: Output<"migrate_vm"> = { toHost: "kvm2", disks: [], warnings: [] };
const settled = () => new Promise((resolve) => setTimeout(resolve, 5));
const code = (work: Promise<unknown>) =>
  work.then(() => "done", (error) => error instanceof ContractError ? error.code : String(error));

/** A queue on a database of its own, whose moves end when they are told to. */
async function world(
  run: (world: {
    make: () => { queue: MoveQueue; jobs: Jobs; host: LibvirtHost };
    /** Moves that have begun: VM → ends it. */
    begun: Map<string, (error?: unknown) => void>;
    limits: { most: number };
    recorded: string[];
    clock: TestClock;
  }) => Promise<void>,
) {
  const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" }), stores: Store[] = [];
  const begun = new Map<string, (error?: unknown) => void>(), limits = { most: 1 }, recorded: string[] = [];
  const clock = new TestClock(1_000_000);
  const make = () => {
    const store = new Store(folder, undefined, [{ name: "vms", migrations: MOVE_MIGRATIONS }]);
    stores.push(store);
    const jobs = new Jobs(store, { clock });
    const host = {
      id: "local",
      label: "kvm1",
      jobs,
      inventory: { filled: true },
      link: { status: { connected: true } },
      requireVm: (id: string) => ({ id, name: id }),
      record: ({ actor, action, result }: { actor: string; action: string; result: string }) =>
        void recorded.push(`${actor} ${action} ${result}`),
    } as unknown as LibvirtHost;
    const queue = new MoveQueue({
      store,
      clock,
      limitOf: () => limits.most,
      hosts: { served: () => host },
      linked: { served: (id) => ({ id, label: id, status: { connected: true } }) as never },
      delegate: () => ANN,
      carryOut: (_host, { vmId }, _principal, own) =>
        own.run({} as never, (job) =>
          new Promise((resolve, reject) => {
            job.signal.addEventListener("abort", () => reject(job.signal.reason));
            begun.set(vmId, (error) => error === undefined ? resolve(MOVED) : reject(error));
          })),
    });
    return { queue, jobs, host };
  };
  try {
    await run({ make, begun, limits, recorded, clock });
  } finally {
    for (const store of stores) store.close();
    await Deno.remove(folder, { recursive: true });
  }
}

const to = (vmId: string, toHost = "kvm2"): Input<"migrate_vm"> => ({ vmId, toHost });
const open = (jobs: Jobs) =>
  jobs.list(20, true).map(({ vmId, state, place }) => [vmId, state, ...place === undefined ? [] : [place]])
    .toSorted((a, b) => String(a) < String(b) ? -1 : 1);

Deno.test("MoveQueue: as many as are set move, in order; another limit holds at once", () =>
  world(async ({ make, begun, limits }) => {
    const { queue, jobs, host } = make();
    const answers = ["a", "b", "c"].map((vmId) => queue.run(host, to(vmId), ANN));
    await settled();
    assert.deepEqual(open(jobs), [["a", "running"], ["b", "queued", 1], ["c", "queued", 2]]);
    assert.deepEqual(queue.countOf("local"), { running: 1, waiting: 2 });
    assert.throws(() => queue.enter(host, to("b"), ANN), { code: "VmBusy" });
    begun.get("a")!();
    assert.deepEqual(await answers[0], MOVED);
    await settled();
    assert.deepEqual(open(jobs), [["b", "running"], ["c", "queued", 1]]);
    limits.most = 2;
    queue.look();
    await settled();
    assert.deepEqual(open(jobs), [["b", "running"], ["c", "running"]]);
    begun.get("b")!();
    begun.get("c")!(new ContractError("VmNotMovable", { host: "kvm2", reason: "no room" }));
    assert.deepEqual(await Promise.all(answers.slice(1).map(code)), ["done", "VmNotMovable"]);
    assert.deepEqual(queue.countOf("local"), { running: 0, waiting: 0 });
  }));

Deno.test("MoveQueue: a host that takes no more is asked again, and others pass meanwhile", () =>
  world(async ({ make, begun, clock }) => {
    const { queue, jobs, host } = make();
    const first = queue.run(host, to("a"), ANN), other = queue.run(host, to("b", "kvm3"), ANN);
    await settled();
    begun.get("a")!(new ContractError("MovesFull", { host: "kvm2", limit: 1 }));
    await settled();
    assert.deepEqual(open(jobs), [["a", "queued", 1], ["b", "running"]]);
    begun.get("b")!();
    await other;
    await clock.advance(3000);
    await settled();
    assert.deepEqual(open(jobs), [["a", "running"]]);
    begun.get("a")!();
    assert.deepEqual(await first, MOVED);
  }));

Deno.test("MoveQueue: cancelled while it waits, a move is over; what waits is taken up by the next run, once", () =>
  world(async ({ make, begun, recorded }) => {
    const { queue, jobs, host } = make();
    const answers = ["a", "b", "c"].map((vmId) => code(queue.run(host, to(vmId), ANN)));
    await settled();
    const idOf = (vmId: string) => jobs.list(20).find((job) => job.vmId === vmId)!.id;
    jobs.cancel(idOf("b"), "ann");
    assert.equal(await answers[1], "JobCancelled");
    const id = idOf("c");
    queue.stop();
    await jobs.stop(50);
    assert.equal(await answers[0], "JobCancelled");
    begun.clear();

    const next = make();
    next.queue.resume(next.host);
    next.queue.resume(next.host);
    await settled();
    assert.deepEqual([...begun.keys()], ["c"]);
    assert.equal(next.jobs.get(id).job.state, "running");
    begun.get("c")!();
    await settled();
    assert.equal(next.jobs.get(id).job.state, "done");
    assert.deepEqual(recorded, ["ann migrate_vm ok"]);
    const last = make();
    last.queue.resume(last.host);
    await settled();
    assert.deepEqual([...begun.keys()], ["c"]);
    assert.deepEqual(open(last.jobs), []);
  }));

Deno.test("MoveQueue: what somebody does again by themselves is not kept", () =>
  world(async ({ make, begun }) => {
    const { queue, host, jobs } = make();
    const again = principalOf({ ...ANN, door: "schedule" });
    for (const vmId of ["a", "b"]) queue.run(host, to(vmId), again).catch(() => {});
    await settled();
    queue.stop();
    await jobs.stop(50);
    begun.clear();
    const next = make();
    next.queue.resume(next.host);
    await settled();
    assert.deepEqual([...begun.keys()], []);
  }));

Deno.test("MoveSlots: as many as are set come at once, and a place is given back once", () => {
  let most = 1;
  const slots = new MoveSlots({ label: "kvm1" }, () => most), first = slots.take();
  assert.throws(() => slots.take(), { code: "MovesFull" });
  most = 2;
  const second = slots.take();
  first[Symbol.dispose]();
  first[Symbol.dispose]();
  assert.equal(slots.taken, 1);
  second[Symbol.dispose]();
  assert.equal(slots.taken, 0);
});
