/**
 * clone_vm() of VMs that run or are paused: the disks are of one moment, the clone starts while its original runs, and what
 * is cancelled, killed or refused leaves nothing.
 */
import assert from "node:assert/strict";
import type { Job, Output } from "../../lib/contract/mod.ts";
import { bytesIn, MIB, write } from "../testbed/backups.ts";
import { virsh, virshUnless } from "../testbed/libvirt.ts";
import { type TestMachine, testMachine } from "../testbed/machine.ts";
import { releaseName, testName } from "../testbed/names.ts";
import { testNetwork } from "../testbed/network.ts";
import { ownLibvirtd } from "../testbed/own_libvirtd.ts";
import { type TestPool, testPool } from "../testbed/pool.ts";
import { exists, run } from "../testbed/process.ts";
import { call, known, readyServer, refused, shows } from "../testbed/product.ts";
import { removeDomain } from "../testbed/removal.ts";
import type { TestServer } from "../testbed/server.ts";
import { testerHeaders } from "../testbed/sign_in.ts";
import { requirement } from "../testbed/skip.ts";
import { delay, until } from "../testbed/wait.ts";

const ignore = await requirement("guest") !== null || await ownLibvirtd("clone-running") !== null;

/** The name of a clone that is never made. */
const NEVER = `kvmm-test-never-${crypto.randomUUID().slice(0, 8)}`;

/** A name for a clone, which is removed in the end; its disks lie in the test's pool and go with that. */
async function cloneName(): Promise<{ name: string } & AsyncDisposable> {
  const name = await testName("liveclone");
  return {
    name,
    [Symbol.asyncDispose]: async () => {
      await removeDomain(name);
      await releaseName(name);
    },
  };
}

/** The XML of QEMU's copy that is under way; null where none is. */
const copyNow = ({ name }: TestMachine) => virshUnless(/no domain backup job/, "backup-dumpxml", name);

/**
 * Gets ready to catch QEMU while it copies, which is over in less than a second.
 *
 * @param file what the first disk is copied to
 * @returns waits until it copies, and has the process stand still; gives what has it go on
 */
async function catchCopy(vm: TestMachine, file: string): Promise<() => Promise<() => void>> {
  const pid = (await vm.qemuPid())!;
  const grows = async () => {
    try {
      return (await Deno.stat(file)).blocks! * 512 > 8 * MIB;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return false;
      throw error;
    }
  };
  return async () => {
    await until("QEMU to copy", grows, { seconds: 30, every: 1 });
    Deno.kill(pid, "SIGSTOP");
    return () => Deno.kill(pid, "SIGCONT");
  };
}

const volumes = async ({ name }: TestPool) => {
  await virsh("pool-refresh", name);
  return await virsh("vol-list", name);
};

/** Log of the last clone's task. */
async function lastLog(server: TestServer): Promise<string> {
  const [job] = await call(server, "list_jobs");
  const { log } = await call(server, "get_job", { jobId: job!.id });
  return log.map(({ text }) => text).join("\n");
}

/** A VM with two disks that have enough content for a copy of them to be seen while it is made. */
async function filledMachine(pool: TestPool, purpose: string): Promise<TestMachine> {
  const vm = await testMachine({
    purpose,
    guest: false,
    disks: [{ pool, size: "700M" }, { pool, size: "64M", format: "raw" }],
  });
  await run(["qemu-io", "-f", "qcow2", "-c", "write -q -P 0x5a 0 640M", vm.disks[0]!]);
  await run(["qemu-io", "-f", "raw", "-c", "write -q -P 0x5b 0 32M", vm.disks[1]!]);
  await virsh("pool-refresh", pool.name);
  await vm.start();
  return vm;
}

Deno.test({
  name: "a VM that writes is cloned: its disks are of one moment, one after the other",
  ignore,
  fn: async (t) => {
    await using server = await readyServer();
    await using pool = await testPool("liveclone");
    await using vm = await filledMachine(pool, "liveclone");
    await shows(server, vm.uuid, ({ state }) => state === "running");
    /** First bytes of the blocks that are written in turn. */
    const BLOCKS = 8, at = (block: number) => block * 2 * MIB;

    await t.step(
      "each write is on the first disk before it is on the second, in the clone, too",
      async () => {
        await using own = await cloneName();
        let written = 0, stop = false;
        const writing = (async () => {
          for (; !stop; written++) {
            const command = `write -P ${1 + written % 80} ${at(written % BLOCKS)} 4k`;
            await write(vm, command, 0);
            await write(vm, command, 1);
          }
        })();
        let clone: Output<"clone_vm">, before: number;
        try {
          await until("some writes", () => Promise.resolve(written > BLOCKS));
          before = written;
          clone = await call(server, "clone_vm", { vmId: vm.uuid, name: own.name });
        } finally {
          stop = true;
          await writing;
        }
        assert.ok(written > before, "nothing was written meanwhile");
        const [first, second] = [
          await bytesIn(clone.disks[0]!.path, "qcow2"),
          await bytesIn(clone.disks[1]!.path, "raw"),
        ];
        assert.deepEqual([first.length, second.length], [700 * MIB, 64 * MIB]);
        assert.deepEqual([first[300 * MIB], second[31 * MIB]], [0x5a, 0x5b]);
        /** Whether a disk has so many writes, and none after them. */
        const has = (disk: Uint8Array, count: number) =>
          Array.from({ length: BLOCKS }, (_, block) => {
            const last = Math.floor((count - 1 - block) / BLOCKS) * BLOCKS + block;
            return disk[at(block)] === 1 + last % 80;
          }).every(Boolean);
        const counts = Array.from({ length: written + 2 }, (_, count) => count).filter((count) =>
          count >= BLOCKS
        );
        const found = counts.filter((count) =>
          has(first, count) && (has(second, count) || has(second, count - 1))
        );
        assert.ok(found.length > 0, "the disks are of different moments");
        assert.match(await lastLog(server), /as after a power cut: no guest agent/);
        assert.equal(await copyNow(vm), null);
        await virsh("start", own.name);
        assert.equal(await vm.state(), "running");
      },
    );

    await t.step("a paused one is cloned, and stays paused", async () => {
      await using own = await cloneName();
      await virsh("suspend", vm.name);
      await shows(server, vm.uuid, ({ state }) => state === "paused");
      const clone = await call(server, "clone_vm", { vmId: vm.uuid, name: own.name });
      assert.equal(await virsh("domuuid", own.name), clone.vmId);
      assert.equal(await vm.state(), "paused");
      await virsh("resume", vm.name);
      await shows(server, vm.uuid, ({ state }) => state === "running");
    });

    await t.step("cancelled in the middle: QEMU stops, no volume is left, and the VM runs", async () => {
      await using own = await cloneName();
      const before = await volumes(pool);
      const caught = await catchCopy(vm, `${pool.path}/${own.name}-vda.qcow2`);
      const asked = refused(call(server, "clone_vm", { vmId: vm.uuid, name: own.name }), "JobCancelled");
      const goOn = await caught();
      const [job] = await call(server, "list_jobs", { open: true });
      // What runs at that time says that it is busy, and is not disturbed.
      await refused(
        call(server, "clone_vm", { vmId: vm.uuid, name: NEVER }),
        "VmBusy",
        /copying its disks/,
      );
      await call(server, "cancel_job", { jobId: job!.id });
      goOn();
      await asked;
      assert.equal(await copyNow(vm), null);
      assert.equal(await volumes(pool), before);
      assert.equal((await virsh("list", "--all", "--name")).includes(own.name), false);
      assert.equal(await vm.state(), "running");
      await shows(server, vm.uuid, ({ operation }) => operation === undefined);
    });

    await t.step("stopped in the middle: it is said, and nothing is left", async () => {
      await using own = await cloneName();
      const before = await volumes(pool);
      const caught = await catchCopy(vm, `${pool.path}/${own.name}-vda.qcow2`);
      const asked = refused(
        call(server, "clone_vm", { vmId: vm.uuid, name: own.name }),
        "CloneFailed",
        /stopped while it was copied/,
      );
      const goOn = await caught();
      const destroyed = virsh("destroy", vm.name);
      await delay(200);
      goOn();
      await destroyed;
      await asked;
      assert.equal(await volumes(pool), before);
      await vm.start();
      await shows(server, vm.uuid, ({ state }) => state === "running");
    });

    await t.step("the page says what will happen, and offers no linked clone", async () => {
      const at = `${server.url}/vms/${vm.uuid}`, headers = testerHeaders(server.url);
      const form = await (await fetch(`${at}/clone`, { headers })).text();
      assert.match(form, /The VM keeps running\. Its disks are copied as of one moment/);
      assert.match(form, /<input[^>]*value="linked"[^>]*disabled/);
      assert.match(form, /Not while the VM is on: it writes to the disks/);
      assert.match(await (await fetch(at, { headers })).text(), new RegExp(`href="/vms/${vm.uuid}/clone"`));
    });

    await t.step("what cannot be copied now is refused before anything is made", async () => {
      const clone = () => call(server, "clone_vm", { vmId: vm.uuid, name: NEVER });
      const before = await volumes(pool), jobs = (await call(server, "list_jobs")).length;
      await virsh("detach-disk", vm.name, "vdb", "--config");
      await refused(clone(), "DiskNotClonable", /vdb .* it changes at the VM's next start/);
      await virsh("attach-disk", vm.name, vm.disks[1]!, "vdb", "--config", "--subdriver", "raw");
      await refused(call(server, "clone_vm", { vmId: vm.uuid, name: vm.name }), "VmNameExists");
      assert.equal(await volumes(pool), before);
      assert.equal((await call(server, "list_jobs")).length, jobs);
    });
  },
});

Deno.test({
  name: "a clone of a running VM that is killed in the middle is taken back by the next run of KVM Manager",
  ignore,
  fn: async () => {
    const dataDir = await Deno.makeTempDir({ prefix: "kvmm-test-" });
    await using pool = await testPool("livecut");
    await using vm = await filledMachine(pool, "livecut");
    await using own = await cloneName();
    try {
      const before = await volumes(pool);
      let goOn: () => void;
      {
        await using first = await readyServer({ dataDir });
        await shows(first, vm.uuid, ({ state }) => state === "running");
        const caught = await catchCopy(vm, `${pool.path}/${own.name}-vda.qcow2`);
        const asked = call(first, "clone_vm", { vmId: vm.uuid, name: own.name }).catch(() => "cut off");
        goOn = await caught();
        await first.kill();
        assert.equal(await asked, "cut off");
      }
      assert.notEqual(await copyNow(vm), null, "QEMU has ended by itself");
      await using second = await readyServer({ dataDir });
      goOn();
      const job = await until<Job>("the job to be settled", async () => {
        const [found] = await call(second, "list_jobs");
        return /What it had made was removed/.test(found?.error?.message ?? "") ? found : undefined;
      }, { seconds: 60 });
      assert.equal(job.state, "interrupted");
      assert.equal(await copyNow(vm), null);
      assert.equal(await volumes(pool), before);
      assert.equal(await vm.state(), "running");
      await call(second, "clone_vm", { vmId: vm.uuid, name: own.name });
    } finally {
      await Deno.remove(dataDir, { recursive: true });
    }
  },
});

Deno.test({
  name:
    "a guest whose agent answers is frozen for that moment; its clone starts while it runs, as another VM",
  ignore,
  fn: async () => {
    await using server = await readyServer();
    await using network = await testNetwork();
    await using pool = await testPool("livefrozen");
    await using vm = await testMachine({
      purpose: "livefrozen",
      network,
      start: true,
      disks: [{ pool }, { pool, format: "raw" }],
    });
    await vm.waitForAgent({ seconds: 120 });
    await shows(server, vm.uuid, ({ guestAgent }) => guestAgent === "connected");
    await using own = await cloneName();
    await write(vm, "write -P 0x33 0 64k", 1);
    const clone = await call(server, "clone_vm", { vmId: vm.uuid, name: own.name });
    assert.match(await lastLog(server), /as they were when the guest agent had frozen the file systems/);
    assert.equal((await bytesIn(clone.disks[1]!.path, "raw"))[0], 0x33);
    assert.equal(await vm.agent("guest-fsfreeze-status"), "thawed");
    const xml = await virsh("dumpxml", own.name, "--inactive");
    assert.equal(await virsh("domuuid", own.name), clone.vmId);
    assert.doesNotMatch(xml, new RegExp(`${vm.mac}|${vm.uuid}|${vm.disks.join("|")}`));
    assert.match(xml, /<mac address='52:54:00:[0-9a-f:]+'\/>/);
    assert.equal((await known(server, clone.vmId)).state, "stopped");
    await virsh("start", own.name);
    const log = `${vm.serialLog}-${own.name}`;
    await until(
      `${own.name} to boot`,
      async () => await exists(log) && (await Deno.readTextFile(log)).includes("kvmm-guest ready"),
      { seconds: 120 },
    );
    assert.equal(await vm.state(), "running");
    assert.equal(await vm.boots(), 1);
  },
});
