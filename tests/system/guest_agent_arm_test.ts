/** The guest agent's build for 64-bit ARM, under QEMU's emulation of that processor: its own tests, programs, files, information. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import vectors from "../../guest/vectors.json" with { type: "json" };
import { goSettings } from "../../scripts/guest_agents.ts";
import { agentProgram, builtFor, SLOW } from "../testbed/agent_program.ts";
import { testFolder } from "../testbed/folder.ts";
import { run } from "../testbed/process.ts";
import { requirement } from "../testbed/skip.ts";

const EMULATOR = "qemu-aarch64-static";
const GUEST_SOURCES = new URL("../../guest", import.meta.url).pathname;
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

Deno.test({
  name: "the ARM build of the guest agent, under emulation",
  ignore: await requirement("go", "qemuUser") !== null,
  fn: async (t) => {
    await using folder = await testFolder();
    const program = await builtFor("linux-aarch64");

    await t.step("it is a static program for that processor", async () => {
      const header = await Deno.readFile(program);
      // ELF, 64 bits; EM_AARCH64; no PT_INTERP, which names a loader
      assert.deepEqual([...header.subarray(0, 5)], [0x7f, 0x45, 0x4c, 0x46, 2]);
      const view = new DataView(header.buffer);
      assert.equal(view.getUint16(18, true), 183);
      const [at, size, count] = [
        Number(view.getBigUint64(32, true)),
        view.getUint16(54, true),
        view.getUint16(56, true),
      ];
      const kinds = Array.from({ length: count }, (_, index) => view.getUint32(at + index * size, true));
      assert.ok(kinds.includes(1) && !kinds.includes(3), String(kinds));
    });

    await t.step("what it is asked and answers is as the vectors have it", async () => {
      const line = `${vectors.to_agent.map(({ line }) => line).join("\n")}\n`;
      const config = `${folder.path}/agent.json`;
      await Deno.writeTextFile(config, JSON.stringify({ methods_denied: ["get_users"] }));
      const expected = vectors.to_agent.map(({ answer }) => answer).filter((answer) => answer !== "");
      const child = new Deno.Command(EMULATOR, {
        args: [program, "--config", config, "--stdio"],
        stdin: "piped",
        stdout: "piped",
        stderr: "null",
      }).spawn();
      const asking = child.stdin.getWriter();
      await asking.write(new TextEncoder().encode(line));
      // Requests are worked on in parallel, and end with the line: it stays until all are answered
      const late = setTimeout(() => child.kill("SIGKILL"), SLOW.limitMs);
      let said = "", isAsking = true;
      for await (const piece of child.stdout) {
        said += text(piece);
        if (!isAsking || said.split("\n").length <= expected.length) continue;
        isAsking = false;
        await asking.close();
      }
      clearTimeout(late);
      await child.status;
      assert.deepEqual(said.trimEnd().split("\n").toSorted(), expected.toSorted());
    });

    await t.step("its own tests", async () => {
      await run(["go", "test", "-count=1", "-exec", EMULATOR, "./internal/..."], {
        cwd: GUEST_SOURCES,
        env: { ...goSettings(), HOME: Deno.env.get("HOME") ?? "/root", GOOS: "linux", GOARCH: "arm64" },
      });
    });

    await using there = await agentProgram([EMULATOR, program]);
    const { client } = there;

    await t.step("it says what it is", async () => {
      assert.deepEqual([client.info.os_type, client.info.architecture], ["linux", "aarch64"]);
      const system = await client.call("get_system_info", {}, SLOW);
      assert.ok(system.memory_total > 1024 ** 2 && system.cpu_count >= 1, JSON.stringify(system));
      await client.call("get_disk_usage", {}, SLOW);
      const { interfaces } = await client.call("get_network_info", {}, SLOW);
      assert.ok(interfaces.some(({ name }) => name === "lo"), JSON.stringify(interfaces));
      const { processes } = await client.call("get_processes", {}, SLOW);
      assert.ok(processes.some(({ pid }) => pid === client.info.pid));
      assert.ok((await client.call("get_metrics", {}, SLOW)).memory.total > 1024 ** 2);
    });

    await t.step(
      "programs: arguments, environment, input, exit status, output as it comes, time limit",
      async () => {
        const ran = await client.exec("sh", {
          ...SLOW,
          args: ["-c", 'cat; echo "$WHO $1" >&2; exit 7', "sh", "a  b"],
          env: { WHO: "me" },
          stdin: new TextEncoder().encode("in"),
        });
        assert.deepEqual([ran.exitCode, text(ran.stdout), text(ran.stderr)], [7, "in", "me a  b\n"]);
        const parts: string[] = [];
        await client.exec("sh", {
          ...SLOW,
          args: ["-c", "for n in 1 2 3; do echo $n; done"],
          onOutput: (_stream, bytes) => parts.push(text(bytes)),
        });
        assert.equal(parts.join(""), "1\n2\n3\n");
        const late = await client.exec("sh", {
          ...SLOW,
          args: ["-c", "sleep 60 & sleep 60"],
          timeoutMs: 500,
        });
        assert.equal(late.timedOut, true);
      },
    );

    await t.step("files go in and out whole, with their mode", async () => {
      const place = `${folder.path}/copied \u00e4`;
      const content = new Uint8Array(3_000_000).map((_, at) => at * at % 251);
      const sha256 = createHash("sha256").update(content).digest("hex");
      assert.equal((await client.copyTo(place, [content], { ...SLOW, mode: 0o640 })).sha256, sha256);
      assert.equal((await Deno.stat(place)).mode! & 0o777, 0o640);
      const hash = createHash("sha256");
      for await (const part of client.copyFrom(place, SLOW)) hash.update(part);
      assert.equal(hash.digest("hex"), sha256);
      const { entries } = await client.call("file_list", { path: folder.path }, SLOW);
      assert.ok(entries.some(({ name, size }) => name === "copied \u00e4" && size === content.length));
      await client.call("file_remove", { path: place }, SLOW);
    });
  },
});
