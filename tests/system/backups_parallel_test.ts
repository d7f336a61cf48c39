/** Backups that copy several VMs of a run at once: in parallel, each as it was, in the VMs' order. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { BackupRun } from "../../lib/contract/mod.ts";
import { backupFolder, bytesIn, logOf, MIB, restored, runOf, write } from "../testbed/backups.ts";
import { virsh, virshUnless } from "../testbed/libvirt.ts";
import { type TestMachine, testMachine } from "../testbed/machine.ts";
import { testPool } from "../testbed/pool.ts";
import { run } from "../testbed/process.ts";
import { call, known, readyServer, refused } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("qemu") !== null;
/** MiB of content that no two VMs share. */
const OWN = 48;

/** Whether two VMs were copied at the same time, by the log of a run's task. */
function overlap(log: string): boolean {
  let now = 0, most = 0;
  for (const line of log.split("\n")) {
    if (/^Copying /.test(line)) most = Math.max(most, ++now);
    if (/: (done|failed|waits)/.test(line)) now--;
  }
  return most > 1;
}

/** Fills a disk with content of its own, and with some that all have. */
async function fill(path: string, format: string): Promise<void> {
  const random = await Deno.makeTempFile();
  try {
    await run(["dd", "if=/dev/urandom", `of=${random}`, "bs=1M", `count=${OWN}`, "status=none"]);
    await run(["qemu-img", "convert", "-n", "-f", "raw", "-O", format, random, path]);
    await run(["qemu-io", "-f", format, "-c", "write -q -P 0x77 50M 8M", path]);
  } finally {
    await Deno.remove(random);
  }
}

Deno.test({
  name: "three VMs, two at once: they overlap, each comes back as it was, and what fails is one VM's alone",
  ignore,
  fn: async (t) => {
    await using stack = new AsyncDisposableStack();
    const pool = stack.use(await testPool("parallel"));
    const folder = stack.use(await backupFolder());
    const vms: TestMachine[] = [];
    for (const purpose of ["parallela", "parallelb", "parallelc"]) {
      vms.push(stack.use(await testMachine({ purpose, guest: false, disks: [{ size: "64M" }] })));
    }
    const [first, second, off] = vms as [TestMachine, TestMachine, TestMachine];
    for (const { disks } of vms) await fill(disks[0]!, "qcow2");
    const expected = new Map<string, Uint8Array>();
    for (const { uuid, disks } of vms) expected.set(uuid, await bytesIn(disks[0]!, "qcow2"));
    await first.start();
    await second.start();
    const server = stack.use(await readyServer());
    for (const { uuid } of vms) await known(server, uuid);
    const vmIds = vms.map(({ uuid }) => uuid);
    const made = await call(server, "create_backup", {
      name: "parallel",
      folder: folder.path,
      targets: { vmIds },
      keep: 20,
      parallel: 2,
    });
    const backupId = made.id;
    const comesBack = async ({ id: runId }: BackupRun, vm: TestMachine) => {
      const found = await restored(server, { backupId, runId, vm, pool: pool.name });
      assert.equal(Buffer.compare(found, expected.get(vm.uuid)!), 0, `${vm.name} is not as it was`);
    };
    const names = ({ copies }: BackupRun) => copies.map(({ name }) => name);
    let order: string[] = [];

    await t.step("how many at once is kept, and changed", async () => {
      assert.equal(made.parallel, 2);
      assert.equal((await call(server, "update_backup", { backupId, parallel: 4 })).parallel, 4);
      assert.equal((await call(server, "update_backup", { backupId, parallel: 2 })).parallel, 2);
      await refused(call(server, "update_backup", { backupId, parallel: 5 }), "InvalidInput", /parallel/);
      await refused(call(server, "update_backup", { backupId, parallel: 0 }), "InvalidInput", /parallel/);
    });

    await t.step("they overlap, and each comes back", async () => {
      const told = await runOf(server, backupId), log = await logOf(server, told);
      assert.equal(told.state, "done", JSON.stringify(told));
      assert.match(log, /3 VMs are meant, 2 at once/);
      assert.ok(overlap(log), log);
      order = names(told);
      assert.deepEqual(order.toSorted(), vms.map(({ name }) => name).toSorted());
      for (const vm of vms) await comesBack(told, vm);
      const { ok } = await call(server, "verify_backup", { backupId, runId: told.id });
      assert.equal(ok, true);
    });

    await t.step("again, with later writes: increments in parallel", async () => {
      for (const vm of [first, second]) {
        await write(vm, "write -P 0x11 1M 2M");
        expected.get(vm.uuid)!.fill(0x11, MIB, 3 * MIB);
      }
      const told = await runOf(server, backupId), log = await logOf(server, told);
      assert.equal(told.state, "done", JSON.stringify(told));
      assert.deepEqual(names(told), order);
      for (const { name, readBytes } of told.copies) {
        if (name !== off.name) {
          assert.ok(readBytes! < 16 * MIB, `${name}: ${readBytes} bytes were read\n${log}`);
        }
      }
      for (const vm of vms) await comesBack(told, vm);
    });

    await t.step("a damaged chunk that all of them have is healed by the same run", async () => {
      const chunks = `${folder.path}/kvm-manager-backups/chunks`;
      for (const path of (await run(["find", chunks, "-type", "f"])).split("\n").filter(Boolean)) {
        const bytes = await Deno.readFile(path);
        bytes[bytes.length - 1]! ^= 0xff;
        await Deno.writeFile(path, bytes);
      }
      for (const vm of [first, second]) {
        await write(vm, "write -P 0x12 52M 4k");
        expected.get(vm.uuid)!.fill(0x12, 52 * MIB, 52 * MIB + 4096);
      }
      await call(server, "update_backup", { backupId, parallel: 2 });
      const broken = await call(server, "list_backup_runs", { backupId });
      const checked = await call(server, "verify_backup", { backupId, runId: broken[0]!.id });
      assert.equal(checked.ok, false);
      const told = await runOf(server, backupId, true);
      assert.equal(told.state, "done", JSON.stringify(told));
      for (const vm of vms) await comesBack(told, vm);
    });

    await t.step("one that fails is told in its place, and the others are whole", async () => {
      const away = `${off.disks[0]!}.away`;
      await Deno.rename(off.disks[0]!, away);
      try {
        const told = await runOf(server, backupId);
        assert.equal(told.state, "failed");
        assert.deepEqual(names(told), order);
        assert.deepEqual(
          told.copies.map(({ name, state }) => [name, state]),
          order.map((name) => [name, name === off.name ? "failed" : "done"]),
        );
        for (const vm of [first, second]) await comesBack(told, vm);
      } finally {
        await Deno.rename(away, off.disks[0]!);
      }
    });

    await t.step("they share the bandwidth limit", async () => {
      await call(server, "update_backup", { backupId, maxMibPerSecond: 16 });
      const begun = performance.now();
      const told = await runOf(server, backupId, true);
      const seconds = (performance.now() - begun) / 1000;
      assert.equal(told.state, "done", JSON.stringify(told));
      assert.ok(overlap(await logOf(server, told)));
      // What is read alone: what QEMU copies before comes in addition.
      assert.ok(seconds > 3 * OWN / 16, `${seconds} seconds for ${3 * OWN} MiB`);
    });

    await t.step("cancelled: none goes on, and nothing half is left", async () => {
      await call(server, "update_backup", { backupId, maxMibPerSecond: 2 });
      const { id } = await call(server, "run_backup_now", { backupId, full: true });
      await until("two to be copied", async () => {
        const [job] = await call(server, "list_jobs", { open: true });
        if (job === undefined) return false;
        const { log } = await call(server, "get_job", { jobId: job.id });
        return log.filter(({ text }) => /^Copying /.test(text)).length === 2;
      }, { seconds: 30, every: 20 });
      const [job] = await call(server, "list_jobs", { open: true });
      await call(server, "cancel_job", { jobId: job!.id });
      const told = await until("the run's end", async () => {
        const found = (await call(server, "list_backup_runs", { backupId })).find((each) => each.id === id);
        return found?.state === "running" ? null : found;
      }, { seconds: 60 });
      assert.equal(told!.state, "cancelled");
      for (const vm of [first, second]) {
        assert.equal(await virshUnless(/no domain backup job/, "backup-dumpxml", vm.name), null);
        assert.equal(await virsh("domstate", vm.name), "running");
      }
      const folders = ["/var/lib/libvirt", pool.path, folder.path];
      // Spools of other tests' backups lie there, too, as long as those take.
      await until("nothing half to be left", async () => {
        const left = await run([
          "find",
          ...folders,
          "-name",
          ".kvm-manager-spool-*",
          "-o",
          "-name",
          "partial-*",
        ]);
        return left.trim() === "";
      }, { seconds: 30 });
    });
  },
});
