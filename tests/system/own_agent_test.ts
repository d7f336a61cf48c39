/** Inside guests through KVM Manager's own agent: alone, together with QEMU's, plugged in later, killed, and one that lies. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import vectors from "../../guest/vectors.json" with { type: "json" };
import type { AgentStatus } from "../../lib/contract/mod.ts";
import { readIso } from "../../lib/formats/iso9660/read.ts";
import { AGENT_RESULTS } from "../../lib/guest/results.ts";
import { connectChannel } from "../testbed/agent_channel.ts";
import { AGENT_IN_GUEST, buildAgentGuest } from "../testbed/agent_guest.ts";
import { buildCloudGuest } from "../testbed/cloud_guest.ts";
import { testFolder } from "../testbed/folder.ts";
import { ensureGuestTools } from "../testbed/guest_tools.ts";
import { LyingOwnAgent, type OwnRequest } from "../testbed/lying_own_agent.ts";
import { testMachine } from "../testbed/machine.ts";
import { claimedVm } from "../testbed/claimed_vm.ts";
import { filesOf } from "../testbed/names.ts";
import { run } from "../testbed/process.ts";
import { asRoot, personWith } from "../testbed/people.ts";
import { call, known, readyServer, refusal, refused } from "../testbed/product.ts";
import { CallError, type TestServer } from "../testbed/server.ts";
import { removeSeeds } from "../testbed/removal.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("agentGuest") !== null;
const MIB = 2 ** 20;
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

const stateOf = ({ agents }: AgentStatus, kind: AgentStatus["agents"][number]["agent"]) =>
  agents.find(({ agent }) => agent === kind)?.state;

/** Waits until an agent is in a state. */
const agentIs = (
  server: TestServer,
  vmId: string,
  kind: AgentStatus["agents"][number]["agent"],
  state: AgentStatus["agents"][number]["state"],
) =>
  until(
    `${kind} to be ${state}`,
    async () => stateOf(await call(server, "guest_agent_status", { vmId }), kind) === state,
    { seconds: 240 },
  );

/** Agents by the abilities that they provide. */
const doing = ({ abilities }: AgentStatus) =>
  Object.fromEntries(abilities.map(({ ability, agent }) => [ability, agent]));

Deno.test({
  name: "our agent alone: the VM has the channel from its next start on, and everything goes by it",
  ignore,
  fn: async (t) => {
    await ensureGuestTools();
    await using vm = await testMachine({
      purpose: "own",
      guest: await buildAgentGuest(),
      agent: false,
      start: true,
      disks: [{}],
    });
    await using server = await readyServer();
    const vmId = vm.uuid;
    await known(server, vmId);
    await vm.waitForBoot();

    await t.step("without any agent everything says why, and how to get it", async () => {
      const status = await call(server, "guest_agent_status", { vmId });
      assert.deepEqual([status.connected, status.installed], [false, false]);
      for (const { available, reason, remedy } of status.abilities) {
        assert.equal(available, false);
        assert.ok(reason && remedy, JSON.stringify(status.abilities));
      }
      await refused(call(server, "guest_get_services", { vmId }), "GuestUnavailable", /guest tools/i);
    });

    await t.step("the CD and the channel by one command, and a second one changes nothing", async () => {
      const inserted = await call(server, "insert_guest_tools", { vmId });
      // It has no virtio-serial controller, which libvirt plugs into no running VM
      assert.deepEqual([inserted.applies, inserted.channel], ["now", "next start"]);
      const xml = await vm.xml();
      assert.ok(!xml.includes("org.kvmmanager.agent.0") && xml.includes(inserted.path), xml);
      assert.match(await vm.xml("--inactive"), /org\.kvmmanager\.agent\.0/);
      const { files, volumeId } = readIso(await Deno.readFile(inserted.path));
      assert.equal(volumeId, "KVM_GUEST_TOOLS");
      for (const name of ["README.txt", "install.sh", "install.cmd"]) assert.ok(files.has(name), name);
      const again = await call(server, "insert_guest_tools", { vmId });
      assert.deepEqual([again.target, again.path, again.channel], [
        inserted.target,
        inserted.path,
        "next start",
      ]);
      assert.equal((await vm.xml()).split("device='cdrom'").length, 2);
      assert.equal((await vm.xml("--inactive")).split("name='org.kvmmanager.agent.0'").length, 2);
      await call(server, "force_stop_vm", { vmId });
      await call(server, "start_vm", { vmId });
      await vm.waitForBoot();
      assert.equal((await call(server, "insert_guest_tools", { vmId })).channel, "present");
      await agentIs(server, vmId, "kvm-manager-agent", "connected");
    });

    await t.step("what it tells", async () => {
      const status = await call(server, "guest_agent_status", { vmId });
      assert.equal(stateOf(status, "qemu-ga"), "not configured");
      assert.deepEqual(
        status.abilities.filter(({ available }) => !available).map(({ ability }) => ability),
        [],
        "no services, packages: that it says when it is asked",
      );
      const info = await call(server, "guest_get_info", { vmId });
      assert.deepEqual([info.hostname, info.osType], [vm.name, "linux"]);
      const { processes, total } = await call(server, "guest_get_processes", { vmId, limit: 500 });
      assert.ok(
        processes.some(({ command }) => command.startsWith(AGENT_IN_GUEST)) && total >= processes.length,
      );
      const { memoryTotalMb, processes: top } = await call(server, "guest_get_metrics", { vmId });
      assert.ok(memoryTotalMb > 100 && top!.length > 0);
      assert.equal((await call(server, "guest_get_security", { vmId })).rebootRequired, false);
      await refused(call(server, "guest_get_services", { vmId }), "GuestUnavailable", /does not offer/);
      const viewer = await personWith(server, "vera", [{ role: "viewer", on: { kind: "vm", vmId } }]);
      await refused(viewer.call("guest_get_processes", { vmId }), "Forbidden");
      await refused(viewer.call("insert_guest_tools", { vmId }), "Forbidden");
      assert.equal((await viewer.call("guest_get_info", { vmId })).hostname, vm.name);
    });

    await t.step("values go both ways, for operators", async () => {
      const setMetadata = (key: string, value: string) =>
        call(server, "guest_set_metadata", { vmId, key, value });
      await setMetadata("role", "web & <b>");
      const inside = await call(server, "guest_exec", { vmId, command: AGENT_IN_GUEST, args: ["metadata"] });
      assert.deepEqual(JSON.parse(inside.stdout), { role: "web & <b>" });
      const left = ["metadata", "ready", "since noon"];
      assert.equal(
        (await call(server, "guest_exec", { vmId, command: AGENT_IN_GUEST, args: left })).exitCode,
        0,
      );
      assert.deepEqual(await call(server, "guest_get_metadata", { vmId }), [
        { key: "ready", value: "since noon" },
        { key: "role", value: "web & <b>" },
      ]);
      await setMetadata("role", "");
      assert.equal((await call(server, "guest_get_metadata", { vmId })).length, 1);
      await refused(setMetadata("a b", "x"), "InvalidInput");
      const viewer = await personWith(server, "mia", [{ role: "viewer", on: { kind: "vm", vmId } }]);
      await refused(viewer.call("guest_get_metadata", { vmId }), "Forbidden");
    });

    await t.step("programs, and files in parts and whole", async () => {
      const ran = await call(server, "guest_exec", {
        vmId,
        command: "sh",
        args: ["-c", 'printf "%s|" "$@"; echo "$X" >&2; cat; exit 7', "sh", "a b", "$(id)", "'"],
        env: ["X=1  2"],
        stdin: "from input",
      });
      assert.deepEqual([ran.stdout, ran.stderr, ran.exitCode], ["a b|$(id)|'|from input", "1  2\n", 7]);
      const late = await call(server, "guest_exec", { vmId, command: "sleep", args: ["300"], seconds: 1 });
      assert.deepEqual([late.timedOut, late.exitCode], [true, 124]);
      const much = await call(server, "guest_exec", {
        vmId,
        command: "head",
        args: ["-c", String(3 * MIB), "/dev/zero"],
        encoding: "base64",
      });
      assert.deepEqual([much.stdoutTruncated, atob(much.stdout).length], [true, MIB]);
      await refused(call(server, "guest_exec", { vmId, command: "no-such" }), "GuestProgramNotFound");
      const path = "/tmp/-n $(id)\u00e4 'b";
      await call(server, "guest_write_file", { vmId, path, content: "one\n" });
      await call(server, "guest_write_file", { vmId, path, content: "two\n", append: true });
      assert.deepEqual(
        await call(server, "guest_read_file", { vmId, path, offset: 4, length: 2 }),
        { content: "tw", length: 2, isEnd: false },
      );
      assert.match(
        (await call(server, "guest_read_file", { vmId, path: "/proc/meminfo" })).content,
        /^MemTotal:/,
      );
      const { files } = await call(server, "guest_list_files", { vmId, path: "/tmp" });
      assert.deepEqual(files.map(({ name, size, mode }) => [`/tmp/${name}`, size, mode]), [[
        path,
        8,
        "0644",
      ]]);
      await refused(call(server, "guest_read_file", { vmId, path: "/nope" }), "GuestFileNotFound");
      await refused(call(server, "guest_write_file", { vmId, path: "/tmp", content: "" }), "GuestFileDenied");
    });

    const place = (path: string) =>
      `${server.url}/api/v1/vms/${vmId}/guest/content?path=${encodeURIComponent(path)}`;
    const body = new Uint8Array(5 * MIB + 3);
    for (let at = 0; at < body.length; at += 65_536) {
      crypto.getRandomValues(body.subarray(at, Math.min(at + 65_536, body.length)));
    }

    await t.step("content is copied in and out, and a part of it", async () => {
      const put = await fetch(`${place("/tmp/big")}&mode=0750`, { method: "PUT", body });
      const copied = await put.json();
      assert.equal(put.status, 200, JSON.stringify(copied));
      assert.deepEqual([copied.sha256, copied.verified], [sha256(body), true]);
      const back = await fetch(place("/tmp/big"));
      assert.equal(sha256(await back.bytes()), sha256(body));
      const part = await fetch(place("/tmp/big"), { headers: { range: "bytes=-3" } });
      assert.deepEqual([part.status, await part.bytes()], [206, body.subarray(-3)]);
      const { files } = await call(server, "guest_list_files", { vmId, path: "/tmp" });
      assert.deepEqual(files.find(({ name }) => name === "big")?.mode, "0750");
    });

    await t.step(
      "killed in the middle of a copy: it fails in time, and half a file is named so",
      async () => {
        const kill = async () => {
          const { processes } = await call(server, "guest_get_processes", { vmId, limit: 500 });
          const { pid } = processes.find(({ command }) => command.startsWith(AGENT_IN_GUEST))!;
          await call(server, "guest_exec", {
            vmId,
            command: "sh",
            // What keeps the output open is waited for
            args: [
              "-c",
              'setsid sh -c "sleep 1; kill -9 $1" >/dev/null 2>&1 </dev/null &',
              "sh",
              String(pid),
            ],
          });
        };
        await kill();
        // More than a guest takes in a second
        const large = new Uint8Array(60 * MIB);
        const began = performance.now();
        const answer = await fetch(place("/tmp/half"), { method: "PUT", body: large }).catch((error: Error) =>
          error
        );
        const text = answer instanceof Response ? await answer.text() : answer.message;
        assert.ok(!(answer instanceof Response && answer.ok), text);
        assert.ok(performance.now() - began < 90_000, `${performance.now() - began} ms`);
        await agentIs(server, vmId, "kvm-manager-agent", "connected");
        const { files } = await until("the agent to be back", async () => {
          try {
            return await call(server, "guest_list_files", { vmId, path: "/tmp" });
          } catch {
            return null;
          }
        }, { seconds: 120 });
        const names = files.map(({ name }) => name);
        assert.ok(!names.includes("half"), String(names));
        assert.ok(
          names.every((name) =>
            name !== ".half" && (!name.startsWith(".half") || name.endsWith(".kvmm-partial"))
          ),
        );
      },
    );

    await t.step("frozen and thawed", async () => {
      const answer = await refusalOrNull(call(server, "guest_freeze", { vmId, seconds: 20 }));
      // The tiny guest has no file system that could be frozen: it says so
      if (answer !== null) assert.match(answer.code, /GuestUnavailable|GuestRefused/);
      else assert.ok((await call(server, "guest_thaw", { vmId })).filesystems > 0);
    });

    await t.step("the host forgets unused lines, and QEMU is asked for none", async () => {
      assert.match(await vm.xml(), /name='org\.kvmmanager\.agent\.0' state='connected'/);
    });

    await t.step("it shuts the guest down", async () => {
      await call(server, "guest_shutdown", { vmId });
      await vm.waitFor("shut off", { seconds: 240 });
      const status = await call(server, "guest_agent_status", { vmId });
      assert.deepEqual([status.connected, stateOf(status, "kvm-manager-agent")], [false, "disconnected"]);
    });
  },
});

/** The refusal of a call, or null where it is carried out. */
async function refusalOrNull(asked: Promise<unknown>) {
  const done = asked.then(() => null);
  return await done.catch(() => refusal(asked));
}

Deno.test({
  name: "both agents: a running VM is given our channel; ours is asked first, QEMU's where ours cannot",
  ignore,
  fn: async () => {
    await ensureGuestTools();
    await using vm = await testMachine({ purpose: "both", guest: await buildAgentGuest(), start: true });
    await using server = await readyServer();
    const vmId = vm.uuid;
    await known(server, vmId);
    await vm.waitForAgent();
    const inserted = await call(server, "insert_guest_tools", { vmId });
    assert.deepEqual([inserted.applies, inserted.channel], ["now", "now"]);
    for (const xml of [await vm.xml(), await vm.xml("--inactive")]) {
      assert.equal(xml.split("name='org.kvmmanager.agent.0'").length, 2, xml);
    }
    await agentIs(server, vmId, "kvm-manager-agent", "connected");
    await agentIs(server, vmId, "qemu-ga", "connected");
    const by = doing(await call(server, "guest_agent_status", { vmId }));
    assert.deepEqual([by.exec, by.processes, by.freeze], [
      "kvm-manager-agent",
      "kvm-manager-agent",
      "qemu-ga",
    ]);
    // Without ours QEMU's does what it can
    await call(server, "guest_exec", { vmId, command: "killall", args: ["-STOP", "init-with-agent"] });
    await call(server, "guest_exec", {
      vmId,
      command: "sh",
      args: ["-c", 'setsid sh -c "sleep 1; killall -9 kvm-manager-agent" >/dev/null 2>&1 </dev/null &'],
    });
    await agentIs(server, vmId, "kvm-manager-agent", "disconnected");
    const without = await call(server, "guest_agent_status", { vmId });
    assert.equal(doing(without).exec, "qemu-ga");
    const processes = without.abilities.find(({ ability }) => ability === "processes")!;
    assert.deepEqual([processes.available, /guest tools/.test(processes.remedy!)], [false, true]);
    assert.equal((await call(server, "guest_exec", { vmId, command: "true" })).exitCode, 0);
  },
});

Deno.test({
  name: "QEMU's agent alone: ours is installed through it",
  ignore,
  fn: async () => {
    await ensureGuestTools();
    await using vm = await testMachine({ purpose: "install", ownAgent: true, start: true });
    await using server = await readyServer();
    const vmId = vm.uuid;
    await known(server, vmId);
    await vm.waitForAgent();
    await agentIs(server, vmId, "qemu-ga", "connected");
    assert.equal(
      stateOf(await call(server, "guest_agent_status", { vmId }), "kvm-manager-agent"),
      "disconnected",
    );
    // What a Linux has, and this guest lacks
    await call(server, "guest_exec", {
      vmId,
      command: "mkdir",
      args: ["-p", "/etc/init.d", "/var/tmp", "/run"],
    });
    const operator = await personWith(server, "olaf", [{ role: "operator", on: { kind: "vm", vmId } }]);
    await refused(operator.call("install_guest_agent", { vmId }), "Forbidden");
    const { channel, output } = await call(server, "install_guest_agent", { vmId });
    assert.deepEqual([channel, /is installed and runs/.test(output)], ["present", true], output);
    await agentIs(server, vmId, "kvm-manager-agent", "connected");
    assert.equal((await call(server, "guest_exec", { vmId, command: "true" })).exitCode, 0);
    const { files } = await call(server, "guest_list_files", { vmId, path: "/var/tmp" });
    assert.deepEqual(files, [], "nothing is left of the installer");
    const audit = await asRoot(server, "get_audit_log", { limit: 50 });
    assert.ok(JSON.stringify(audit).includes("install_guest_agent"));
  },
});

Deno.test({
  name: "a new VM with cloud-init installs the guest tools at its first start, without a network",
  ignore: ignore || await requirement("cloudGuest") !== null,
  fn: async () => {
    await ensureGuestTools();
    const guest = await buildCloudGuest();
    await using folder = await testFolder();
    await Deno.chmod(folder.path, 0o755);
    const disk = `${folder.path}/disk.qcow2`;
    await run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", guest.disk, disk]);
    await using vm = await claimedVm("tools");
    await using _seed = {
      [Symbol.asyncDispose]: () => removeSeeds("default", vm.name),
    };
    await using server = await readyServer();
    const { id: vmId } = await call(server, "create_vm", {
      name: vm.name,
      virtType: "qemu",
      memoryMb: 768,
      cpuCount: 2,
      disks: [{ path: disk, format: "qcow2", backingFile: guest.disk }],
      nics: [],
      kernel: { path: guest.kernel, initrd: guest.initrd, args: guest.cmdline },
      graphics: "none",
      cloudInit: { form: { hostname: "web", runCommands: ["echo ran >/root/ran"] } },
      guestTools: true,
      start: true,
    });
    await until("our agent", async () => {
      const status = await call(server, "guest_agent_status", { vmId });
      return stateOf(status, "kvm-manager-agent") === "connected";
    }, { seconds: 900 });
    const info = await call(server, "guest_get_info", { vmId });
    assert.deepEqual([info.hostname, info.osId], ["web", "debian"]);
    // Its first boot goes on, and under emulation it may not answer in time.
    const units = await until("its services", async () => {
      try {
        return await call(server, "guest_get_services", { vmId });
      } catch (error) {
        if (error instanceof CallError && String(error).includes("GuestSilent")) return null;
        throw error;
      }
    }, { seconds: 300 });
    assert.equal(units.find(({ name }) => name === "kvm-manager-agent")?.state, "running");
    const { manager, total } = await call(server, "guest_get_packages", { vmId, limit: 10 });
    assert.ok(manager === "dpkg" && total > 100);
    await call(server, "guest_control_service", { vmId, name: "qemu-guest-agent", action: "stop" });
    // The user's own commands ran all the same
    await until("the user's commands", async () => {
      try {
        return (await call(server, "guest_read_file", { vmId, path: "/root/ran" })).content === "ran\n";
      } catch {
        return false;
      }
    }, { seconds: 300 });
  },
});

Deno.test({
  name: "our agent's word is taken for no more than it is, and a liar costs one time limit",
  ignore,
  fn: async (t) => {
    await using vm = await testMachine({
      purpose: "own-liar",
      guest: await buildAgentGuest(),
      agent: false,
      ownAgent: true,
    });
    await using agent = await LyingOwnAgent.listen(filesOf(vm.name));
    const honest = new Map<string, unknown>(vectors.results.map(({ method, result }) => [method, result]));
    const info = { ...honest.get("get_agent_info") as object, methods: Object.keys(AGENT_RESULTS) };
    honest.set("get_agent_info", info);
    const tell = (lies: Record<string, unknown> = {}) => {
      agent.lie = ({ method }: OwnRequest) => method in lies ? lies[method] : honest.get(method);
    };
    tell();
    await connectChannel(vm, agent.path);
    await vm.start();
    await using server = await readyServer();
    const vmId = vm.uuid;
    await known(server, vmId);
    await agentIs(server, vmId, "kvm-manager-agent", "connected");

    await t.step("lies are refused, and what is shown of them is harmless", async () => {
      const process = (honest.get("get_processes") as { processes: object[] }).processes[0]!;
      for (
        const lie of [{}, null, 7, { total: -1, processes: [] }, {
          total: 1,
          processes: [{ ...process, pid: "1" }],
        }]
      ) {
        tell({ get_processes: lie });
        await refused(call(server, "guest_get_processes", { vmId }), "GuestRefused", /makes no sense/);
      }
      tell({
        get_processes: { total: 1, processes: [{ ...process, command: "\u001b]52;c;eA==\u0007<b>\u202e" }] },
      });
      const { processes } = await call(server, "guest_get_processes", { vmId });
      assert.match(processes[0]!.command, /^[\x20-\x7e␣]*$/u);
      tell({
        file_list: { path: "/", entries: Array(2001).fill({}), total: 1, has_more: true, too_large: false },
      });
      await refused(call(server, "guest_list_files", { vmId, path: "/" }), "GuestRefused");
      tell({ chunk_read: { offset: 0, eof: false, data: "" } });
      await refused(call(server, "guest_read_file", { vmId, path: "/x" }), "GuestRefused");
    });

    await t.step("floods are cut off, and other calls do not wait", async () => {
      for (const flood of ["\n".repeat(30 * MIB), "x".repeat(300 * MIB), "{}\n".repeat(8 * MIB)]) {
        tell({ ping: flood, get_users: flood });
        const asked = refusal(call(server, "guest_get_users", { vmId }));
        for (let at = 0; at < 3; at++) {
          const from = performance.now();
          await call(server, "get_vms");
          assert.ok(performance.now() - from < 3000, `${performance.now() - from} ms`);
        }
        assert.match((await asked).code, /^Guest(Refused|Silent|Unavailable)$/);
        tell();
        await agentIs(server, vmId, "kvm-manager-agent", "connected");
      }
    });

    await t.step("it hangs: ten questions cost one time limit", async () => {
      agent.lie = () => new Error("nothing");
      const began = performance.now();
      const asked = Array.from(
        { length: 10 },
        () => refusal(call(server, "guest_exec", { vmId, command: "id", seconds: 1 })),
      );
      for (const { code } of await Promise.all(asked)) assert.match(code, /^Guest(Silent|Unavailable)$/);
      assert.ok(performance.now() - began < 30_000, `${performance.now() - began} ms`);
    });
  },
});
