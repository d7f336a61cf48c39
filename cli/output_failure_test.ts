import assert from "node:assert/strict";
import { withOutput } from "./output_failure.ts";

const START = new URL("./start.ts", import.meta.url).pathname;

/** A line of a shell with `$K` for the command; its exit status, and what it said on standard error. */
async function shell(line: string) {
  const { code, stderr } = await new Deno.Command("bash", {
    args: ["-c", line],
    env: { K: `${Deno.execPath()} run -q -A --no-check ${START}`, NO_COLOR: "1" },
    stdout: "null",
    stderr: "piped",
  }).output();
  return [code, new TextDecoder().decode(stderr)] as const;
}

Deno.test("a full disk is one line and exit status 1, whatever the command prints", async () => {
  const lines = ["--version", "--help", "vm start --help", "openapi", "completion bash", "serve --help"];
  const line = "kvm-manager: the output cannot be written: No space left on device\n";
  for (const words of lines) {
    assert.deepEqual(await shell(`$K ${words} > /dev/full`), [1, line], words);
  }
});

Deno.test("a closed pipe ends a command without a word, and a full standard error changes no exit status", async () => {
  const [code, said] = await shell("set -o pipefail; $K openapi | head -c 1");
  assert.deepEqual([code, said], [0, ""]);
  assert.deepEqual(await shell("$K no-such-verb 2> /dev/full"), [2, ""]);
});

Deno.test("withOutput() leaves what is no failure of the output to who runs it", async () => {
  const failure = new Error("a bug");
  await assert.rejects(withOutput(() => Promise.reject(failure)), failure);
  assert.equal(await withOutput(() => Promise.reject(new Deno.errors.BrokenPipe("x"))), 0);
  assert.equal(await withOutput(() => Promise.resolve(7)), 7);
});
