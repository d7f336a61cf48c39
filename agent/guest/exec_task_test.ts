/** Programs in guests as tasks: their output as a log, and what bounds them. */
import { render } from "../../lib/i18n/message.ts";
import assert from "node:assert/strict";
import { MOST_EXEC_TASKS, MOST_TASK_OUTPUT_MIB, type VM } from "../../lib/contract/mod.ts";
import { Jobs } from "../jobs/jobs.ts";
import { Store } from "../store/store.ts";
import { TestClock } from "../testing.ts";
import type { ExecOutcome, ExecRequest } from "./backend.ts";
import { execAsTask, LoggedOutput } from "./exec_task.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

Deno.test("output becomes lines, whole characters and both streams apart", () => {
  const lines: string[] = [];
  const output = new LoggedOutput((line) => lines.push(line));
  const euro = bytes("a €\nha");
  output.add("stdout", euro.subarray(0, 3));
  output.add("stderr", bytes("oh\n"));
  output.add("stdout", euro.subarray(3));
  output.add("stdout", bytes("lf"));
  assert.deepEqual(lines, ["! oh", "a €"]);
  output.end();
  assert.deepEqual(lines, ["! oh", "a €", "half"]);
});

Deno.test("a guest that writes without end fills no log: the first and the last lines stay", () => {
  const lines: string[] = [];
  const output = new LoggedOutput((line) => lines.push(line));
  for (let n = 0; n < 5000; n++) output.add("stdout", bytes(`${n} \u001b[31m\n`));
  output.add("stdout", bytes("x".repeat(100_000)));
  output.end();
  assert.ok(lines.length < 200, String(lines.length));
  assert.equal(lines[0]!.split(" ")[0], "0");
  assert.ok(lines.some((line) => /^… \d+ lines …$/.test(line)));
  assert.ok(lines.every((line) => line.length <= 1000 && !line.includes("\u001b")));
});

/** Tasks of programs, each of which runs until the test or its signal ends it. */
function world() {
  const folder = Deno.makeTempDirSync({ prefix: "kvmm-test-exec-" });
  const store = new Store(folder), jobs = new Jobs(store, { clock: new TestClock() });
  const programs: { readonly request: ExecRequest; readonly exit: (code: number) => void }[] = [];
  const exec = (_vm: VM, request: ExecRequest) => {
    const { promise, resolve, reject } = Promise.withResolvers<ExecOutcome>();
    request.signal?.addEventListener("abort", () => reject(request.signal?.reason));
    const none = { stdout: bytes(""), stderr: bytes(""), stdoutTruncated: false, stderrTruncated: false };
    programs.push({ request, exit: (exitCode) => resolve({ ...none, exitCode, timedOut: false }) });
    return promise;
  };
  const vm = { id: "v1", name: "web" } as VM;
  return {
    jobs,
    programs,
    begin: async (actor: string) => {
      const input = { vmId: vm.id, command: "/bin/yes", seconds: 60 };
      return (await execAsTask({ jobs }, { vm, agent: { exec } }, input, actor)).jobId;
    },
    [Symbol.dispose]: () => {
      store.close();
      Deno.removeSync(folder, { recursive: true });
    },
  };
}

/** Until what was begun has gone as far as it gets. */
const settled = () => new Promise((resolve) => setTimeout(resolve, 0));

Deno.test("execAsTask() lets a user have so many programs at once, and others theirs", async () => {
  using place = world();
  const { begin, programs, jobs } = place;
  const begun = Array.from({ length: MOST_EXEC_TASKS }, () => begin("ann"));
  await assert.rejects(begin("ann"), { code: "TooManyRequests" });
  await Promise.all(begun);
  await assert.rejects(begin("ann"), { code: "TooManyRequests" });
  await begin("bob");
  programs[0]!.exit(0);
  await settled();
  await begin("ann");
  await assert.rejects(begin("ann"), { code: "TooManyRequests" });
  assert.equal(jobs.list(100, true).length, MOST_EXEC_TASKS + 1);
});

Deno.test("execAsTask() ends a program that writes too much, and says so", async () => {
  using place = world();
  const { begin, programs, jobs } = place;
  const jobId = await begin("ann");
  const { request } = programs[0]!, piece = new Uint8Array(1024 * 1024);
  request.onOutput!("stdout", bytes("the beginning\n"));
  // The line above is part of it
  for (let mib = 1; mib < MOST_TASK_OUTPUT_MIB; mib++) request.onOutput!("stderr", piece);
  assert.equal(request.signal?.aborted, false);
  request.onOutput!("stdout", piece);
  assert.equal(request.signal?.aborted, true);
  await settled();
  const { job, log } = jobs.get(jobId);
  assert.deepEqual([job.state, job.error?.code], ["failed", "GuestOutputTooMuch"]);
  assert.match(render(job.error!.message), /more than 256 MiB, and was ended/);
  assert.equal(log[0]!.text, "the beginning");
});

Deno.test("execAsTask() logs the last lines also of a program that is cancelled", async () => {
  using place = world();
  const { begin, programs, jobs } = place;
  const jobId = await begin("ann");
  programs[0]!.request.onOutput!("stdout", bytes("the beginning\nhalf a line"));
  jobs.cancel(jobId, "ann");
  await settled();
  const { job, log } = jobs.get(jobId);
  assert.equal(job.state, "cancelled");
  assert.deepEqual(log.map(({ text }) => text), ["the beginning", "ann asked to cancel it", "half a line"]);
});
