/** Our agent where QEMU's is none, or hangs: it counts as the guest's agent, freezes a real file system, and thaws it by itself. */
import assert from "node:assert/strict";
import { OwnAgentClient } from "../../agent/guest/own/client.ts";
import { openAgentChannel } from "../testbed/agent_channel.ts";
import { buildAgentGuest } from "../testbed/agent_guest.ts";
import { backupFolder, runOf } from "../testbed/backups.ts";
import { inGuest } from "../testbed/in_guest.ts";
import { testMachine } from "../testbed/machine.ts";
import { testPool } from "../testbed/pool.ts";
import { run } from "../testbed/process.ts";
import { call, known, readyServer, refusal, shows } from "../testbed/product.ts";
import { CallError } from "../testbed/server.ts";
import { requirement } from "../testbed/skip.ts";
import { delay, until } from "../testbed/wait.ts";

const ignore = await requirement("agentGuest") !== null;
/** Milliseconds that an emulated guest on a busy machine has for something small. */
const SLOW = { limitMs: 120_000 };

/** Whether a file system would be mended by its journal when it is mounted: it was not quiesced. */
async function needsRecovery(image: string): Promise<boolean> {
  const told = await run(["dumpe2fs", "-h", image]);
  assert.match(told, /has_journal/);
  return /needs_recovery/.test(told);
}

Deno.test({
  name: "our agent alone is the guest's agent: waited for, quiesced by, noticed when it is killed",
  ignore,
  fn: async (t) => {
    await using pool = await testPool("still");
    await using vm = await testMachine({
      purpose: "still",
      guest: await buildAgentGuest(),
      agent: false,
      ownAgent: true,
      disks: [{ format: "raw", size: "64M", pool }],
    });
    const [disk] = vm.disks;
    await run(["mkfs.ext4", "-q", "-F", disk!]);
    await using server = await readyServer();
    const vmId = vm.uuid;
    await known(server, vmId);
    await vm.start();
    const sh = (script: string, seconds = 120) =>
      call(server, "guest_exec", { vmId, command: "sh", args: ["-c", script], seconds });

    await t.step("it counts as the agent as soon as it has opened its channel", async () => {
      const now = await shows(server, vmId, (each) => each.guestAgent === "connected", { seconds: 120 });
      assert.deepEqual(now.guestAgents, { "qemu-ga": "not configured", "kvm-manager-agent": "connected" });
    });

    await t.step(
      "a snapshot has the file system as it is after it was unmounted, while the guest writes",
      async () => {
        const begun = await sh(
          "mkdir -p /mnt && mount -t ext4 /dev/vda /mnt && " +
            "(while true; do date > /mnt/now; sync; done) >/dev/null 2>&1 </dev/null &",
        );
        assert.equal(begun.exitCode, 0, begun.stderr);
        await until("the guest to write", async () => await needsRecovery(disk!));
        assert.equal((await call(server, "list_snapshots", { vmId })).quiesces, true);
        const taken = await call(server, "create_snapshot", { vmId, name: "still", quiesce: true });
        assert.deepEqual(taken, { name: "still", external: true, quiesced: true });
        assert.equal(await needsRecovery(disk!), false);
        // The guest goes on: it writes, and nothing of it is frozen
        assert.equal((await sh("echo on > /mnt/on && sync && cat /mnt/on")).stdout, "on\n");
        assert.equal((await call(server, "guest_thaw", { vmId })).filesystems, 0);
      },
    );

    await t.step("a backup has it frozen, too", async () => {
      await using folder = await backupFolder();
      const { id: backupId } = await call(server, "create_backup", {
        name: "still",
        folder: folder.path,
        targets: { vmIds: [vmId] },
        keep: 1,
      });
      const [copy] = (await runOf(server, backupId)).copies;
      assert.deepEqual([copy!.state, copy!.consistency, copy!.message], ["done", "frozen", null]);
      assert.equal((await sh("echo more > /mnt/more && sync && cat /mnt/more")).stdout, "more\n");
      await call(server, "delete_backup", { backupId });
    });

    await t.step("what somebody keeps frozen is not thawed by a snapshot", async () => {
      await call(server, "guest_freeze", { vmId, seconds: 120 });
      const { notes = [] } = await call(server, "create_snapshot", { vmId, name: "kept" });
      assert.deepEqual(notes, []);
      assert.equal((await call(server, "guest_thaw", { vmId })).filesystems, 1);
    });

    await t.step("who waits for a program of an agent that is killed is told at once", async () => {
      const began = performance.now();
      const told = await refusal(
        call(server, "guest_exec", {
          vmId,
          command: "sh",
          args: ["-c", "kill -9 $PPID; sleep 60"],
          seconds: 100,
        }),
      );
      assert.equal(told.code, "GuestUnavailable");
      assert.ok(performance.now() - began < 30_000);
      await until("the agent to be back", async () => {
        try {
          return (await sh("echo back")).stdout === "back\n";
        } catch (error) {
          if (error instanceof CallError) return false;
          throw error;
        }
      }, { seconds: 60 });
    });
  },
});

/** Milliseconds for which a guest stays frozen without a call that thaws it. */
const FROZEN_MS = 8000;
/**
 * Two that write the guest's clock down ten times a second: one to the file system that is frozen, before each time, and one
 * that goes on meanwhile.
 */
const WRITERS = `mkdir -p /mnt && mount -t ext4 /dev/vda /mnt || exit 1
now() { cut -d' ' -f1 /proc/uptime; }
(while true; do echo tick >> /mnt/ticks; now >> /tmp/blocked; sleep 0.1; done) >/dev/null 2>&1 </dev/null &
(while true; do now >> /tmp/free; sleep 0.1; done) >/dev/null 2>&1 </dev/null &`;

/** The longest pause in times, one a line. @returns seconds: its begin and its end */
function longestPause(text: string): { readonly begin: number; readonly end: number } {
  const times = text.trim().split("\n").map(Number);
  assert.ok(times.length > 2 && times.every(Number.isFinite), text.slice(0, 200));
  const pauses = times.slice(1).map((end, index) => ({ begin: times[index]!, end }));
  return pauses.reduce((a, b) => b.end - b.begin > a.end - a.begin ? b : a);
}

Deno.test({
  name: "a guest that our agent froze writes nothing, and thaws by itself when its host is gone",
  ignore,
  fn: async () => {
    await using vm = await testMachine({
      purpose: "gone",
      guest: await buildAgentGuest(),
      agent: false,
      ownAgent: true,
      disks: [{ format: "raw" }],
    });
    await run(["mkfs.ext4", "-q", "-F", vm.disks[0]!]);
    await vm.start();
    await vm.waitForBoot();
    const connect = () =>
      until("the agent", async () => {
        try {
          return await OwnAgentClient.open(await openAgentChannel(vm), 30_000);
        } catch {
          return null;
        }
      }, { seconds: 240 });
    const host = await connect();
    const begun = await host.exec("sh", { ...SLOW, args: ["-c", WRITERS] });
    assert.equal(begun.exitCode, 0);
    await delay(2000); // the writers are to be in the middle of it
    const frozen = await host.call("fs_freeze", { timeout_ms: FROZEN_MS }, SLOW);
    assert.deepEqual([frozen.frozen, frozen.mount_points], [true, ["/mnt"]]);
    await host.close();
    await using next = await connect();
    await until("the guest to thaw", async () => !(await next.call("fs_freeze_status", {}, SLOW)).frozen, {
      seconds: 120,
    });
    const sh = async (script: string) => {
      const ran = await next.exec("sh", { ...SLOW, args: ["-c", script] });
      assert.equal(ran.exitCode, 0, new TextDecoder().decode(ran.stderr));
      return new TextDecoder().decode(ran.stdout);
    };
    await until("the writer to go on", async () => {
      const { begin, end } = longestPause(await sh("tail -n 2000 /tmp/blocked"));
      return end - begin >= FROZEN_MS / 1000 * 0.9;
    });
    const { begin, end } = longestPause(await sh("cat /tmp/blocked"));
    // It stood still for as long as it was to be, not until somebody came; and it was not the whole guest that did
    assert.ok(end - begin < FROZEN_MS / 1000 * 4, `${end - begin} s`);
    const meanwhile = (await sh("cat /tmp/free")).trim().split("\n").map(Number)
      .filter((at) => at > begin && at < end);
    assert.ok(meanwhile.length >= 10, `${meanwhile.length} times from ${begin} to ${end}`);
    await sh("echo on > /mnt/on && sync");
  },
});

Deno.test({
  name: "an agent of ours that hangs while QEMU's answers costs one wait, then QEMU's is asked first",
  ignore,
  fn: async () => {
    await using vm = await testMachine({
      purpose: "hung",
      guest: await buildAgentGuest(),
      ownAgent: true,
      start: true,
    });
    await using server = await readyServer();
    const vmId = vm.uuid;
    await known(server, vmId);
    await vm.waitForAgent();
    await shows(server, vmId, ({ guestAgents }) => guestAgents["kvm-manager-agent"] === "connected", {
      seconds: 120,
    });
    const agentOf = async () => {
      const { abilities } = await call(server, "guest_agent_status", { vmId });
      return abilities.find(({ ability }) => ability === "exec")?.agent;
    };
    await until("ours to be asked first", async () => await agentOf() === "kvm-manager-agent");
    await inGuest(vm, "/bin/sh", "-c", "kill -STOP $(pidof kvm-manager-agent)");
    const ask = (limit: { readonly seconds?: number } = {}) =>
      call(server, "guest_exec", { vmId, command: "echo", args: ["hi"], ...limit });
    // The first finds out: it fails by its time limit, or goes to the other
    await refusal(ask({ seconds: 1 })).catch(() => null);
    await until("QEMU's to be asked", async () => await agentOf() === "qemu-ga", { seconds: 60 });
    const began = performance.now();
    assert.equal((await ask()).stdout, "hi\n");
    assert.ok(performance.now() - began < 4000, `${performance.now() - began} ms`);
    await inGuest(vm, "/bin/sh", "-c", "kill -CONT $(pidof kvm-manager-agent)");
    assert.equal((await ask()).stdout, "hi\n");
  },
});
