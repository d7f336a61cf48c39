/** Inside guests, through QEMU's guest agent: what a real one tells and does; and what one that lies or hangs costs. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { connectChannel } from "../testbed/agent_channel.ts";
import { CommandLine } from "../testbed/command_line.ts";
import { testFolder } from "../testbed/folder.ts";
import { LyingAgent } from "../testbed/lying_agent.ts";
import { testMachine } from "../testbed/machine.ts";
import { filesOf } from "../testbed/names.ts";
import { asRoot, personWith } from "../testbed/people.ts";
import { call, checkOutput, known, readyServer, refusal, refused, shows } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("guest") !== null;
const MIB = 2 ** 20;
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

Deno.test({
  name: "a guest is asked, changed and copied to and from through its agent",
  ignore,
  fn: async (t) => {
    await using vm = await testMachine({ purpose: "guest", start: true, disks: [{}] });
    await using server = await readyServer();
    const vmId = vm.uuid;
    await known(server, vmId);
    await vm.waitForAgent();
    await shows(server, vmId, (now) => now.guestAgent === "connected");
    const read = async (path: string) => (await call(server, "guest_read_file", { vmId, path })).content;
    const place = (path: string) =>
      `${server.url}/api/v1/vms/${vmId}/guest/content?path=${encodeURIComponent(path)}`;

    await t.step("what the guest says of itself", async () => {
      const status = await call(server, "guest_agent_status", { vmId });
      assert.deepEqual([status.installed, status.connected], [true, true]);
      assert.match(status.version!, /^\d+\.\d+/);
      const missing = status.abilities.filter(({ available }) => !available);
      assert.deepEqual(
        missing.map(({ ability }) => ability),
        ["processes", "services", "service-control", "packages", "security", "metadata"],
        "what KVM Manager's own agent alone can do",
      );
      for (const { reason, remedy } of missing) {
        assert.match(`${reason} ${remedy}`, /KVM Manager.*guest tools/);
      }
      await refused(call(server, "guest_get_services", { vmId }), "GuestUnavailable", /guest tools/);
      const info = await call(server, "guest_get_info", { vmId });
      assert.equal(info.hostname, vm.name);
      assert.equal(info.osType, "linux");
      assert.match(info.kernelVersion!, /cloud-amd64/);
      assert.deepEqual(await call(server, "guest_get_users", { vmId }), []);
      const { memoryTotalMb, cores, diskIo } = await call(server, "guest_get_metrics", { vmId });
      assert.ok(memoryTotalMb > 100 && memoryTotalMb <= 256, `${memoryTotalMb} MB`);
      assert.equal(cores.length, 1);
      assert.ok(diskIo.some(({ name }) => name === "vda"));
    });

    await t.step(
      "programs: arguments, environment, input, exit status, time limit, bounded output",
      async () => {
        const { stdout, stderr, exitCode } = await call(server, "guest_exec", {
          vmId,
          command: "sh",
          args: ["-c", 'printf "%s|" "$@"; echo "$X" >&2; cat; exit 7', "sh", "a b", "$(id)", "'"],
          env: ["X=1  2"],
          stdin: "from input",
        });
        assert.deepEqual([stdout, stderr, exitCode], ["a b|$(id)|'|from input", "1  2\n", 7]);
        const late = await call(server, "guest_exec", { vmId, command: "sleep", args: ["300"], seconds: 2 });
        assert.deepEqual([late.timedOut, late.exitCode], [true, 124]);
        const endless = await call(server, "guest_exec", {
          vmId,
          command: "yes",
          encoding: "base64",
          seconds: 60,
        });
        assert.equal(endless.stdoutTruncated, true);
        assert.equal(atob(endless.stdout).length, MIB);
        const missing = await call(server, "guest_exec", { vmId, command: "no-such-program" });
        assert.equal(missing.exitCode, 127);
        const stdin = "x".repeat(200_000);
        await refused(call(server, "guest_exec", { vmId, command: "cat", stdin }), "InvalidInput", /128 KiB/);
      },
    );

    await t.step("files: written, appended to, listed, read; names that are no commands", async () => {
      const path = "/tmp/-n $(id)\u00e4 'b";
      await call(server, "guest_write_file", { vmId, path, content: "one\n" });
      await call(server, "guest_write_file", { vmId, path, content: "two\n", append: true });
      assert.equal(await read(path), "one\ntwo\n");
      assert.deepEqual(
        await call(server, "guest_read_file", { vmId, path, offset: 4, length: 2 }),
        { content: "tw", length: 2, isEnd: false },
      );
      const odd = "/tmp/x\n81a4 9 0 root root nothing";
      await call(server, "guest_exec", { vmId, command: "touch", args: [odd] });
      const { files } = await call(server, "guest_list_files", { vmId, path: "/tmp" });
      const names = files.map(({ name }) => `/tmp/${name}`);
      assert.deepEqual(names, [path, odd].sort(), "no file is made up, and none is left unfinished");
      assert.deepEqual([files[0]!.kind, files[0]!.size, files[0]!.mode], ["file", 8, "0644"]);
      assert.match(await read("/proc/meminfo"), /^MemTotal:/);
      await refused(call(server, "guest_read_file", { vmId, path: "/nope" }), "GuestFileNotFound");
      await refused(call(server, "guest_list_files", { vmId, path: "/nope" }), "GuestFileNotFound");
      await refused(call(server, "guest_write_file", { vmId, path: "/tmp", content: "" }), "GuestFileDenied");
    });

    await t.step("content is copied in and out, whole or not at all", async () => {
      const bytes = crypto.getRandomValues(new Uint8Array(65_536));
      const body = new Uint8Array(2 * MIB + 3);
      for (let at = 0; at < body.length; at += bytes.length) {
        body.set(bytes.subarray(0, Math.min(bytes.length, body.length - at)), at);
      }
      const put = async (path: string, query = "") => {
        const answer = await fetch(place(path) + query, { method: "PUT", body });
        return [answer.status, await answer.json()];
      };
      const [status, copied] = await put("/tmp/big", "&mode=0750");
      assert.equal(status, 200, JSON.stringify(copied));
      checkOutput("guest_copy_to", copied);
      assert.deepEqual([copied.sha256, copied.verified, copied.size], [sha256(body), true, body.length]);
      const back = await fetch(place("/tmp/big"));
      assert.equal(back.headers.get("content-length"), String(body.length));
      assert.equal(sha256(await back.bytes()), sha256(body));
      const part = await fetch(place("/tmp/big"), { headers: { range: "bytes=-3" } });
      assert.equal(part.status, 206);
      assert.deepEqual(await part.bytes(), body.subarray(-3));
      const wrong = "0".repeat(64);
      assert.equal((await put("/tmp/other", `&checksum=${wrong}`))[1].code, "ChecksumMismatch");
      const { files } = await call(server, "guest_list_files", { vmId, path: "/tmp" });
      const [big] = files.filter(({ name }) => /big|other/.test(name));
      assert.deepEqual([big?.name, big?.mode], ["big", "0750"], "nothing is left of the other");
      assert.equal(files.filter(({ name }) => /big|other/.test(name)).length, 1);
    });

    await t.step("the command line: exit status of the program, its input; files in and out", async () => {
      const cli = new CommandLine({ KVMM_SOCKET: server.socket });
      const run = await cli.run([
        "vm",
        "exec",
        vm.name,
        "-i",
        "--",
        "sh",
        "-c",
        "cat; echo -n no >&2; exit 9",
      ], "in");
      assert.deepEqual([run.status, run.out, run.err], [9, "in", "no"]);
      await using here = await testFolder();
      await Deno.writeTextFile(`${here.path}/app.conf`, "x = 1\n", { mode: 0o600 });
      const said = await cli.run(["vm", "cp", `${here.path}/app.conf`, `${vm.name}:/tmp/`]);
      assert.equal(said.status, 0, said.err);
      const back = await cli.run(["vm", "cp", `${vm.name}:/tmp/app.conf`, `${here.path}/back`]);
      assert.deepEqual([back.status, await Deno.readTextFile(`${here.path}/back`)], [0, "x = 1\n"], back.err);
      const mode = await cli.run(["vm", "exec", vm.name, "--", "stat", "-c", "%a", "/tmp/app.conf"]);
      assert.equal(mode.out.trim(), "600");
      const missing = await cli.run(["vm", "cp", `${vm.name}:/nope`, `${here.path}/nope`]);
      assert.equal(missing.status, 4, missing.err);
      assert.equal((await cli.run(["vm", "ssh-key", "add", vm.name, `${here.path}/none.pub`])).status, 2);
    });

    await t.step("clock, passwords and SSH keys", async () => {
      // What this guest lacks: accounts, and the programs that its agent calls.
      const script = async (path: string, content: string) => {
        await call(server, "guest_write_file", { vmId, path, content });
        await call(server, "guest_exec", { vmId, command: "chmod", args: ["755", path] });
      };
      await script("/sbin/hwclock", "#!/bin/sh\n");
      await script("/bin/chpasswd", "#!/bin/sh\ncat >/tmp/given\n");
      await call(server, "guest_write_file", {
        vmId,
        path: "/etc/passwd",
        content: "root:x:0:0::/tmp:/bin/sh\n",
      });
      await call(server, "guest_set_time", { vmId, time: Date.UTC(2031, 4, 6) });
      const { stdout } = await call(server, "guest_exec", { vmId, command: "date", args: ["+%Y-%m"] });
      assert.equal(stdout.trim(), "2031-05");
      await call(server, "guest_set_time", { vmId });
      await call(server, "guest_set_password", { vmId, user: "root", password: "corr\u00e4ct horse" });
      assert.equal((await read("/tmp/given")).trim(), "root:corr\u00e4ct horse");
      const key = `ssh-ed25519 ${btoa("k".repeat(51))} ann@laptop`;
      const change = (change: "add" | "remove") =>
        call(server, "guest_change_ssh_keys", { vmId, user: "root", change, sshKeys: [key] });
      await change("add");
      assert.deepEqual(await call(server, "guest_ssh_keys", { vmId, user: "root" }), [{ key }]);
      await change("remove");
      assert.deepEqual(await call(server, "guest_ssh_keys", { vmId, user: "root" }), []);
      await refused(call(server, "guest_ssh_keys", { vmId, user: "nobody" }), "GuestRefused");
    });

    await t.step("the audit log has arguments, and no content, input or password", async () => {
      const text = JSON.stringify(await asRoot(server, "get_audit_log", { limit: 200 }));
      for (const known of ["no-such-program", "/tmp/big", "guest_read_file", "guest_copy_from", "300"]) {
        assert.ok(text.includes(known), known);
      }
      for (const secret of ["from input", "1  2", "two\\\\n", "ct horse"]) {
        assert.ok(!text.includes(secret), secret);
      }
    });

    await t.step(
      "an operator freezes; programs, files and accounts are an administrator's, or a role's",
      async () => {
        await asRoot(server, "create_role", { role: "runner", permissions: ["vms.view", "guest.exec"] });
        const on = { kind: "vm", vmId } as const;
        const operator = await personWith(server, "olaf", [{ role: "operator", on }]);
        const runner = await personWith(server, "rita", [{ role: "runner", on }]);
        const viewer = await personWith(server, "vera", [{ role: "viewer", on }]);
        assert.equal((await viewer.call("guest_get_info", { vmId })).hostname, vm.name);
        for (const who of [operator, viewer]) {
          await refused(who.call("guest_exec", { vmId, command: "true" }), "Forbidden");
        }
        assert.equal((await runner.call("guest_exec", { vmId, command: "true" })).exitCode, 0);
        await refused(runner.call("guest_read_file", { vmId, path: "/init" }), "Forbidden");
        const { thawsAt } = await operator.call("guest_freeze", { vmId, seconds: 30 });
        assert.ok(thawsAt > Date.now());
        const frozen = await call(server, "guest_agent_status", { vmId });
        assert.equal(frozen.frozenUntil, thawsAt);
        await refused(call(server, "guest_exec", { vmId, command: "true" }), "GuestUnavailable", /frozen/);
        await operator.call("guest_thaw", { vmId });
        assert.equal((await runner.call("guest_exec", { vmId, command: "true" })).exitCode, 0);
      },
    );
  },
});

Deno.test({
  name: "an agent that lies or hangs costs one time limit; a frozen guest thaws, whatever happens to us",
  ignore,
  fn: async (t) => {
    await using vm = await testMachine({ purpose: "lying-guest", memoryMiB: 128 });
    await using agent = await LyingAgent.listen(filesOf(vm.name));
    const commands = ["guest-info", "guest-get-osinfo", "guest-exec", "guest-exec-status", "guest-file-open"];
    const supported = [...commands, "guest-fsfreeze-freeze", "guest-fsfreeze-thaw"]
      .map((name) => ({ name, enabled: true, "success-response": true }));
    /** Answers as an agent does; a test replaces some of it. */
    const answers: Record<string, unknown> = {
      "guest-info": { return: { version: "1\u202e\u0007<b>", supported_commands: supported } },
      "guest-get-osinfo": { return: { id: "debian" } },
      "guest-fsfreeze-freeze": { return: 2 },
      "guest-fsfreeze-thaw": { return: 2 },
    };
    agent.lie = (command) => command in answers ? answers[command] : { return: {} };
    await connectChannel(vm, agent.path);
    await vm.start();
    await using data = await testFolder();
    let server = await readyServer({ dataDir: data.path });
    await using stack = new AsyncDisposableStack();
    stack.defer(() => server[Symbol.asyncDispose]());
    const vmId = vm.uuid;
    await shows(server, vmId, (now) => now.guestAgent === "connected", { seconds: 240 });

    await t.step("lies are refused, and what is shown of them is harmless", async () => {
      const status = await call(server, "guest_agent_status", { vmId });
      assert.equal(status.version, "1␣<b>");
      for (const pid of ["x", 1e99, null, { a: [1] }]) {
        answers["guest-exec"] = { return: { pid } };
        await refused(call(server, "guest_exec", { vmId, command: "id" }), "GuestRefused", /makes no sense/);
      }
      answers["guest-exec"] = { return: { pid: 7 } };
      for (
        const lie of [{ exited: 1 }, { "exited": true, "out-data": "%%%" }, { "exited": true, "out-data": 5 }]
      ) {
        answers["guest-exec-status"] = { return: lie };
        await refused(call(server, "guest_exec", { vmId, command: "id" }), "GuestRefused");
      }
      answers["guest-exec-status"] = { return: { "exited": true, "out-data": "A".repeat(3_950_000) } };
      await refused(call(server, "guest_exec", { vmId, command: "id" }), "GuestOutputLost");
      answers["guest-exec"] = { error: { class: "x", desc: "\u001b]52;c;eA==\u0007no" } };
      const { code, message } = await refusal(call(server, "guest_exec", { vmId, command: "id" }));
      assert.equal(code, "GuestRefused");
      assert.match(message, /^The guest agent said no: [\x20-\x7e␣]*no$/u);
    });

    await t.step("frozen by us, and we are killed: the next run thaws it", async () => {
      await call(server, "guest_freeze", { vmId, seconds: 600 });
      assert.equal(agent.asked.get("guest-fsfreeze-freeze"), 1);
      await server.kill();
      await server[Symbol.asyncDispose]();
      assert.equal(agent.asked.get("guest-fsfreeze-thaw"), undefined);
      server = await readyServer({ dataDir: data.path });
      await until("it to be thawed", () => Promise.resolve(agent.asked.has("guest-fsfreeze-thaw")), {
        seconds: 60,
      });
      await until("that to be told", async () => {
        const told = await call(server, "get_activity", { vmId });
        return told.some(({ action, message = "" }) => action === "guest_freeze" && /Thawed/.test(message));
      });
    });

    await t.step("it thaws at its time", async () => {
      const thaws = () => agent.asked.get("guest-fsfreeze-thaw") ?? 0, before = thaws();
      await call(server, "guest_freeze", { vmId, seconds: 1 });
      await until("it to be thawed", () => Promise.resolve(thaws() > before));
      await until(
        "that to be known",
        async () => (await call(server, "guest_agent_status", { vmId })).frozenUntil === undefined,
      );
    });

    await t.step("it hangs: ten questions cost one time limit, and other calls do not wait", async () => {
      for (const command of Object.keys(answers)) answers[command] = undefined;
      const began = performance.now();
      const asked = Array.from(
        { length: 10 },
        () => refusal(call(server, "guest_exec", { vmId, command: "id" })),
      );
      for (let at = 0; at < 5; at++) {
        const from = performance.now();
        await call(server, "get_vms");
        assert.ok(performance.now() - from < 1000);
      }
      const codes = new Set((await Promise.all(asked)).map(({ code }) => code));
      assert.deepEqual(
        [...codes].filter((code) => code !== "GuestUnavailable" && code !== "GuestSilent"),
        [],
      );
      assert.ok(performance.now() - began < 25_000, `${performance.now() - began} ms`);
    });
  },
});
