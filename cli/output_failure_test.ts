import assert from "node:assert/strict";
import { join } from "node:path";
import { bundleMain } from "../scripts/server.ts";
import { withOutput } from "./output_failure.ts";

/** The command as it is packed: to start it from its sources takes seconds of the processor each time. */
let folder: string;

Deno.test.beforeAll(async () => {
  folder = await Deno.makeTempDir({ prefix: "kvmm-test-" });
  const bundle = join(folder, "bundle"), maps = join(folder, "maps");
  for (const each of [bundle, maps]) await Deno.mkdir(each);
  await bundleMain(new URL("./start.ts", import.meta.url).pathname, bundle, maps);
});

Deno.test.afterAll(() => Deno.remove(folder, { recursive: true }));

/** A line of a shell with `$K` for the command; its exit status, and what it said on standard error. */
async function shell(line: string) {
  const { code, stderr } = await new Deno.Command("bash", {
    args: ["-c", line],
    env: { K: `${Deno.execPath()} run -q -A --no-config ${join(folder, "bundle/main.js")}`, NO_COLOR: "1" },
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
