/**
 * move_disk(): a disk goes to another pool while its VM runs and writes, or is off; what is cancelled or refused leaves the VM
 * on what it had, and nothing else.
 */
import assert from "node:assert/strict";
import { bytesIn, contentOf, MIB, write } from "../testbed/backups.ts";
import { virsh } from "../testbed/libvirt.ts";
import { type TestMachine, testMachine } from "../testbed/machine.ts";
import { ownLibvirtd } from "../testbed/own_libvirtd.ts";
import { type TestPool, testPool } from "../testbed/pool.ts";
import { exists, run } from "../testbed/process.ts";
import { call, known, readyServer, refused, shows } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("guest") !== null || await ownLibvirtd("move-disk") !== null;

/** The files of a pool, but for the bin. */
const files = async ({ path }: TestPool) =>
  (await Array.fromAsync(Deno.readDir(path))).filter(({ isFile }) => isFile).map(({ name }) => name).sort();

/** The images that a VM's definitions name. */
async function sources(vm: TestMachine): Promise<(string | undefined)[]> {
  const xmls = [await vm.xml(), await vm.xml("--inactive")];
  return xmls.map((xml) => /<source (?:file|dev)='([^']+)'/.exec(xml)?.[1]);
}

/** A VM with a disk that has content. */
async function filled(pool: TestPool, start: boolean, more: { size?: string; format?: "raw" } = {}) {
  const vm = await testMachine({ purpose: "move", guest: false, disks: [{ pool, size: "96M", ...more }] });
  await run(["qemu-io", "-f", more.format ?? "qcow2", "-c", "write -q -P 0x5a 0 48M", vm.disks[0]!]);
  await virsh("pool-refresh", pool.name);
  if (start) await vm.start();
  return vm;
}

Deno.test({
  name: "move_disk() of a VM that runs and writes, and of one that is off",
  ignore,
  fn: async (t) => {
    await using server = await readyServer();
    await using slow = await testPool("moveslow");
    await using fast = await testPool("movefast");

    await t.step("running: both definitions name the copy, all that was written is in it", async () => {
      await using vm = await filled(slow, true);
      const vmId = vm.uuid, [old] = vm.disks;
      await shows(server, vmId, ({ state }) => state === "running");
      let stop = false, written = 0;
      const writing = (async () => {
        for (; !stop; written++) {
          await write(vm, `write -P ${1 + written % 80} ${(written % 40) * 2 * MIB} 4k`);
        }
      })();
      let done: Awaited<ReturnType<typeof move>>;
      const move = () => call(server, "move_disk", { vmId, target: "vda", pool: fast.name });
      try {
        await until("some writes", () => Promise.resolve(written > 5));
        done = await move();
      } finally {
        stop = true;
        await writing;
      }
      const path = `${fast.path}/${old!.split("/").at(-1)}`;
      assert.deepEqual([done.path, done.pool, done.live, done.format], [path, fast.name, true, "qcow2"]);
      assert.deepEqual(await sources(vm), [path, path]);
      assert.equal(await exists(old!), false);
      assert.equal(done.oldVolume.isThere, false);
      await write(vm, "write -P 99 90M 64k");
      await virsh("destroy", vm.name);
      const bytes = await bytesIn(path, "qcow2");
      assert.equal(bytes[90 * MIB], 99);
      assert.equal(bytes[MIB], 0x5a);
      for (let n = Math.max(0, written - 40); n < written; n++) {
        assert.equal(bytes[(n % 40) * 2 * MIB], 1 + n % 80, `write ${n} of ${written}`);
      }
      await vm.start();
    });

    await t.step("off, to raw, under another name, with the old volume kept", async () => {
      await using vm = await filled(slow, false);
      const vmId = vm.uuid, [old] = vm.disks;
      await known(server, vmId);
      const before = await contentOf(old!, "qcow2");
      const done = await call(server, "move_disk", {
        vmId,
        target: "vda",
        pool: fast.name,
        format: "raw",
        name: "other.img",
        keepSource: true,
      });
      assert.deepEqual([done.volume, done.format, done.live], ["other.img", "raw", false]);
      assert.equal(done.oldVolume.isThere, true);
      assert.equal(await exists(old!), true);
      assert.match(await vm.xml("--inactive"), /<driver name='qemu' type='raw'[^]*other\.img/);
      assert.equal(await contentOf(done.path, "raw"), before);
      await vm.start();
      await shows(server, vmId, ({ state }) => state === "running");
      const back = await call(server, "move_disk", { vmId, target: "vda", pool: slow.name, format: "qcow2" });
      assert.deepEqual(await sources(vm), [back.path, back.path]);
      assert.match(await vm.xml("--inactive"), /type='qcow2'/);
      await virsh("destroy", vm.name);
      assert.equal(await contentOf(back.path, "qcow2"), before);
    });

    await t.step("cancelled while it is copied: the VM stays on what it had, the copy is gone", async () => {
      await using vm = await filled(slow, true);
      const vmId = vm.uuid, [old] = vm.disks, before = await files(fast);
      await shows(server, vmId, ({ state }) => state === "running");
      const pid = (await vm.qemuPid())!;
      const asked = refused(
        call(server, "move_disk", { vmId, target: "vda", pool: fast.name }),
        "JobCancelled",
        "The job was cancelled. What it had done was undone.",
      );
      await until("the copy", async () => (await files(fast)).length > before.length, { every: 5 });
      Deno.kill(pid, "SIGSTOP");
      try {
        const [job] = await call(server, "list_jobs", { open: true });
        assert.equal(job?.command, "move_disk");
        await call(server, "cancel_job", { jobId: job!.id });
      } finally {
        Deno.kill(pid, "SIGCONT");
      }
      await asked;
      assert.deepEqual(await sources(vm), [old, old]);
      assert.deepEqual(await files(fast), before);
      assert.equal((await virsh("blockjob", vm.name, "vda", "--info")).trim(), "");
    });

    await t.step("refused: same pool, snapshots, drives, unknown disks", async () => {
      await using vm = await filled(slow, false);
      const vmId = vm.uuid, [path] = vm.disks, before = await files(fast);
      await known(server, vmId);
      const move = (more: object = {}) =>
        call(server, "move_disk", { vmId, target: "vda", pool: fast.name, ...more });
      await refused(
        move({ pool: slow.name }),
        "DiskNotMovable",
        `Disk vda (${path}) cannot be moved: it is in the pool ${slow.name} already: choose another`,
      );
      await refused(move({ target: "vdz" }), "NoSuchDisk", "VM has no disk vdz");
      await virsh("snapshot-create-as", vm.name, "one");
      await refused(
        move(),
        "DiskNotMovable",
        `Disk vda (${path}) cannot be moved: snapshots are within its image (one), and would be lost: delete them first`,
      );
      await virsh("snapshot-delete", vm.name, "one");
      assert.deepEqual(await files(fast), before);
    });
  },
});
