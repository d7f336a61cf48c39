/** External snapshots under faults: KVM Manager is killed in the middle, and nothing is lost or left behind. */
import assert from "node:assert/strict";
import { connectChannel } from "../testbed/agent_channel.ts";
import { virsh } from "../testbed/libvirt.ts";
import { LyingAgent, plainAnswer } from "../testbed/lying_agent.ts";
import { testMachine } from "../testbed/machine.ts";
import { filesOf } from "../testbed/names.ts";
import { testPool } from "../testbed/pool.ts";
import { run } from "../testbed/process.ts";
import { call, known, readyServer } from "../testbed/product.ts";
import { openedByQemu } from "../testbed/qemu_io.ts";
import type { TestServer } from "../testbed/server.ts";
import { requirement } from "../testbed/skip.ts";
import { delay, until } from "../testbed/wait.ts";

const ignore = await requirement("guest") !== null;

Deno.test({
  name: "what ends in the middle of a revert or a deletion leaves all data, and is settled",
  ignore,
  fn: async (t) => {
    await using pool = await testPool("externalkill");
    await using vm = await testMachine({
      purpose: "externalkill",
      guest: false,
      disks: [{ format: "raw", pool, size: "256M" }],
    });
    const vmId = vm.uuid, base = vm.disks[0]!;
    const headOf = async () => {
      const disk = (await vm.xml("--inactive")).split("<disk type='file' device='disk'>")[1] ?? "";
      return /<source file='([^']+)'/.exec(disk)?.[1] ?? "";
    };
    const files = async () => (await Array.fromAsync(Deno.readDir(pool.path))).map(({ name }) => name).sort();
    const fill = async (path: string, format: string, word: string) =>
      await run(["qemu-io", "-f", format, "-c", `write -P ${word} 0 1M`, path]);
    const holds = async (path: string, format: string, word: string) => {
      const said = await run(["qemu-io", "-f", format, "-r", "-c", `read -P ${word} 0 1M`, path])
        .catch((error) => String(error));
      return /^read 1048576/m.test(said) && !/verification failed/i.test(said);
    };
    const dataDir = await Deno.makeTempDir({ prefix: "kvmm-test-" });
    const restarted = async () => {
      const server = await readyServer({ dataDir });
      await known(server, vmId);
      return server;
    };
    /** Kills the server so many milliseconds after a command was sent. */
    const killedAfter = async (ms: number, command: "revert_snapshot" | "delete_snapshot") => {
      await using server = await restarted();
      const going = call(server, command, { vmId, name: "s" }).catch(() => null);
      await new Promise((resolve) => setTimeout(resolve, ms));
      await server.kill();
      await going;
    };
    try {
      {
        await using server = await restarted();
        await fill(base, "raw", "0x11");
        await call(server, "create_snapshot", { vmId, name: "s" });
      }
      await t.step("kills while it goes back", async () => {
        for (const ms of [10, 80, 160, 280]) {
          const before = await headOf();
          await fill(before, "qcow2", "0x22");
          await killedAfter(ms, "revert_snapshot");
          await using _server = await restarted();
          await until("it to be settled", async () => {
            const [entries, head] = [await files(), await headOf()];
            return entries.length === 2 && entries.some((name) => head.endsWith(`/${name}`));
          }, { lastSeen: async () => JSON.stringify([await files(), await headOf()]) });
          const after = await headOf();
          assert.ok(await holds(after, "qcow2", after === before ? "0x22" : "0x11"), `${before} → ${after}`);
          assert.ok(await holds(base, "raw", "0x11"));
        }
      });
      await t.step("kills while images are merged", async () => {
        await fill(await headOf(), "qcow2", "0x33");
        for (const ms of [20, 80, 150, 240]) {
          await killedAfter(ms, "delete_snapshot");
          const head = await headOf();
          assert.ok(await holds(head, head === base ? "raw" : "qcow2", "0x33"), head);
        }
        await using server = await restarted();
        await until("it to be settled", async () => {
          const { snapshots } = await call(server, "list_snapshots", { vmId });
          if (snapshots.length === 0) return true;
          await call(server, "delete_snapshot", { vmId, name: "s" }).catch(() => null);
          return false;
        });
        assert.equal(await headOf(), base);
        await until("nothing else to be left", async () => (await files()).length === 1);
        assert.ok(await holds(base, "raw", "0x33"));
      });
      await t.step(
        "kills while QEMU merges what a VM writes to: it runs on, and the merge is gone on with",
        async () => {
          {
            await using server = await restarted();
            await call(server, "create_snapshot", { vmId, name: "s" });
            await run(["qemu-io", "-f", "qcow2", "-c", "write -P 0x44 0 192M", await headOf()]);
            await vm.start();
          }
          await killedAfter(250, "delete_snapshot");
          await using server = await restarted();
          await until("it to be settled", async () => {
            const { snapshots } = await call(server, "list_snapshots", { vmId });
            if (snapshots.length === 0) return true;
            await call(server, "delete_snapshot", { vmId, name: "s" }).catch(() => null);
            return false;
          });
          assert.equal(await vm.state(), "running");
          assert.equal(await headOf(), base);
          assert.equal((await virsh("blockjob", vm.name, "vda", "--info")).trim(), "");
          await until("nothing else to be left", async () => (await files()).length === 1);
          await call(server, "force_stop_vm", { vmId });
          const said = await run(["qemu-io", "-f", "raw", "-r", "-c", "read -P 0x44 0 192M", base]);
          assert.doesNotMatch(said, /verification failed/i);
        },
      );
    } finally {
      await Deno.remove(dataDir, { recursive: true });
    }
  },
});

Deno.test({
  name: "a guest is thawed when KVM Manager is killed while it is quiesced",
  ignore,
  fn: async () => {
    await using pool = await testPool("freezekill");
    await using vm = await testMachine({
      purpose: "freezekill",
      disks: [{ format: "raw", pool }],
      start: true,
    });
    const vmId = vm.uuid;
    const dataDir = await Deno.makeTempDir({ prefix: "kvmm-test-" });
    const restarted = async () => {
      const server = await readyServer({ dataDir });
      await known(server, vmId);
      return server;
    };
    await vm.waitForAgent();
    try {
      for (const ms of [60, 130, 220]) {
        await using server = await restarted();
        await until(
          "the agent to be known",
          async () => (await call(server, "list_snapshots", { vmId })).quiesces === true,
        );
        const going = call(server, "create_snapshot", { vmId, name: `s${ms}`, quiesce: true }).catch(() =>
          null
        );
        await new Promise((resolve) => setTimeout(resolve, ms));
        await server.kill();
        await going;
      }
      await using server = await restarted();
      const status = () => virsh("qemu-agent-command", vm.name, '{"execute":"guest-fsfreeze-status"}');
      await until("it to be thawed", async () => (await status()).includes("thawed"));
      // Each was taken whole, or nothing of it is there.
      let seen: unknown;
      await until("what was made to be settled", async () => {
        const { snapshots } = await call(server, "list_snapshots", { vmId });
        const files = await Array.fromAsync(Deno.readDir(pool.path));
        seen = { snapshots: snapshots.map(({ name }) => name), files: files.map(({ name }) => name) };
        return files.length === 1 + snapshots.length;
      }, { lastSeen: () => `${JSON.stringify(seen)}; the server's log: ${server.log()}` });
      const whole = { vmId, name: "whole", quiesce: true };
      assert.equal((await call(server, "create_snapshot", whole)).quiesced, true);
    } finally {
      await Deno.remove(dataDir, { recursive: true });
    }
  },
});

Deno.test({
  name: "a snapshot that libvirt still takes when KVM Manager is killed is whole, or nothing of it is left",
  ignore,
  fn: async (t) => {
    await using pool = await testPool("latefreeze");
    await using vm = await testMachine({ purpose: "latefreeze", disks: [{ format: "raw", pool }] });
    const vmId = vm.uuid;
    await using agent = await LyingAgent.listen(filesOf(vm.name));
    await connectChannel(vm, agent.path);
    /** Answer of the guest to a freeze, once it comes. */
    let frozen = Promise.withResolvers<unknown>();
    agent.lie = (command, id) =>
      command === "guest-fsfreeze-freeze" ? frozen.promise : plainAnswer(command, id);
    await vm.start();
    const dataDir = await Deno.makeTempDir({ prefix: "kvmm-test-" });
    const restarted = async () => {
      const server = await readyServer({ dataDir });
      await known(server, vmId);
      return server;
    };
    const look = async () => ({
      files: (await Array.fromAsync(Deno.readDir(pool.path))).map(({ name }) => `${pool.path}/${name}`)
        .sort(),
      snapshots: (await virsh("snapshot-list", vm.name, "--name")).split("\n").filter((name) => name !== ""),
      head: (await virsh("domblklist", vm.name)).match(/\/\S+/)?.[0] ?? "",
    });
    /** Kills the server while the guest is asked, and starts another one. */
    const killed = async (name: string) => {
      frozen = Promise.withResolvers();
      await using server = await restarted();
      await until(
        "the agent to be known",
        async () => (await call(server, "list_snapshots", { vmId })).quiesces === true,
        {
          seconds: 60,
          lastSeen: async () => {
            const { guestAgent, responsive, state } = await call(server, "get_vm", { vmId });
            const asked = JSON.stringify([...agent.asked]);
            return `${state}, ${guestAgent}, responsive: ${responsive}; asked: ${asked}; the server's log: ${server.log()}`;
          },
        },
      );
      const before = agent.asked.get("guest-fsfreeze-freeze") ?? 0;
      const isAsked = () => (agent.asked.get("guest-fsfreeze-freeze") ?? 0) > before;
      let going: Promise<unknown> = Promise.resolve(), said: unknown;
      // libvirt may still be at what it asked the agent before: then it does not answer us
      await until("the guest to be asked to freeze", async () => {
        let isOver = false;
        going = call(server, "create_snapshot", { vmId, name, quiesce: true })
          .catch((error) => said = error).finally(() => isOver = true);
        while (!isOver && !isAsked()) await delay(20);
        return isAsked();
      }, { lastSeen: () => `${said}; the server's log: ${server.log()}` });
      await server.kill();
      await going;
      return await restarted();
    };
    /** Waits until the server has told that it is settled. */
    const settled = async (server: TestServer) => {
      await until(
        "it to be settled",
        () => Promise.resolve(server.log().includes("settled what was cut short")),
        {
          seconds: 60,
          lastSeen: async () => `${JSON.stringify(await look())}; the server's log: ${server.log()}`,
        },
      );
      return await look();
    };
    const isAtWork = async () => !(await virsh("domjobinfo", vm.name)).includes("None");
    try {
      await t.step("the guest freezes after that: libvirt takes it", async () => {
        await using server = await killed("taken");
        frozen.resolve({ return: 1 });
        await until("libvirt to have taken it", async () => /taken/.test((await look()).head));
        const { files, snapshots, head } = await settled(server);
        assert.deepEqual([files.length, snapshots], [2, ["taken"]]);
        assert.ok(files.includes(head), `${head} of ${files}`);
      });
      const before = await look();
      await t.step("the guest refuses: the new image goes once no program has it open", async () => {
        await using server = await killed("refused");
        const made = (await look()).files.find((path) => /refused/.test(path))!;
        {
          await using _open = await openedByQemu(made, { format: "raw" });
          frozen.resolve({ error: { class: "GenericError", desc: "no" } });
          await until("libvirt to work at nothing", async () => !await isAtWork());
          await delay(2000);
          assert.ok((await look()).files.includes(made), "a program has it open");
        }
        assert.deepEqual(await settled(server), before);
      });
    } finally {
      await Deno.remove(dataDir, { recursive: true });
    }
  },
});
