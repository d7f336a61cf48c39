import assert from "node:assert/strict";
import { killAndWait, ProgramFloods, ProgramLate, runProgram } from "./programs.ts";

Deno.test("runProgram() gives what a program says, and feeds it", async () => {
  const { success, code, stdout, stderr } = await runProgram("sh", ["-c", "cat; echo no >&2; exit 3"], {
    limitMs: 10_000,
    input: "text",
  });
  assert.deepEqual([success, code, stdout, stderr], [false, 3, "text", "no\n"]);
  await assert.rejects(runProgram("/no/such/program", [], { limitMs: 1000 }), Deno.errors.NotFound);
});

Deno.test("runProgram() ends a program that is late, whatever it thinks of SIGTERM", async () => {
  const began = performance.now();
  const late = runProgram("sh", ["-c", "trap '' TERM; exec sleep 60"], { limitMs: 300 });
  await assert.rejects(late, ProgramLate);
  assert.ok(performance.now() - began < 3000);
});

Deno.test("killAndWait() does not wait for a program that the kernel holds", async () => {
  const signals: string[] = [];
  const held = {
    pid: 4711,
    status: new Promise<Deno.CommandStatus>(() => {}),
    kill: (signal?: Deno.Signal) => void signals.push(signal ?? "SIGTERM"),
  };
  assert.equal(await killAndWait(held, "qemu-img", 50), false);
  assert.deepEqual(signals, ["SIGKILL"]);
});

Deno.test("runProgram() feeds pieces as they come, and ends with its signal's reason", async () => {
  async function* pieces() {
    for (let index = 0; index < 50; index++) yield await Promise.resolve(new Uint8Array(65_536));
  }
  const counted = await runProgram("wc", ["-c"], { limitMs: 10_000, input: pieces() });
  assert.equal(counted.stdout.trim(), String(50 * 65_536));
  const early = await runProgram("sh", ["-c", "exec <&-; exit 3"], { limitMs: 10_000, input: pieces() });
  assert.equal(early.code, 3, "what it does not read fails nothing");
  const abort = new AbortController(), reason = new Error("enough");
  const stopped = runProgram("sleep", ["60"], { limitMs: 60_000, input: pieces(), signal: abort.signal });
  setTimeout(() => abort.abort(reason), 100);
  await assert.rejects(stopped, reason);
  await assert.rejects(runProgram("true", [], { limitMs: 1000, signal: abort.signal }), reason);
});

Deno.test("runProgram() ends a program that says more than it may", async () => {
  const began = performance.now();
  for (const script of ["exec cat /dev/zero", "exec cat /dev/zero >&2"]) {
    const flood = runProgram("sh", ["-c", script], { limitMs: 60_000, mostOutput: 1_000_000 });
    await assert.rejects(flood, ProgramFloods);
  }
  assert.ok(performance.now() - began < 20_000);
  const { stdout } = await runProgram("sh", ["-c", "printf é; sleep 0.1; printf é"], { limitMs: 10_000 });
  assert.equal(stdout, "éé");
});
