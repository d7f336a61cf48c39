/** The command line against the real server: here and from elsewhere. */
import assert from "node:assert/strict";
import { parse } from "yaml";
import { virsh } from "../testbed/libvirt.ts";
import { CommandLine, type Said } from "../testbed/command_line.ts";
import { testFolder } from "../testbed/folder.ts";
import { personWith } from "../testbed/people.ts";
import { testPool } from "../testbed/pool.ts";
import { call, readyServer } from "../testbed/product.ts";
import { buildBinary } from "../testbed/product_binary.ts";
import { TerminalProgram } from "../testbed/pty.ts";
import { requirement } from "../testbed/skip.ts";
import { tlsProxy } from "../testbed/tls_proxy.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("qemu") !== null;
const EVERYTHING = { kind: "everything" } as const;
const demoServer = () => readyServer({ uri: "test:///default", logLevel: "warn" });

function done({ status, out, err }: Said): string {
  assert.equal(status, 0, err);
  return out;
}

/** First commands of most users, the same from source and packed. */
async function mainVerbs(cli: CommandLine): Promise<void> {
  assert.match(
    done(await cli.run(["vm", "list"])),
    /^NAME +STATE +CPUS +MEMORY .*\ntest +running +2 +2 GiB /,
  );
  assert.equal(done(await cli.run(["vm", "list", "-o", "name"])), "test\n");
  const [vm] = JSON.parse(done(await cli.run(["vm", "list", "-o", "json"]))) as { id: string }[];
  assert.deepEqual(parse(done(await cli.run(["vm", "show", "test", "-o", "yaml"]))).id, vm!.id);
  assert.match(done(await cli.run(["vm", "show", vm!.id])), /^NAME +test$/m);
  assert.match(done(await cli.run(["vm", "xml", "test"])), /^<domain /);
  const empty = await cli.run(["job", "list"]);
  assert.deepEqual([empty.status, empty.out, empty.err], [0, "", "job list: the list is empty\n"]);
  const statuses = [
    [["vm", "show", "nobody"], 4],
    [["vm", "start", "test"], 5],
    [["vm", "force-stop", "test"], 2],
    [["vm", "list", "--nonsense"], 2],
    [["nonsense"], 2],
    [["vm", "list", "--socket", "/nonexistent"], 3],
  ] as const;
  for (const [args, status] of statuses) {
    const said = await cli.run(args);
    assert.deepEqual([said.status, said.out], [status, ""], `${args.join(" ")}: ${said.err}`);
    assert.notEqual(said.err, "");
  }
  done(await cli.run(["vm", "pause", "test"]));
  assert.match(done(await cli.run(["vm", "list"])), /paused/);
  done(await cli.run(["vm", "resume", "test"]));
  const user = await cli.run([
    "user",
    "add",
    "ann",
    "--grants",
    "viewer@vm:test",
    "--password",
    "-",
    "-o",
    "json",
  ], "correct horse battery\n");
  assert.deepEqual(JSON.parse(done(user)).grants, [{ role: "viewer", on: { kind: "vm", vmId: vm!.id } }]);
  done(await cli.run(["user", "delete", "ann", "--yes"]));
  assert.match(done(await cli.run(["completion", "bash"])), /complete -F/);
  assert.equal(JSON.parse(done(await cli.run(["openapi"]))).openapi, "3.1.0");
  assert.match(done(await cli.run(["man"])), /^\.TH /);
}

Deno.test({
  name: "kvm-manager does what everybody does first, at the socket, unpacked again",
  ignore,
  fn: async () => {
    await using server = await demoServer();
    await using cache = await testFolder();
    await mainVerbs(new CommandLine({ KVMM_SOCKET: server.socket, KVMM_CACHE_DIR: cache.path }));
  },
});

/** The next block of a table that is printed again and again: its first row. */
async function stateIn(lines: AsyncGenerator<string>, wanted: RegExp): Promise<void> {
  for (let line = await lines.next(); !line.done; line = await lines.next()) {
    if (wanted.test(line.value)) return;
  }
  assert.fail(`the watching ended before ${wanted}`);
}

Deno.test({
  name: "--watch prints again what has changed, told by events",
  ignore,
  fn: async () => {
    await using data = await testFolder();
    await using server = await readyServer({ uri: "test:///default", logLevel: "warn", dataDir: data.path });
    const [vm] = await call(server, "get_vms");
    const cli = new CommandLine({ KVMM_SOCKET: server.socket });
    const lines = cli.lines(["vm", "list", "--watch"]);
    try {
      await stateIn(lines, /^test +running/);
      await call(server, "pause_vm", { vmId: vm!.id });
      await stateIn(lines, /^test +paused/);
      await call(server, "resume_vm", { vmId: vm!.id });
      await stateIn(lines, /^test +running/);
    } finally {
      await lines.return();
    }
    const told = cli.lines(["events", "vm-state-changed"]);
    try {
      const next = told.next();
      // Said until it is heard: the stream begins at some time.
      let heard = false;
      next.then(() => heard = true);
      await until("the event", async () => {
        await call(server, "pause_vm", { vmId: vm!.id });
        await call(server, "resume_vm", { vmId: vm!.id });
        return heard;
      }, { seconds: 10, every: 100 });
      const { name, data } = JSON.parse((await next).value ?? "null");
      assert.deepEqual([name, data.vmId], ["vm-state-changed", vm!.id]);
    } finally {
      await told.return();
    }
  },
});

Deno.test({
  name:
    "serverOf() reaches a server elsewhere by its certificate's fingerprint or authority, and trusts no other",
  ignore,
  fn: async (t) => {
    await using server = await demoServer();
    await using proxy = await tlsProxy(server.url);
    await using home = await testFolder();
    const viewer = await personWith(server, "viola", [{ role: "viewer", on: EVERYTHING }]);
    const token = viewer.headers.authorization!.replace("Bearer ", "");
    const tokenFile = `${home.path}/token`;
    await Deno.writeTextFile(tokenFile, `${token}\n`, { mode: 0o600 });
    const base = { HOME: home.path };
    const remote = new CommandLine({ ...base, KVMM_SERVER: proxy.url, KVMM_TOKEN: token });

    await t.step(
      "a certificate that no trusted authority has signed is refused, before anything is sent",
      async () => {
        const said = await remote.run(["vm", "list"]);
        assert.equal(said.status, 3);
        assert.match(said.err, new RegExp(`--fingerprint ${proxy.fingerprint.toUpperCase().slice(0, 2)}:`));
        const wrong = await remote.run(["vm", "list", "--fingerprint", "00".repeat(32)]);
        assert.equal(wrong.status, 3);
        assert.match(wrong.err, /another one/);
        assert.equal(proxy.seen.length, 0, "the token went nowhere");
      },
    );
    await t.step("by fingerprint, by authority; the token from a file or the environment", async () => {
      const ways = [
        ["--fingerprint", proxy.fingerprint],
        ["--ca", proxy.certificate],
        ["--ca", proxy.certificate, "--token-file", tokenFile],
      ];
      for (const way of ways) assert.match(done(await remote.run(["vm", "list", ...way])), /^test +running/m);
    });
    await t.step("what the token may not is refused with its own status", async () => {
      const said = await remote.run(["vm", "pause", "test", "--ca", proxy.certificate]);
      assert.deepEqual([said.status, said.out], [6, ""]);
      const nobody = new CommandLine({ ...base, KVMM_SERVER: proxy.url, KVMM_TOKEN: "kvmm_wrong" });
      assert.equal((await nobody.run(["vm", "list", "--ca", proxy.certificate])).status, 6);
      const none = new CommandLine({ ...base, KVMM_SERVER: proxy.url });
      assert.match((await none.run(["vm", "list"])).err, /an API token is needed/);
    });
    await t.step("a token goes over no plain connection to elsewhere", async () => {
      const plain = new CommandLine({ ...base, KVMM_SERVER: "http://192.0.2.1:8440", KVMM_TOKEN: token });
      const said = await plain.run(["vm", "list"]);
      assert.equal(said.status, 2);
      assert.match(said.err, /in the clear/);
    });
    await t.step("login keeps it for its owner alone, logout forgets it", async () => {
      const cli = new CommandLine(base);
      const login = [
        "login",
        proxy.url,
        "--name",
        "lab",
        "--fingerprint",
        proxy.fingerprint,
        "--token-file",
        "-",
      ];
      assert.match((await cli.run(login, "kvmm_wrong\n")).err, /wrong, has expired or was revoked/);
      const said = await cli.run(login, `${token}\n`);
      assert.equal(said.status, 0, said.err);
      assert.match(said.err, /as viola/);
      const file = `${home.path}/.config/kvm-manager/contexts.json`;
      assert.equal((await Deno.stat(file)).mode! & 0o777, 0o600);
      assert.match(done(await cli.run(["vm", "list"])), /^test +running/m);
      assert.match(done(await cli.run(["context", "list"])), /^lab +https:.* yes$/m);
      await Deno.chmod(file, 0o644);
      assert.match((await cli.run(["vm", "list"])).err, /can be read by others/);
      await Deno.chmod(file, 0o600);
      done(await cli.run(["context", "use", "local"]));
      assert.match(done(await cli.run(["vm", "list", "--context", "lab"])), /^test /m);
      done(await cli.run(["logout", "lab"]));
      assert.equal((await cli.run(["vm", "list", "--context", "lab"])).status, 2);
      assert.doesNotMatch(await Deno.readTextFile(file), /kvmm_/);
    });
    await t.step("login asks at a terminal: shows the fingerprint, takes the token unseen", async () => {
      await using terminal = new TerminalProgram([
        "env",
        `HOME=${home.path}`,
        await buildBinary(),
        "login",
        proxy.url,
      ]);
      await terminal.waitFor("Type yes to trust it");
      assert.ok(terminal.text.replaceAll(":", "").toLowerCase().includes(proxy.fingerprint));
      await terminal.type("yes\r");
      await terminal.waitFor("API token:");
      await terminal.type(`${token}\r`);
      assert.deepEqual(await terminal.ended(), { status: 0, isCooked: true });
      assert.match(terminal.text, /Logged in to .* as viola/);
      assert.ok(!terminal.text.includes(token), "it was not shown");
    });
  },
});

Deno.test({
  name: "volume upload, clone, download show how far they are and move every byte; --no-wait leaves a job",
  ignore,
  fn: async () => {
    await using server = await readyServer({ logLevel: "warn" });
    await using pool = await testPool("cli");
    await until("the pool", async () => {
      const pools = await call(server, "get_storage_pools");
      return pools.some(({ name, state }) => name === pool.name && state === "running");
    }, { seconds: 10, every: 50 });
    await using folder = await testFolder();
    const cli = new CommandLine({ KVMM_SOCKET: server.socket });
    const bytes = new Uint8Array(3 * 1024 * 1024).map((_, at) => (at * 31 + (at >> 9)) & 0xff);
    const [source, copy] = [`${folder.path}/disk.raw`, `${folder.path}/copy.raw`];
    await Deno.writeFile(source, bytes);
    const upload = await cli.run(["volume", "upload", pool.name, "disk.raw", "--from", source]);
    assert.match(done(upload), /^SHA256 +[0-9a-f]{64}$/m);
    assert.match(upload.err, /upload .*\[####################\] 100 % {2}3 MiB of 3 MiB/);
    assert.match(await virsh("vol-list", pool.name), /disk\.raw/);
    const clone = await cli.run(["volume", "clone", pool.name, "disk.raw", "clone.raw"]);
    assert.match(done(clone), /^NAME +clone\.raw$/m);
    const left = await cli.run(["volume", "clone", pool.name, "disk.raw", "left.raw", "--no-wait"]);
    assert.equal(left.status, 0, left.err);
    await until("the copy that was not waited for", async () => {
      return (await virsh("vol-list", pool.name)).includes("left.raw");
    }, { seconds: 10, every: 50 });
    const download = ["volume", "download", pool.name, "clone.raw", "--to", copy];
    done(await cli.run(download));
    assert.deepEqual(await Deno.readFile(copy), bytes);
    const again = await cli.run(download);
    assert.equal(again.status, 2);
    assert.match(again.err, /there already/);
    done(await cli.run([...download, "--yes"]));
    assert.deepEqual(
      (await cli.run(["volume", "download", pool.name, "none", "--to", `${copy}2`])).status,
      4,
    );
    const names = (await Array.fromAsync(Deno.readDir(folder.path))).map(({ name }) => name).sort();
    assert.deepEqual(names, ["copy.raw", "disk.raw"], "nothing half is left");
    assert.match(done(await cli.run(["job", "list"])), /^[0-9a-f]{8}\S+ +done +/m);
  },
});
