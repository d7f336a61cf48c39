import assert from "node:assert/strict";
import { ProgramFloods, ProgramLate } from "../machine/programs.ts";
import { runHookProgram } from "./programs.ts";

/** A script, and whether processes are left whose command line has a mark of it. */
async function script(text: (mark: string) => string) {
  const path = await Deno.makeTempFile({ prefix: "kvmm-hook-" });
  // As an argument of sleep, it is a number of seconds
  const mark = `600.${crypto.getRandomValues(new Uint32Array(1))[0]}`;
  await Deno.writeTextFile(path, `#!/bin/sh\n${text(mark)}\n`);
  await Deno.chmod(path, 0o755);
  const left = async () => {
    const { stdout } = await new Deno.Command("pgrep", { args: ["-f", mark] }).output();
    return new TextDecoder().decode(stdout).trim();
  };
  return {
    left,
    run: (limitMs: number, signal = new AbortController().signal) =>
      runHookProgram({ path, args: [], input: "{}\n", limitMs, signal }),
    [Symbol.asyncDispose]: () => Deno.remove(path),
  };
}

/** Waits until the kernel has ended what was killed. */
async function isOver(left: () => Promise<string>): Promise<boolean> {
  for (let tries = 0; tries < 50; tries++) {
    if (await left() === "") return true;
    await new Promise((done) => setTimeout(done, 100));
  }
  return false;
}

Deno.test("Hooks: a program that hangs is ended in time, with all that it has started", async () => {
  await using hangs = await script((mark) => `sleep ${mark} & sleep ${mark}`);
  const began = performance.now();
  await assert.rejects(hangs.run(500), ProgramLate);
  assert.ok(performance.now() - began < 5000);
  assert.ok(await isOver(hangs.left), await hangs.left());
  const stop = new AbortController(), running = hangs.run(60_000, stop.signal);
  setTimeout(() => stop.abort(new Error("KVM Manager stops")), 300);
  await assert.rejects(running, /KVM Manager stops/);
  assert.ok(await isOver(hangs.left), await hangs.left());
});

Deno.test("Hooks: a program that writes without end is ended, and little of it is held", async () => {
  await using floods = await script((mark) => `sleep ${mark} &\nyes ${mark}`);
  const began = performance.now(), before = Deno.memoryUsage().rss;
  await assert.rejects(floods.run(60_000), ProgramFloods);
  assert.ok(performance.now() - began < 10_000);
  assert.ok(Deno.memoryUsage().rss - before < 64 * 1024 * 1024);
  assert.ok(await isOver(floods.left), await floods.left());
});

Deno.test("Hooks: what a program has left in the background ends with it", async () => {
  await using leaves = await script((mark) => `sleep ${mark} >/dev/null 2>&1 &\ncat; exit 3`);
  assert.deepEqual(await leaves.run(20_000), { code: 3, said: "{}\n" });
  assert.ok(await isOver(leaves.left), await leaves.left());
  // Its standard output stays open: the end of the program itself is not the end
  await using holds = await script((mark) => `sleep ${mark} &\nexit 0`);
  await assert.rejects(holds.run(500), ProgramLate);
  assert.ok(await isOver(holds.left), await holds.left());
});
