/** Our own guest agent: its Go tests, and itself in a guest, spoken to from the host through the virtio channel. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { OwnAgentClient } from "../../agent/guest/own/client.ts";
import { AgentFailure } from "../../agent/guest/own/failure.ts";
import { readIso } from "../../lib/formats/iso9660/read.ts";
import { type AgentPrograms, guestToolsCd } from "../../lib/guest/tools/cd.ts";
import { VERSION } from "../../lib/version.ts";
import { AGENT_ERROR, MAX_LINE } from "../../lib/guest/protocol.ts";
import { GUEST_TARGETS } from "../../lib/guest/tools/targets.ts";
import { buildAgent, goSettings, goVersion } from "../../scripts/guest_agents.ts";
import { ensurePackages } from "../testbed/packages.ts";
import { openAgentChannel } from "../testbed/agent_channel.ts";
import { AGENT_IN_GUEST, buildAgentGuest } from "../testbed/agent_guest.ts";
import { testFolder } from "../testbed/folder.ts";
import { run } from "../testbed/process.ts";
import { virsh } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

const GUEST_SOURCES = new URL("../../guest", import.meta.url).pathname;
const MEBIBYTE = 1024 * 1024;
/** Milliseconds that an emulated guest on a busy machine has for something small. */
const SLOW = { limitMs: 120_000 };

Deno.test({
  name: "the agent passes its own tests, and is small on every system",
  ignore: await requirement("go") !== null,
  async fn() {
    const go = async (env: Record<string, string>, ...args: string[]) => {
      const { success, stdout, stderr } = await new Deno.Command("go", {
        args,
        cwd: GUEST_SOURCES,
        env: { ...goSettings(), ...env },
      })
        .output();
      assert.ok(success, new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr));
    };
    await go({}, "test", "./...");
    await go({ GOOS: "windows" }, "vet", "./...");
    const version = await goVersion();
    assert.ok(version);
    for (const target of GUEST_TARGETS) {
      const program = await Deno.readFile(await buildAgent(target, version));
      assert.ok(program.length <= 4 * MEBIBYTE, `${target.name}: ${program.length} bytes`);
      assert.ok(gzipSync(program).length <= 1.5 * MEBIBYTE, target.name);
      const magic = target.os === "windows" ? "MZ" : "\x7fELF";
      assert.equal(new TextDecoder("latin1").decode(program.subarray(0, magic.length)), magic, target.name);
    }
  },
});

Deno.test({
  name: "the guest tools CD has packages that install, and is the same each time",
  ignore: await requirement("go") !== null,
  async fn() {
    const go = await goVersion();
    assert.ok(go);
    const program = async (index: 0 | 1 | 2) =>
      await Deno.readFile(await buildAgent(GUEST_TARGETS[index], go));
    const programs: AgentPrograms = {
      "linux-x86_64": await program(0),
      "linux-aarch64": await program(1),
      "windows-x86_64": await program(2),
    };
    const tools = {
      programs,
      version: VERSION,
      gzip: (bytes: Uint8Array) => gzipSync(bytes, { level: 9 }),
      digest: (algorithm: string, bytes: Uint8Array) => createHash(algorithm).update(bytes).digest("hex"),
    };
    const cd = guestToolsCd(tools);
    assert.ok(cd.length < 24 * MEBIBYTE, `${cd.length} bytes`);
    assert.deepEqual(guestToolsCd(tools), cd);
    await using folder = await testFolder();
    const files = readIso(cd).files;
    for (const [name, content] of files) await Deno.writeFile(`${folder.path}/${name}`, content);
    const deb = `${folder.path}/kvm-manager-agent_${VERSION}_amd64.deb`, root = `${folder.path}/root`;
    assert.equal((await run(["dpkg-deb", "-f", deb, "Architecture"])).trim(), "amd64");
    await run(["dpkg-deb", "-x", deb, root]);
    // What is in the package runs, and takes the configuration that comes with it
    const installed = `${root}/usr/sbin/kvm-manager-agent`;
    assert.equal((await run([installed, "--version"])).trim(), VERSION);
    await run([installed, "--check", "--config", `${root}/etc/kvm-manager-agent/agent.json`]);
    // And so has the other kind of package, which rpm itself finds whole
    await ensurePackages("rpm");
    const rpm = `${folder.path}/kvm-manager-agent-${VERSION}-1.x86_64.rpm`,
      rpmRoot = `${folder.path}/rpm-root`;
    assert.match(await run(["rpmkeys", "--checksig", rpm]), /digests OK/);
    assert.match(await run(["rpm", "-qip", rpm]), /Architecture: x86_64\n/);
    assert.equal((await run(["rpm", "-qcp", rpm])).trim(), "/etc/kvm-manager-agent/agent.json");
    assert.match(await run(["rpm", "-qp", "--scripts", rpm]), /systemctl disable --now kvm-manager-agent/);
    await Deno.mkdir(rpmRoot);
    await run(["rpm", "--root", rpmRoot, "--nodeps", "--noscripts", "-i", rpm]);
    await run(["rpm", "--root", rpmRoot, "--nodeps", "-V", "kvm-manager-agent"]);
    const fromRpm = `${rpmRoot}/usr/sbin/kvm-manager-agent`;
    assert.deepEqual(await Deno.readFile(fromRpm), await Deno.readFile(installed));
    assert.equal((await run([fromRpm, "--version"])).trim(), VERSION);
    const other = `${folder.path}/kvm-manager-agent-${VERSION}-1.aarch64.rpm`;
    assert.match(await run(["rpm", "-qip", other]), /Architecture: aarch64\n/);
    await run(["sh", "-n", `${folder.path}/install.sh`]);
    await run(["sh", "-n", `${folder.path}/kvm-manager-agent.sysv`]);
    await run(["tar", "-xzf", `${folder.path}/kvm-manager-agent-${VERSION}-linux.tar.gz`, "-C", folder.path]);
    await Deno.stat(`${folder.path}/kvm-manager-agent-${VERSION}/install.sh`);
    assert.match(await Deno.readTextFile(`${folder.path}/install.cmd`), /^@echo off\r\n/);
  },
});

Deno.test({
  name: "the agent in a guest",
  ignore: await requirement("agentGuest") !== null,
  async fn(t) {
    await using vm = await testMachine({
      purpose: "own-agent",
      guest: await buildAgentGuest(),
      agent: false,
      ownAgent: true,
      start: true,
    });
    await vm.waitForBoot();
    /** A conversation; the agent looks every second whether a host is there. */
    const connect = () =>
      until(`the agent of ${vm.name}`, async () => {
        try {
          return await OwnAgentClient.open(await openAgentChannel(vm), 30_000);
        } catch (error) {
          if (error instanceof AgentFailure && error.reason === "silent") return null;
          throw error;
        }
      }, { seconds: 240 });
    // What comes after a step that failed would only wait for its time limits
    let isBroken = false;
    const step = async (name: string, fn: () => Promise<void>) => {
      if (!isBroken) isBroken = !await t.step(name, fn);
    };
    const content = crypto.getRandomValues(new Uint8Array(65_536));
    const pieces = (count: number) => Array.from({ length: count }, () => content);
    const sha256 = (count: number) => {
      const hash = createHash("sha256");
      for (const piece of pieces(count)) hash.update(piece);
      return hash.digest("hex");
    };
    const names = async (agent: OwnAgentClient) =>
      (await agent.call("file_list", { path: "/tmp" }, SLOW)).entries.map(({ name }) => name);

    await step("it answers, and says what it is", async () => {
      await using agent = await connect();
      assert.equal(agent.info.protocol_version, 1);
      assert.equal(agent.info.architecture, "x86_64");
      assert.equal((await agent.call("ping", {}, SLOW)).pong, true);
      const info = await agent.call("guest.get_info", {}, SLOW);
      assert.deepEqual(Object.keys(info).sort(), [
        "agent_version",
        "hostname",
        "ip_addresses",
        "os_type",
        "os_version",
      ]);
      assert.equal(info.os_type, "linux");
      assert.equal((await agent.call("get_system_info", {}, SLOW)).cpu_count, 1);
      const metrics = await agent.call("get_metrics", {}, SLOW);
      assert.equal(metrics.core_percent.length, 1);
      assert.ok(metrics.memory.total > 100 * MEBIBYTE && metrics.processes.length > 0);
      assert.ok(
        (await agent.call("get_processes", {}, SLOW)).processes.some(({ pid }) => pid === agent.info.pid),
      );
      await assert.rejects(agent.call("get_services", {}, SLOW), { code: AGENT_ERROR.Unsupported });
    });

    await step("commands run, and their output is streamed", async () => {
      await using agent = await connect();
      const ran = await agent.exec("sh", {
        ...SLOW,
        args: ["-c", "cat; echo to-err >&2; exit 5"],
        stdin: new TextEncoder().encode("from the host"),
      });
      const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
      assert.deepEqual([ran.exitCode, text(ran.stdout), text(ran.stderr)], [5, "from the host", "to-err\n"]);
      let streamed = 0;
      await agent.exec("head", {
        ...SLOW,
        args: ["-c", "1000000", "/dev/zero"],
        onOutput: (stream, bytes) => streamed += stream === "stdout" ? bytes.length : 0,
      });
      assert.equal(streamed, 1_000_000);
      const cut = await agent.exec("sleep", { ...SLOW, args: ["600"], timeoutMs: 500 });
      assert.ok(cut.timedOut);
      await assert.rejects(agent.exec("/no/such", SLOW), { code: AGENT_ERROR.NotFound });
    });

    await step("files go in and out whole", async () => {
      await using agent = await connect();
      const copied = await agent.copyTo("/tmp/copied", pieces(48), { mode: 0o640 });
      assert.deepEqual(copied, { size: 48 * content.length, sha256: sha256(48) });
      const inside = await agent.exec("sha256sum", { ...SLOW, args: ["/tmp/copied"] });
      assert.equal(new TextDecoder().decode(inside.stdout).split(" ")[0], copied.sha256);
      assert.equal((await agent.call("file_stat", { path: "/tmp/copied" }, SLOW)).mode, 0o640);
      const hash = createHash("sha256");
      for await (const bytes of agent.copyFrom("/tmp/copied")) hash.update(bytes);
      assert.equal(hash.digest("hex"), copied.sha256);
      // Who breaks off a copy leaves nothing, and what was there stays
      const broken = async function* () {
        yield content;
        await Promise.resolve();
        throw new Error("the source broke");
      };
      await assert.rejects(agent.copyTo("/tmp/copied", broken()), /the source broke/);
      await until("half a file to be gone", async () => (await names(agent)).length === 1);
      assert.equal((await agent.call("file_stat", { path: "/tmp/copied" }, SLOW)).size, 48 * content.length);
    });

    await step("it is small in memory", async () => {
      await using agent = await connect();
      const { stdout } = await agent.exec("cat", { ...SLOW, args: [`/proc/${agent.info.pid}/status`] });
      const kib = Number(/VmRSS:\s+(\d+) kB/.exec(new TextDecoder().decode(stdout))?.[1]);
      console.log(`resident: ${kib} KiB`);
      assert.ok(kib > 0 && kib <= 10 * 1024, `${kib} KiB`);
    });

    await step("garbage does not stop it, and the next host finds it well", async () => {
      const conn = await openAgentChannel(vm);
      const junk = crypto.getRandomValues(new Uint8Array(65_536));
      const writer = conn.writable.getWriter(), reader = conn.readable.getReader();
      // What it answers is taken, so that it can go on
      const reading = (async () => {
        while (!(await reader.read()).done);
      })().catch(() => {});
      for (let n = 0; n < 16; n++) await writer.write(junk);
      for (let sent = 0; sent < 4 * MAX_LINE; sent += junk.length) {
        await writer.write(new Uint8Array(junk.length).fill(0x78));
      }
      await writer.write(new TextEncoder().encode('\n{"jsonrpc":"2.0","id":1,"method":"exec_command","par'));
      await writer.abort().catch(() => {});
      await reader.cancel().catch(() => {});
      await reading;
      await using agent = await connect();
      assert.equal((await agent.call("ping", {}, SLOW)).pong, true);
    });

    await step("a host that leaves in the middle of a copy leaves nothing behind", async () => {
      const leaver = await connect();
      const opened = await leaver.call("file_open", { path: "/tmp/half", write: true }, SLOW);
      await leaver.call("chunk_write", { handle: opened.handle, offset: 0, data: content.toBase64() }, SLOW);
      const running = leaver.exec("sleep", { ...SLOW, args: ["1234"] });
      running.catch(() => {});
      await until(
        "half a file",
        async () => (await names(leaver)).some((name) => name.endsWith(".kvmm-partial")),
      );
      await leaver.close();
      await assert.rejects(running, { reason: "closed" });
      await using agent = await connect();
      await until("half a file to be gone", async () => (await names(agent)).length === 1);
      await until("what it ran to be ended", async () => {
        const { processes } = await agent.call("get_processes", {}, SLOW);
        return !processes.some(({ command }) => command === "sleep 1234");
      });
    });

    await step("killed in the middle of a copy, it comes back, and half a file is named so", async () => {
      const agent = await connect();
      const { pid } = agent.info;
      const opened = await agent.call("file_open", { path: "/tmp/half", write: true }, SLOW);
      await agent.call("chunk_write", { handle: opened.handle, offset: 0, data: content.toBase64() }, SLOW);
      await agent.exec("kill", { args: ["-9", String(pid)], limitMs: 10_000 }).catch(() => {});
      await agent.close();
      await using next = await connect();
      assert.notEqual(next.info.pid, pid);
      const left = await names(next);
      assert.ok(
        !left.includes("half") && left.some((name) => /^\.half\..*\.kvmm-partial$/.test(name)),
        String(left),
      );
    });

    await step("a guest whose CPUs stand still costs one limit", async () => {
      await using agent = await connect();
      await agent.exec("true", SLOW);
      assert.equal((await agent.call("file_stat", { path: AGENT_IN_GUEST }, SLOW)).type, "file");
      await virsh("suspend", vm.name);
      const began = performance.now();
      await assert.rejects(agent.call("ping", {}, { limitMs: 500 }), { reason: "silent" });
      await assert.rejects(agent.call("ping", {}, { limitMs: 60_000 }), { reason: "silent" });
      assert.ok(performance.now() - began < 30_000);
      await virsh("resume", vm.name);
      await using later = await (await agent.close(), connect());
      assert.equal((await later.call("ping", {}, SLOW)).pong, true);
    });

    await step("it shuts the guest down", async () => {
      await using agent = await connect();
      await agent.call("shutdown", {}, SLOW);
      await vm.waitFor("shut off", { seconds: 240 });
    });
  },
});
