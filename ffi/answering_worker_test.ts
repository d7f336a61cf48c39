import assert from "node:assert/strict";
import { AnsweringWorker } from "./answering_worker.ts";

const url = (source: string) => `data:text/javascript,${encodeURIComponent(source)}`;
const failure = (kind: string, reason: string) => new Error(`${kind}: ${reason}`);

Deno.test("AnsweringWorker.ask() answers in order", async () => {
  const worker = new AnsweringWorker<number, number>(
    url("onmessage = ({ data }) => postMessage(data * 2)"),
    "double",
    failure,
  );
  assert.deepEqual(await Promise.all([1, 2, 3].map((each) => worker.ask(each, 30_000))), [2, 4, 6]);
  worker.end();
  await assert.rejects(worker.ask(1, 1000), /^Error: lost: it is over$/);
});

Deno.test("AnsweringWorker.ask() ends a worker that does not answer in time, with all that waits for it", async () => {
  const worker = new AnsweringWorker<null, null>(url("onmessage = () => {}"), "silent", failure);
  const other = worker.ask(null, 60_000);
  const late = worker.ask(null, 100);
  await Promise.all([
    assert.rejects(late, /^Error: timeout: no answer within 0.1 seconds$/),
    assert.rejects(other, /timeout/),
  ]);
  assert.ok(worker.isOver);
});

/** Answers after a moment in which it computes and takes no message, as one does that is in a foreign call. */
const SLOW = `
  onmessage = ({ data }) => {
    for (const end = Date.now() + data.ms; Date.now() < end;);
    postMessage(data.last ? "gave back" : "did " + data.ms);
  };`;

Deno.test("AnsweringWorker ends a late worker that may not be ended when it has answered everything", async () => {
  interface To {
    readonly ms: number;
    readonly last?: true;
  }
  let overdue = 0;
  const worker = new AnsweringWorker<To, string>(url(SLOW), "slow", failure, {
    last: { ms: 0, last: true },
    overdue: () => overdue++,
  });
  let isReturned = false;
  void worker.returned.then(() => isReturned = true);
  assert.equal(await worker.ask({ ms: 1 }, 30_000), "did 1");
  const first = worker.ask({ ms: 1000 }, 300), second = worker.ask({ ms: 2 }, 30_000);
  await Promise.all([assert.rejects(first, /timeout/), assert.rejects(second, /timeout/)]);
  worker.end();
  await assert.rejects(worker.ask({ ms: 0 }, 1000), /lost: it is over/);
  assert.deepEqual([worker.isOver, isReturned, overdue], [true, false, 1]);
  assert.equal(await worker.returned, "did 1000");
});

Deno.test("AnsweringWorker.returned tells the last answer of a worker that is ended, and nothing of one that failed", async () => {
  const late = { last: 0, overdue: () => assert.fail("it was in time") };
  const ended = new AnsweringWorker<number, number>(
    url("onmessage = ({ data }) => postMessage(data * 2)"),
    "double",
    failure,
    late,
  );
  await ended.ask(21, 30_000);
  ended.end();
  assert.equal(await ended.returned, 42);
  const broken = new AnsweringWorker<number, number>(
    url("onmessage = () => { throw new Error('no'); }"),
    "broken",
    failure,
    late,
  );
  await assert.rejects(broken.ask(1, 30_000), /lost: the worker failed/);
  assert.equal(await broken.returned, undefined);
});
