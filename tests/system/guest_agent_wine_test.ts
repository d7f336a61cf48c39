/** The guest agent's Windows build under wine: its line, programs, files, information, configuration and service. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { AgentFailure } from "../../agent/guest/own/failure.ts";
import { AGENT_ERROR } from "../../lib/guest/protocol.ts";
import { goSettings } from "../../scripts/guest_agents.ts";
import { agentProgram, builtFor, SLOW } from "../testbed/agent_program.ts";
import { run } from "../testbed/process.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";
import { type Wine, wineHere } from "../testbed/wine.ts";

const GUEST_SOURCES = new URL("../../guest", import.meta.url).pathname;
const SERVICE = "kvm-manager-agent";
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

const agentIn = (wine: Wine, program: string, ...args: string[]) =>
  agentProgram(["wine", program, ...args], wine.env);

const refusedWith = (code: number) => (error: AgentFailure) => {
  assert.equal(error.code, code, error.message);
  return true;
};

Deno.test({
  name: "the Windows build of the guest agent, under wine",
  ignore: await requirement("go", "wine") !== null,
  fn: async (t) => {
    await using wine = await wineHere();
    const folder = `${wine.drive}/agent`;
    await Deno.mkdir(folder);
    await Deno.copyFile(await builtFor("windows-x86_64"), `${folder}/${SERVICE}.exe`);
    const program = `C:\\agent\\${SERVICE}.exe`;
    // While it is there, wine's services go on
    await using there = await agentIn(wine, program);
    const { client } = there;

    await t.step(
      "the line is read and written at the same time, and a host that leaves is noticed",
      async () => {
        await run(["go", "test", "-count=1", "-exec", "wine", "./internal/port", "./internal/wire"], {
          cwd: GUEST_SOURCES,
          env: { ...goSettings(), ...wine.env, HOME: Deno.env.get("HOME") ?? "/root", GOOS: "windows" },
        });
      },
    );

    await t.step("it says what it is, and what it cannot do there", async () => {
      assert.equal(client.info.os_type, "windows");
      const system = await client.call("get_system_info", {}, SLOW);
      assert.match(system.os_version, /Windows/);
      assert.ok(system.memory_total > 1024 ** 2 && system.cpu_count >= 1);
      const { filesystems } = await client.call("get_disk_usage", {}, SLOW);
      assert.ok(filesystems.some(({ mount_point }) => /^C:/i.test(mount_point)), JSON.stringify(filesystems));
      await client.call("get_network_info", {}, SLOW);
      const { memory } = await client.call("get_metrics", {}, SLOW);
      assert.ok(memory.total > 1024 ** 2);
      const { services } = await client.call("get_services", {}, SLOW);
      assert.ok(services.some(({ state }) => state === "running"), JSON.stringify(services).slice(0, 400));
      for (const method of ["fs_freeze", "get_packages"] as const) {
        await assert.rejects(client.call(method, {}, SLOW), refusedWith(AGENT_ERROR.Unsupported));
      }
    });

    await t.step(
      "programs: arguments, environment, input, exit status, output as it comes, time limit",
      async () => {
        const said = await client.exec("cmd.exe", {
          ...SLOW,
          args: ["/c", "echo %WHO%& echo oh 1>&2& exit /b 7"],
          env: { WHO: "two words" },
        });
        assert.deepEqual([said.exitCode, text(said.stdout).trim(), text(said.stderr).trim()], [
          7,
          "two words",
          "oh",
        ]);
        // The agent itself: wine has little else that reads its input
        const ping = new TextEncoder().encode('{"jsonrpc":"2.0","id":1,"method":"ping"}\n');
        const answered = await client.exec(program, { ...SLOW, args: ["--stdio"], stdin: ping });
        assert.match(text(answered.stdout), /"pong":true/);
        const parts: string[] = [];
        await client.exec("cmd.exe", {
          ...SLOW,
          args: ["/c", "for /L %i in (1,1,3) do @echo %i"],
          onOutput: (_stream, bytes) => parts.push(text(bytes)),
        });
        assert.deepEqual(parts.join("").trim().split(/\r?\n/), ["1", "2", "3"]);
        const long = await client.exec("ping.exe", {
          ...SLOW,
          args: ["-n", "60", "127.0.0.1"],
          timeoutMs: 1500,
        });
        assert.equal(long.timedOut, true);
        await assert.rejects(client.exec("nope.exe", SLOW), refusedWith(AGENT_ERROR.NotFound));
        await assert.rejects(
          client.call("exec_command", { command: "cmd.exe", user: "ann" }, SLOW),
          refusedWith(AGENT_ERROR.Unsupported),
        );
      },
    );

    await t.step("files go in and out whole, and replace what was there in one step", async () => {
      const bytes = crypto.getRandomValues(new Uint8Array(60_000));
      const content = new Uint8Array(3_000_000).map((_, at) => bytes[at % bytes.length]!);
      const sha256 = createHash("sha256").update(content).digest("hex");
      for (const path of ["C:\\agent\\copied ä.bin", "C:\\agent\\copied ä.bin"]) {
        assert.equal((await client.copyTo(path, [content], SLOW)).sha256, sha256);
      }
      const hash = createHash("sha256");
      for await (const part of client.copyFrom("C:\\agent\\copied ä.bin", SLOW)) hash.update(part);
      assert.equal(hash.digest("hex"), sha256);
      assert.deepEqual(await Deno.readFile(`${folder}/copied ä.bin`), content);
      const names = (await client.call("file_list", { path: "C:\\agent" }, SLOW)).entries.map(({ name }) =>
        name
      );
      assert.deepEqual(names.toSorted(), ["copied ä.bin", `${SERVICE}.exe`].toSorted());
      await client.call("file_rename", { from: "C:\\agent\\copied ä.bin", to: "C:\\agent\\b" }, SLOW);
      await client.call("file_remove", { path: "C:\\agent\\b" }, SLOW);
      await assert.rejects(
        client.call("file_stat", { path: "C:\\agent\\b" }, SLOW),
        refusedWith(AGENT_ERROR.NotFound),
      );
    });

    await t.step("values are left both ways", async () => {
      await client.call("set_metadata", { key: "role", value: "web" }, SLOW);
      assert.deepEqual(JSON.parse(await wine.run(program, "metadata")), { role: "web" });
    });

    await t.step("its configuration binds, and one with a mistake stops it", async () => {
      const config = (rules: unknown) => Deno.writeTextFile(`${folder}/agent.json`, JSON.stringify(rules));
      const file = ["--config", "C:\\agent\\agent.json"];
      await config({
        commands_denied: ["cmd"],
        paths_denied: ["C:\\windows"],
        log: { file: "C:\\agent\\log" },
      });
      {
        await using bound = await agentIn(wine, program, ...file);
        await assert.rejects(bound.client.exec("cmd.exe", SLOW), refusedWith(AGENT_ERROR.Denied));
        for (const path of ["C:\\windows\\win.ini", "c:/WINDOWS/win.ini"]) {
          await assert.rejects(
            bound.client.call("file_read", { path }, SLOW),
            refusedWith(AGENT_ERROR.Denied),
          );
        }
      }
      assert.match(await Deno.readTextFile(`${folder}/log`), /file_read .*win\.ini/);
      await config({ read_only: true });
      {
        await using bound = await agentIn(wine, program, ...file);
        await assert.rejects(bound.client.exec("cmd.exe", SLOW), refusedWith(AGENT_ERROR.Denied));
      }
      await wine.run(program, "--check", ...file);
      await config({ read_onyl: true });
      await assert.rejects(wine.run(program, "--check", ...file), /read_onyl/);
    });

    await t.step("it is a service: started, told of, stopped", async () => {
      const state = async () => /STATE\s*:\s*\d+\s+(\w+)/.exec(await wine.run("sc", "query", SERVICE))?.[1];
      // A port that is not there: wine would have it open one of this machine
      const command = `${program} --service --port \\\\.\\pipe\\not-there`;
      await wine.run("sc", "create", SERVICE, "binPath=", command, "start=", "demand");
      await wine.run("sc", "start", SERVICE);
      await until("the service to run", async () => await state() === "RUNNING");
      const log = `${wine.drive}/users/Public/KVM Manager Agent/agent.log`;
      await until(
        "it to wait for its port",
        async () => /waiting for the port/.test(await Deno.readTextFile(log).catch(() => "")),
      );
      await wine.run("sc", "stop", SERVICE);
      await until("the service to stop", async () => await state() === "STOPPED");
      await wine.run("sc", "delete", SERVICE);
      await assert.rejects(wine.run(program, "--service"), /StartServiceCtrlDispatcher/);
    });
  },
});
