import assert from "node:assert/strict";
import { TimeLimitError, withinTime } from "./time_limit.ts";

Deno.test("withinTime() gives what the work gives, and throws what it throws", () => {
  assert.equal(withinTime(1000, () => 42), 42);
  assert.equal(withinTime(1000, () => undefined), undefined);
  const thrown = new TypeError("of the work");
  assert.throws(() =>
    withinTime(1000, () => {
      throw thrown;
    }), (error) => error === thrown);
  assert.equal(withinTime(1000, () => withinTime(1000, () => 1) + 1), 2);
});

Deno.test("withinTime() ends work that computes for ever, and goes on", () => {
  let count = 0;
  assert.throws(() =>
    withinTime(50, () => {
      for (;;) count++;
    }), TimeLimitError);
  assert.ok(count > 0);
  assert.equal(withinTime(1000, () => 1), 1);
});

/** Source of a process of its own: the CPU time of this process is that of all tests that run at the same time. */
const ALONE = `
  import process from "node:process";
  import { AnsweringWorker } from "${import.meta.resolve("./answering_worker.ts")}";
  const source = 'import { withinTime } from "${import.meta.resolve("./time_limit.ts")}";' +
    'onmessage = ({ data }) => { try { withinTime(data, () => { for (;;); }); } catch (error) { postMessage(error.name); } };';
  const worker = new AnsweringWorker(
    "data:text/javascript," + encodeURIComponent(source),
    "busy",
    (kind, reason) => new Error(kind + ": " + reason),
  );
  const answers = [await worker.ask(300, 60_000), await worker.ask(100, 60_000)];
  worker.end();
  // What else the process does (collecting, compiling) passes; a thread that computes would go on for ever.
  const end = performance.now() + 30_000;
  let share;
  do {
    const before = process.cpuUsage(), begun = performance.now();
    await new Promise((resolve) => setTimeout(resolve, 500));
    const { user, system } = process.cpuUsage(before);
    share = (user + system) / 1000 / (performance.now() - begun);
  } while (share >= 0.1 && performance.now() < end);
  console.log(JSON.stringify({ answers, share }));
  Deno.exit();`;

Deno.test("withinTime() in a worker: it lives and answers again, and afterwards no thread computes", async () => {
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), { args: ["eval", "--ext=ts", ALONE] })
    .output();
  const told = new TextDecoder().decode(stdout);
  assert.match(told, /^\{/, new TextDecoder().decode(stderr));
  const { answers, share } = JSON.parse(told) as { answers: string[]; share: number };
  assert.deepEqual(answers, ["TimeLimitError", "TimeLimitError"]);
  assert.ok(share < 0.1, `the process still takes ${Math.round(share * 100)} % of a core`);
});
