/** The built executable, on the small app of the browser tests: as on a machine that has no Deno and no environment. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";

const PROJECT = fileURLToPath(new URL("../../", import.meta.url));
const APP = `${PROJECT}tests/browser/fixture`;
const EXECUTABLE = `${APP}/dist/fixture`;

async function build(): Promise<void> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", `${PROJECT}scripts/build.ts`, `--app=${APP}`, "--name=fixture"],
    cwd: PROJECT,
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
}

/** Starts the executable in an empty folder, with nothing but a cache folder in its environment. */
async function running(test: (origin: string, child: Deno.ChildProcess) => Promise<void>): Promise<void> {
  const cache = await Deno.makeTempDir({ prefix: "kvmm-test-" });
  const nowhere = await Deno.makeTempDir({ prefix: "kvmm-test-" });
  const child = new Deno.Command(EXECUTABLE, {
    args: ["serve"],
    clearEnv: true,
    env: { KVMM_CACHE_DIR: cache },
    cwd: nowhere,
    stdout: "null",
    stderr: "piped",
  }).spawn();
  let hasEnded = false;
  const ended = child.status.then(() => hasEnded = true);
  const said = child.stderr.pipeThrough(new TextDecoderStream()).getReader();
  try {
    let text = "";
    while (!/http:\S+\//.test(text)) {
      const { value, done } = await said.read();
      assert.ok(!done, `it ended: ${text}`);
      text += value;
    }
    await test(/http:\S+(?=\/)/.exec(text)?.[0] ?? "", child);
  } finally {
    if (!hasEnded) child.kill("SIGKILL");
    await said.cancel();
    await ended;
    await Deno.remove(cache, { recursive: true });
    await Deno.remove(nowhere, { recursive: true });
  }
}

Deno.test("the executable needs nothing of its machine", async (t) => {
  await build();
  await running(async (origin, child) => {
    const text = async (path: string) => await (await fetch(origin + path)).text();

    await t.step("it serves pages and islands", async () => {
      const html = await text("/");
      const [, boot = ""] = /<script type="module"[^>]* src="(.*?)"/.exec(html) ?? [];
      const response = await fetch(origin + boot);
      assert.equal(response.headers.get("cache-control"), "public, immutable, max-age=31536000");
      assert.match(await response.text(), /hydrate|getElementById/);
    });
    await t.step("it serves static files, to be kept for ever under the build's id", async () => {
      const [, css = ""] = /<link rel="stylesheet" href="(.*?)"/.exec(await text("/plain")) ?? [];
      const response = await fetch(origin + css);
      assert.match(await response.text(), /display: contents/);
      assert.equal(response.headers.get("cache-control"), "public, immutable, max-age=31536000");
    });
    await t.step("its workers, FFI and SQLite work, in the very process that was started", async () => {
      const { pid, sqlite } = JSON.parse(await text("/worker")) as { pid: number; sqlite: string };
      assert.equal(pid, child.pid);
      assert.match(sqlite, /^3\./);
    });
    await t.step("it ends by itself when told to, with its own exit code", async () => {
      child.kill("SIGTERM");
      assert.equal((await child.status).code, 3);
    });
  });
});
