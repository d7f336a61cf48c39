/** The product as one file: on a machine with nothing installed but libvirt, without environment or network. */
import assert from "node:assert/strict";
import { testMachine } from "../testbed/machine.ts";
import { filesOf, testName } from "../testbed/names.ts";
import { BINARY, buildBinary } from "../testbed/product_binary.ts";
import { exists, run } from "../testbed/process.ts";
import { removeFiles } from "../testbed/removal.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("qemu") !== null;

/** Output and status of the binary, run with an empty environment. */
async function result(args: readonly string[], cwd: string, cache: string) {
  const { code, stdout, stderr } = await new Deno.Command("env", {
    args: ["-i", `KVMM_CACHE_DIR=${cache}`, BINARY, ...args],
    cwd,
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** A folder with a copy of nothing but what the binary's head needs: links to sh and the like, no deno, no npm. */
async function barePath(folder: string): Promise<string> {
  const path = `${folder}/bin`;
  await Deno.mkdir(path);
  for (const directory of ["/usr/bin", "/bin"]) {
    for await (const { name } of Deno.readDir(directory)) {
      if (/^(deno|node|npm|npx)$/.test(name) || await exists(`${path}/${name}`)) continue;
      await Deno.symlink(`${directory}/${name}`, `${path}/${name}`);
    }
  }
  return path;
}

Deno.test({
  name:
    "dist/kvm-manager serves and starts a machine with an empty environment, without Deno and without network",
  ignore,
  fn: async (t) => {
    await buildBinary();
    const name = await testName("binary");
    const folder = filesOf(name);
    await using undo = new AsyncDisposableStack();
    undo.defer(() => removeFiles(name));
    const [cwd, cache] = [`${folder}/empty`, `${folder}/cache`];
    for (const made of [cwd, cache]) await Deno.mkdir(made, { recursive: true });

    await t.step("it tells its version and help, and what is wrong with a flag", async () => {
      const version = await result(["--version"], cwd, cache);
      assert.equal(version.code, 0, version.stderr);
      assert.match(version.stdout, /^kvm-manager \d+\.\d+\.\d+\n$/);
      const help = await result(["serve", "--help"], cwd, cache);
      assert.equal(help.code, 0);
      assert.match(help.stdout, /--listen HOST:PORT/);
      for (const wrong of [["serve", "--nonsense"], ["nonsense"], []]) {
        const { code, stdout, stderr } = await result(wrong, cwd, cache);
        assert.equal(code, 2, wrong.join(" "));
        assert.ok((stdout + stderr).includes("kvm-manager"));
      }
    });

    await t.step("it serves and starts a machine, and ends when told to", async () => {
      await using vm = await testMachine({ guest: false });
      const runtime = `${folder}/run`;
      const path = await barePath(folder);
      const command = [
        ...["env", "-i", `PATH=${path}`, `KVMM_CACHE_DIR=${cache}`, BINARY, "serve"],
        ...["--listen", "127.0.0.1:8440", "--data-dir", `${folder}/data`, "--runtime-dir", runtime],
      ];
      // As root in a network of its own, which holds nothing but loopback.
      const alone = Deno.uid() === 0;
      const [program, ...args] = alone
        ? ["unshare", "--net", "sh", "-c", 'ip link set lo up; exec "$@"', "sh", ...command]
        : command.map((word) => word === "127.0.0.1:8440" ? "127.0.0.1:0" : word);
      const child = new Deno.Command(program!, { args, cwd, stdout: "null", stderr: "piped" }).spawn();
      let log = "", ended: Deno.CommandStatus | undefined;
      const status = child.status.then((status) => ended = status);
      const reading = (async () => {
        for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) log += text;
      })();
      try {
        const socket = `${runtime}/api.sock`;
        await until("it to listen", async () => {
          assert.equal(ended, undefined, log);
          return await exists(socket);
        }, { seconds: 20, lastSeen: () => log });
        // The socket is a file, which the network has no part in: pages come over it as well as over TCP.
        using http = Deno.createHttpClient({ proxy: { transport: "unix", path: socket } });
        const get = async (path: string) => {
          const response = await fetch(`http://localhost${path}`, { client: http });
          return { response, text: await response.text() };
        };
        const { response, text: html } = await get("/");
        assert.equal(response.status, 200);
        assert.match(html, /^<!doctype html>/i);
        const [, style = assert.fail("the page has no stylesheet")] =
          /<link rel="stylesheet" href="(.*?)"/.exec(html) ?? [];
        const css = await get(style);
        assert.match(css.response.headers.get("content-type") ?? "", /^text\/css/);
        assert.ok(css.text.length > 1000);
        const input = JSON.stringify({ vmId: vm.uuid });
        const call = (...words: string[]) => result(["call", ...words, "--socket", socket], cwd, cache);
        assert.match((await call("get_vm", input)).stdout, new RegExp(vm.name));
        const started = await call("start_vm", input);
        assert.equal(started.code, 0, started.stderr);
        assert.equal(await vm.state(), "running");
        const again = await call("start_vm", input);
        assert.deepEqual([again.code, JSON.parse(again.stderr).code], [5, "VmAlreadyRunning"]);
        if (alone) {
          const links = await run(["nsenter", "--net", "--target", String(child.pid), "ip", "-o", "link"]);
          assert.equal(links.trim().split("\n").length, 1, `more than loopback: ${links}`);
        }
        child.kill("SIGTERM");
        await status;
        assert.deepEqual([ended?.code, ended?.signal], [0, null], log);
        assert.equal(await vm.state(), "running");
        assert.deepEqual(await Array.fromAsync(Deno.readDir(cwd)), []);
      } finally {
        if (ended === undefined) child.kill("SIGKILL");
        await status;
        await reading;
      }
    });
  },
});
