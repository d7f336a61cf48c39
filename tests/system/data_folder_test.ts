/** The data folder under the running product: one process's alone, and never taken for a new one (fault 12). */
import assert from "node:assert/strict";
import { run } from "../testbed/process.ts";
import { asRoot } from "../testbed/people.ts";
import { BINARY_ENV, buildBinary } from "../testbed/product_binary.ts";
import { startServer, type TestServer } from "../testbed/server.ts";
import { until } from "../testbed/wait.ts";

const DATABASE = "kvm-manager.db";
const URI = "test:///default";

async function withData(use: (dataDir: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" });
  try {
    await use(`${folder}/data`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Runs the program on a data folder until it ends by itself. */
async function runOn(dataDir: string, ...args: string[]): Promise<{ code: number; said: string }> {
  const runtimeDir = `${dataDir}-run`;
  const { code, stdout, stderr } = await new Deno.Command(await buildBinary(), {
    args: [...args, "--data-dir", dataDir, "--runtime-dir", runtimeDir],
    env: BINARY_ENV,
    signal: AbortSignal.timeout(30_000),
  }).output();
  return { code, said: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
}

const attention = async (server: TestServer) =>
  (await asRoot(server, "get_host_info", {})).attention.join("\n");

Deno.test("a second server, and restore-state, leave the folder of a running server alone", () =>
  withData(async (dataDir) => {
    await using server = await startServer({ uri: URI, dataDir });
    const state = `${dataDir}-state.tar`;
    await run([await buildBinary(), "backup-state", state, "--data-dir", dataDir]);
    for (
      const args of [
        ["serve", "--uri", URI, "--listen", "127.0.0.1:0"],
        ["restore-state", state, "--yes"],
      ]
    ) {
      const { code, said } = await runOn(dataDir, ...args);
      assert.equal(code, 1, said);
      assert.match(said, new RegExp(`in use by process ${server.pid} \\(.*serve.*\\).*Nothing was changed`));
    }
    assert.equal(await attention(server), "");
  }));

Deno.test("a folder whose owner was killed is free at once", () =>
  withData(async (dataDir) => {
    {
      await using killed = await startServer({ uri: URI, dataDir });
      await killed.kill();
    }
    await using _server = await startServer({ uri: URI, dataDir });
  }));

Deno.test("a lost database is no first start: no setup link, and the state that is put back is served again", () =>
  withData(async (dataDir) => {
    const state = `${dataDir}-state.tar`;
    {
      await using server = await startServer({ uri: URI, dataDir });
      await run([await buildBinary(), "backup-state", state, "--data-dir", dataDir]);
      await Deno.remove(`${dataDir}/${DATABASE}`);
      // Told while it runs, and what it held is saved
      await until("the loss to be told", async () => /was removed while/.test(await attention(server)), {
        seconds: 20,
      });
      await server.stop();
    }
    for (const make of [() => {}, () => Deno.writeTextFileSync(`${dataDir}/${DATABASE}`, "")]) {
      make();
      const child = new Deno.Command(await buildBinary(), {
        args: [
          "serve",
          ...["--uri", URI, "--listen", "127.0.0.1:0", "--data-dir", dataDir],
          ...["--runtime-dir", `${dataDir}-run`],
        ],
        env: BINARY_ENV,
        stdout: "piped",
        stderr: "piped",
      }).spawn();
      let log = "";
      const reading = [child.stdout, child.stderr].map(async (stream) => {
        for await (const bytes of stream) log += new TextDecoder().decode(bytes);
      });
      try {
        await until("it to be ready", () => Promise.resolve(/is ready/.test(log)), { lastSeen: () => log });
        assert.match(log, /is not new: .*restore-state \S+kvm-manager\.rescued-/);
        assert.doesNotMatch(log, /first administrator/);
      } finally {
        child.kill("SIGTERM");
        await child.status;
        await Promise.all(reading);
      }
    }
    const { code, said } = await runOn(dataDir, "restore-state", state, "--yes");
    assert.equal(code, 0, said);
    await using again = await startServer({ uri: URI, dataDir });
    assert.equal((await asRoot(again, "list_users", {})).length, 1);
  }));
