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
