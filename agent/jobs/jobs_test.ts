import assert from "node:assert/strict";
import { TestClock } from "../testing.ts";
import { ContractError } from "../../lib/contract/errors.ts";
import type { Job as JobText } from "../../lib/contract/jobs.ts";
import { render, type Unrendered } from "../../lib/i18n/message.ts";
import { Store } from "../store/store.ts";
import { type JobHandle, Jobs, type JobSpec } from "./jobs.ts";
import { JobPace } from "./pace.ts";

type Job = Unrendered<JobText>;

const spec = (title: string, more: Partial<JobSpec> = {}): JobSpec => ({
  command: "clone_vm",
  title,
  actor: "ann",
  ifInterrupted: "Look, then try again.",
  ...more,
});

/** Jobs in a folder of their own, with a clock that stands still until it is moved. */
async function world(
  run: (world: {
    jobs: Jobs;
    changed: Job[];
    tellings: () => number;
    progressed: Job[];
    advance: (ms: number) => Promise<void>;
    again: () => Jobs;
    writes: () => number;
  }) => Promise<void>,
) {
  const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" });
  const stores: Store[] = [];
  const clock = new TestClock(1_000_000);
  const changed: Job[] = [], progressed: Job[] = [];
  let writes = 0, tellings = 0;
  class CountingStore extends Store {
    override write(run: () => void): boolean {
      writes++;
      return super.write(run);
    }
  }
  const make = () => {
    const store = new CountingStore(folder);
    stores.push(store);
    return new Jobs(store, {
      clock,
      onChanged: (jobs) => {
        tellings++;
        changed.push(...jobs);
      },
      onProgress: (job) => progressed.push(job),
    });
  };
  const advance = (ms: number) => clock.advance(ms);
  try {
    await run({
      jobs: make(),
      changed,
      progressed,
      advance,
      again: make,
      writes: () => writes,
      tellings: () => tellings,
    });
  } finally {
    for (const store of stores) store.close();
    await Deno.remove(folder, { recursive: true });
  }
}

/** Work that ends when it is told to; it ends by itself when it is cancelled. */
function held() {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let handle: JobHandle | undefined;
  return {
    work: (job: JobHandle) => {
      handle = job;
      job.signal.addEventListener("abort", () => reject(job.signal.reason));
      return promise;
    },
    get job() {
      assert.ok(handle, "it has begun");
      return handle;
    },
    get begun() {
      return handle !== undefined;
    },
    end: () => resolve("made"),
    fail: reject,
  };
}
const settled = () => new Promise((resolve) => setTimeout(resolve, 0));
const code = async (asked: Promise<unknown>) => {
  try {
    return await asked;
  } catch (error) {
    assert.ok(error instanceof ContractError, String(error));
    return error.code;
  }
};

Deno.test("Jobs.run() gives the work's answer, and publishes its beginning and end", () =>
  world(async ({ jobs, changed, advance }) => {
    const { work, end } = held();
    const answer = jobs.run(spec("a copy", { vmId: "u" }), work);
    await settled();
    assert.deepEqual(jobs.list(10).map(({ state, progress, vmId }) => [state, progress, vmId]), [[
      "running",
      null,
      "u",
    ]]);
    await advance(5000);
    end();
    assert.equal(await answer, "made");
    assert.deepEqual(changed.map(({ state }) => state), ["running", "done"]);
    const [job] = jobs.list(10);
    assert.deepEqual([job!.progress, job!.endedAt! - job!.startedAt, job!.cancellable], [1, 5000, false]);
    assert.equal(await code(Promise.resolve().then(() => jobs.cancel(job!.id, "ann"))), "JobOver");
    assert.throws(() => jobs.get("nothing"), /Job not found: nothing/);
  }));

Deno.test("Jobs.run() tells progress and time left, but only a few times a second", () =>
  world(async ({ jobs, progressed, advance }) => {
    const slow = held();
    const answer = jobs.run(spec("a copy"), slow.work);
    await settled();
    for (let index = 0; index <= 100; index++) {
      slow.job.progress(index * 10, 2000);
      await advance(50);
    }
    assert.ok(progressed.length > 5 && progressed.length <= 5050 / 400 + 1, `${progressed.length} times`);
    const last = jobs.list(1)[0]!;
    assert.deepEqual([last.progress, last.doneBytes, last.totalBytes], [0.5, 1000, 2000]);
    assert.equal(last.secondsLeft, 5);
    slow.job.progress(1500, null);
    assert.deepEqual([jobs.list(1)[0]!.progress, jobs.list(1)[0]!.secondsLeft], [null, null]);
    slow.end();
    await answer;
    const told = progressed.length;
    await advance(10_000);
    assert.equal(progressed.length, told, "nothing is told of what is over");
  }));

Deno.test("Jobs.run() keeps why it failed, and throws it as an error of the contract", () =>
  world(async ({ jobs }) => {
    const failed = new ContractError("CloneFailed", { error: "no room" });
    assert.equal(await code(jobs.run(spec("one"), () => Promise.reject(failed))), "CloneFailed");
    await assert.rejects(jobs.run(spec("two"), () => Promise.reject(new TypeError("a bug"))), TypeError);
    assert.deepEqual(jobs.list(10).map(({ state, error }) => [state, error?.code, render(error?.message)]), [
      ["failed", "Internal", new ContractError("Internal").message],
      ["failed", "CloneFailed", "Failed to clone VM: no room"],
    ]);
  }));

Deno.test("Jobs.cancel() has the work undo what it did, and it is cancelled when that is over", () =>
  world(async ({ jobs, changed }) => {
    let undone = false;
    const begun = Promise.withResolvers<void>();
    const answer = code(jobs.run(spec("a copy"), async (job) => {
      begun.resolve();
      await new Promise((resolve) => job.signal.addEventListener("abort", resolve));
      await settled();
      undone = true;
      throw new Error("the copy was ended by a signal");
    }));
    await begun.promise;
    const { id } = jobs.list(1)[0]!;
    jobs.cancel(id, "bob");
    jobs.cancel(id, "bob");
    assert.deepEqual([jobs.list(1)[0]!.state, jobs.list(1)[0]!.cancelling, undone], ["running", true, false]);
    assert.equal(await answer, "JobCancelled");
    assert.equal(undone, true);
    assert.deepEqual(changed.map(({ state, cancelling }) => [state, cancelling]), [
      ["running", false],
      ["running", true],
      ["cancelled", false],
    ]);
    assert.deepEqual(jobs.get(id).log.map(({ text }) => text), ["bob asked to cancel it"]);
  }));

Deno.test("Jobs.run() lets what shares a lane wait in order; what waits can be cancelled", () =>
  world(async ({ jobs }) => {
    const works = Array.from({ length: 5 }, held);
    const answers = works.map(({ work }, index) => code(jobs.run(spec(`${index}`, { lane: "copy" }), work)));
    const free = held();
    const unrelated = jobs.run(spec("unrelated"), free.work);
    await settled();
    const begun = () => works.map((work) => work.begun);
    assert.deepEqual(begun(), [true, true, false, false, false]);
    assert.equal(free.begun, true);
    const waits = () =>
      jobs.list(10).filter(({ state }) => state === "queued").map(({ waitsFor }) => waitsFor);
    assert.deepEqual(waits(), [["0", "1"], ["0", "1"], ["0", "1"]]);
    const idOf = (title: string) => jobs.list(10).find((job) => job.title === title)!.id;
    jobs.cancel(idOf("2"), "ann");
    assert.equal(await answers[2], "JobCancelled");
    works[0]!.end();
    await answers[0];
    await settled();
    assert.deepEqual(begun(), [true, true, false, true, false]);
    assert.deepEqual(waits(), [["1", "3"]]);
    assert.ok(jobs.list(10).every(({ state, waitsFor }) => state === "queued" || waitsFor === undefined));
    works[1]!.end();
    works[3]!.end();
    await answers[3];
    await settled();
    works[4]!.end();
    free.end();
    await Promise.all([...answers, unrelated]);
    assert.equal(jobs.list(10, true).length, 0);
  }));

Deno.test("Jobs that wait cost no writes when one ends, and are told of at once", () =>
  world(async ({ jobs, changed, writes, tellings, again }) => {
    const works = Array.from({ length: 100 }, held);
    const answers = works.map(({ work }, index) => code(jobs.run(spec(`${index}`, { lane: "copy" }), work)));
    await settled();
    const before = [changed.length, writes(), tellings()] as const;
    works[0]!.end();
    await answers[0];
    await settled();
    const [events, writings, calls] = before;
    assert.deepEqual(
      [changed.length - events, writes() - writings, tellings() - calls],
      [1 + 1 + 97, 1 + 1, 1 + 1 + 1],
      "the end, the beginning of the next, and once for all that wait",
    );
    const first = changed.at(-1)!;
    assert.deepEqual([first.state, first.waitsFor], ["queued", ["1", "2"]]);
    const left = again().list(200).find(({ id }) => id === first.id)!;
    assert.deepEqual([left.state, left.waitsFor], ["interrupted", undefined]);
    for (const { end } of works) end();
    await Promise.all(answers);
  }));

Deno.test("Jobs of one account push out none of another's, before and after a restart", () =>
  world(async ({ jobs, again }) => {
    const done = (title: string, actor: string) => jobs.run(spec(title, { actor }), () => Promise.resolve());
    for (let index = 0; index < 5; index++) await done(`ann ${index}`, "ann");
    for (let index = 0; index < 300; index++) await done(`bob ${index}`, "bob");
    const by = (all: Job[], actor: string) =>
      all.filter((job) => job.actor === actor).map(({ title }) => title);
    for (const each of [jobs, again()]) {
      const all = each.list(1000);
      assert.deepEqual(by(all, "ann"), ["ann 4", "ann 3", "ann 2", "ann 1", "ann 0"]);
      assert.deepEqual([by(all, "bob").length, by(all, "bob")[0], by(all, "bob").at(-1)], [
        200,
        "bob 299",
        "bob 100",
      ]);
      assert.equal(each.list(5, false, ({ actor }) => actor === "ann").length, 5);
    }
  }));

Deno.test("Jobs of all accounts together are bounded: those of whoever has the most go", () =>
  world(async ({ jobs }) => {
    const done = (actor: string) => jobs.run(spec("a copy", { actor }), () => Promise.resolve());
    for (let index = 0; index < 3; index++) await done("ann");
    for (let account = 0; account < 6; account++) {
      for (let index = 0; index < 190; index++) await done(`user ${account}`);
    }
    const all = jobs.list(2000);
    assert.equal(all.length, 1000);
    assert.equal(all.filter(({ actor }) => actor === "ann").length, 3);
    for (let account = 0; account < 6; account++) {
      const left = all.filter(({ actor }) => actor === `user ${account}`).length;
      assert.ok(left >= 166 && left <= 167, `${left} of user ${account}`);
    }
  }));

Deno.test("Jobs of an earlier run that had not ended are interrupted, with what to do; the others are as they were", () =>
  world(async ({ jobs, again }) => {
    await jobs.run(spec("whole"), (job) => {
      job.log("a line");
      return Promise.resolve();
    });
    const broken = held();
    const answer = code(jobs.run(spec("broken"), broken.work));
    await settled();
    const later = again();
    assert.deepEqual(later.list(10).map(({ title, state, cancellable }) => [title, state, cancellable]), [
      ["broken", "interrupted", false],
      ["whole", "done", false],
    ]);
    assert.equal(
      render(later.list(10)[0]!.error?.message),
      "KVM Manager ended while this was running. Look, then try again.",
    );
    assert.deepEqual(later.get(later.list(10)[1]!.id).log.map(({ text }) => text), ["a line"]);
    assert.equal(again().list(10)[0]!.state, "interrupted", "and they stay so");
    broken.end();
    await answer;
  }));

/** The lines of the newest job. */
const linesOf = (jobs: Jobs) => jobs.get(jobs.list(1)[0]!.id).log.map(({ text }) => text);

Deno.test("Jobs save the lines of logs a few times a second, and all of them when a job changes or they stop", () =>
  world(async ({ jobs, advance, again, writes }) => {
    const lines = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, index) => `line ${from + index}`);
    const talkative = held();
    const answer = code(jobs.run(spec("talkative"), talkative.work));
    await settled();
    const before = writes();
    for (const line of lines(0, 100)) talkative.job.log(line);
    assert.equal(writes(), before, "nothing waits for the disk");
    await advance(400);
    assert.equal(writes(), before + 1);
    assert.deepEqual(linesOf(again()), lines(0, 100));
    await advance(10_000);
    assert.equal(writes(), before + 2, "taken up again, and nothing else");
    for (const line of lines(100, 120)) talkative.job.log(line);
    talkative.end();
    await answer;
    assert.deepEqual(linesOf(again()), lines(0, 120), "saved with its end");
    const last = held();
    const ended = code(jobs.run(spec("last"), last.work));
    await settled();
    last.job.log("the last words");
    await jobs.stop(1000);
    await ended;
    assert.deepEqual(linesOf(again()), ["the last words", "KVM Manager is stopping"]);
  }));

Deno.test("Jobs.settled() saves what it says at once", () =>
  world(async ({ jobs, again }) => {
    await jobs.run(spec("whole"), () => Promise.resolve());
    jobs.settled(jobs.list(1)[0]!.id, "What it has left was removed");
    assert.deepEqual(linesOf(again()), ["What it has left was removed"]);
    await jobs.stop(10);
  }));

Deno.test("Jobs keep a bounded history and a bounded log", () =>
  world(async ({ jobs, again }) => {
    for (let index = 0; index < 230; index++) {
      await jobs.run(spec(`${index}`), (job) => {
        if (index === 229) { for (let line = 0; line < 300; line++) job.log("x".repeat(5000)); }
        return Promise.resolve();
      });
    }
    for (const each of [jobs, again()]) {
      const list = each.list(1000);
      assert.equal(list.length, 200);
      assert.deepEqual([list[0]!.title, list.at(-1)!.title], ["229", "30"]);
      const { log } = each.get(list[0]!.id);
      assert.deepEqual([log.length, render(log[0]!.text).length], [200, 1000]);
    }
  }));

Deno.test("Jobs.stop() cancels what runs, and names what does not end in time", () =>
  world(async ({ jobs }) => {
    const polite = held();
    const ended = code(jobs.run(spec("polite"), polite.work));
    const stubborn = Promise.withResolvers<void>();
    const late = code(jobs.run(spec("stubborn"), () => stubborn.promise));
    await settled();
    assert.deepEqual(await jobs.stop(50), ["stubborn"]);
    assert.equal(await ended, "JobCancelled");
    assert.deepEqual(jobs.list(10).map(({ title, state }) => [title, state]), [
      ["stubborn", "interrupted"],
      ["polite", "cancelled"],
    ]);
    stubborn.resolve();
    await late;
  }));

Deno.test("Pace.secondsLeft() goes by the last seconds, and says nothing before it can be told", () => {
  const pace = new JobPace();
  pace.add(0, 0);
  pace.add(1000, 100);
  assert.equal(pace.secondsLeft(1000), null);
  for (let at = 2000; at <= 60_000; at += 1000) pace.add(at, at / 10);
  assert.equal(pace.secondsLeft(1000), 10);
  const { done } = { done: 6000 };
  for (let at = 1; at <= 30; at++) pace.add(60_000 + at * 1000, done + at * 1000);
  assert.equal(pace.secondsLeft(10_000), 10, "ten times as fast since");
  for (let at = 91; at <= 120; at++) pace.add(at * 1000, 36_000);
  assert.equal(pace.secondsLeft(10_000), null, "it stands");
});

Deno.test("Jobs with a queue of their own have a place, wait again where they must, and are no interruption at a stop", () =>
  world(async ({ jobs, again }) => {
    const turns: (() => void)[] = [];
    const queued = (title: string) =>
      jobs.open(spec(title, {
        id: title,
        admit: async ({ signal, tell }) => {
          tell(turns.length + 1, ["another"]);
          await new Promise<void>((resolve, reject) => {
            turns.push(resolve);
            signal.addEventListener("abort", () => reject(signal.reason));
          });
        },
      }));
    const first = queued("first"), second = code(queued("second")), third = queued("third");
    third.catch(() => {});
    await settled();
    const shown = () =>
      jobs.list(10).map(({ title, state, place, waitsFor }) => [title, state, place, waitsFor]).reverse();
    assert.deepEqual(shown(), [
      ["first", "queued", 1, ["another"]],
      ["second", "queued", 2, ["another"]],
      ["third", "queued", 3, ["another"]],
    ]);
    turns[0]!();
    const job = await first;
    assert.deepEqual(jobs.get("first").job.state, "running");
    assert.equal(jobs.get("first").job.place, undefined);
    const waits = job.waitAgain();
    await settled();
    assert.equal(jobs.get("first").job.state, "queued");
    turns[3]!();
    await waits;
    jobs.cancel("second", "ann");
    assert.equal(await second, "JobCancelled");
    job.done();
    assert.deepEqual(await jobs.stop(50), []);
    assert.deepEqual(["first", "second", "third"].map((id) => jobs.get(id).job.state), [
      "done",
      "cancelled",
      "queued",
    ]);
    // Until its queue opens it again, the next run has it as one that was cut
    assert.equal(again().get("third").job.state, "interrupted");
  }));
