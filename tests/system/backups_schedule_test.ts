/** Backups that run by themselves, of VMs with UEFI, and while libvirtd is killed. */
import assert from "node:assert/strict";
import { localPrincipal } from "../../agent/testing.ts";
import { Application } from "../../agent/app.ts";
import { SYSTEM_CLOCK } from "../../agent/clock.ts";
import type { Api } from "../../lib/contract/api.ts";
import { settingsHere } from "../testbed/app_here.ts";
import { backupFolder, endOf, runOf } from "../testbed/backups.ts";
import { virsh } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { ensurePackages } from "../testbed/packages.ts";
import { testPool } from "../testbed/pool.ts";
import { privateLibvirt } from "../testbed/private_libvirt.ts";
import { run } from "../testbed/process.ts";
import { call, known, readyServer, shows } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";
import { Unavailable } from "../testbed/unavailable.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("qemu") !== null;
const DAY = 86_400_000;

/** A clock that can be set forward: libvirt and QEMU go on in their own time. */
class SettableClock {
  #ahead = 0;
  readonly now = () => SYSTEM_CLOCK.now() + this.#ahead;
  readonly monotonic = () => SYSTEM_CLOCK.monotonic();
  readonly boot = () => SYSTEM_CLOCK.boot();
  readonly after = (ms: number, run: () => void) => SYSTEM_CLOCK.after(ms > 1000 ? ms / 20 : ms, run);
  forward(ms: number): void {
    this.#ahead += ms;
  }
}

Deno.test({
  name:
    "a daily backup runs by itself each day, as who saved it, once for what it missed, and keeps what it is told",
  ignore,
  fn: async () => {
    await using vm = await testMachine({ purpose: "backupdue", guest: false, disks: [{ size: "8M" }] });
    await using folder = await backupFolder();
    const dataDir = await Deno.makeTempDir({ prefix: "kvmm-test-" }), clock = new SettableClock();
    const app = new Application(settingsHere(dataDir), clock);
    app.start();
    try {
      await until("the host is read", () => Promise.resolve(app.hosts.local.inventory.filled));
      const api = app.apiFor(localPrincipal("page")) as Api;
      const { id: backupId, next } = await api.createBackup({
        name: "due",
        folder: folder.path,
        targets: { vmIds: [vm.uuid] },
        keep: 2,
        frequency: "daily",
        time: "02:00",
        timeZone: "UTC",
      });
      assert.equal(next.length, 5);
      assert.deepEqual(await api.listBackupRuns({ backupId }), []);
      const runs = async (count: number) =>
        await until(`run ${count}`, async () => {
          const all = await api.listBackupRuns({ backupId });
          const ids = new Set(all.map(({ id }) => id));
          for (const id of ids) seen.add(id);
          return seen.size >= count && all[0]!.state !== "running" ? all : null;
        });
      const seen = new Set<string>();
      for (let day = 1; day <= 3; day++) {
        clock.forward(DAY);
        const [last] = await runs(day);
        assert.deepEqual([last!.state, last!.copies[0]?.state], ["done", "done"], JSON.stringify(last));
        assert.equal(last!.actor, localPrincipal("page").name);
      }
      assert.equal(
        (await api.listBackupRuns({ backupId })).length,
        2,
        "the third day's took the first one's place",
      );
      clock.forward(5 * DAY);
      await runs(4);
      await api.enableBackup({ backupId, enabled: false });
      clock.forward(2 * DAY);
      const { next: none } = await api.getBackup({ backupId });
      assert.deepEqual([none, seen.size], [[], 4], "one run for five days");
      const { job } = await api.getJob({ jobId: (await api.listBackupRuns({ backupId }))[0]!.jobId! });
      assert.deepEqual([job.state, job.title], ["done", "Backup job due"]);
      await api.deleteBackup({ backupId });
    } finally {
      await app.stop();
      await Deno.remove(dataDir, { recursive: true });
    }
  },
});

Deno.test({
  name:
    "libvirtd is killed while a VM is backed up: the VM runs on, and either that copy or the next one is whole",
  ignore: ignore || Deno.uid() !== 0,
  fn: async () => {
    await using host = await privateLibvirt("backup");
    await using folder = await backupFolder();
    const vm = await host.machine();
    // The same folder by the same path, here and where its libvirtd is: QEMU copies into a file next to the disk, and we read that.
    const shared = host.stateFile(folder.path.slice("/var/lib/libvirt/".length));
    await Deno.mkdir(shared, { mode: 0o711 });
    const disk = `${shared}/disk.qcow2`, inside = `${folder.path}/disk.qcow2`;
    await run(["qemu-img", "create", "-q", "-f", "qcow2", disk, "64M"]);
    await run(["qemu-io", "-f", "qcow2", "-c", "write -P 9 0 48M", disk]);
    await host.virsh("attach-disk", vm.name, inside, "vda", "--subdriver", "qcow2", "--config");
    await host.virsh("start", vm.name);
    await using server = await readyServer({ uri: host.uri });
    await shows(server, vm.uuid, ({ state }) => state === "running");
    await run(["mount", "--bind", shared, folder.path]);
    try {
      const { id: backupId } = await call(server, "create_backup", {
        name: "killed",
        folder: folder.path,
        targets: { vmIds: [vm.uuid] },
      });
      const { id } = await call(server, "run_backup_now", { backupId });
      await until(
        "QEMU to copy, or to be through",
        // Not its job alone: libvirt 9.0 that is killed while it begins a backup waits for that for ever.
        async () =>
          await host.virsh("backup-dumpxml", vm.name).then(() => true, () => false) ||
          (await call(server, "list_backup_runs", { backupId })).every(({ state }) => state !== "running"),
        { every: 20 },
      );
      await host.kill();
      await host.start();
      const ended = await endOf(server, backupId, id);
      assert.ok(["done", "failed"].includes(ended.state), JSON.stringify(ended));
      assert.equal(await vm.state(), "running");
      if (ended.state === "done") {
        assert.equal((await call(server, "verify_backup", { backupId, runId: id })).ok, true);
      }
      await until("it is connected", async () => (await call(server, "get_connection_status")).connected);
      // A libvirtd that has just started holds the VM until QEMU has told it all, however long that takes.
      await until(
        "libvirtd to have taken the VM over",
        () =>
          host.virsh("qemu-monitor-command", vm.name, "--hmp", "info version").then(() => true, () => false),
      );
      const last = await runOf(server, backupId);
      assert.equal(last.state, "done", JSON.stringify(last));
      assert.equal((await call(server, "verify_backup", { backupId, runId: last.id })).ok, true);
      assert.equal((await host.virsh("checkpoint-list", vm.name, "--name")).split("\n").length, 1);
    } finally {
      await run(["umount", "-l", folder.path]);
    }
  },
});

Deno.test({
  name: "a bandwidth limit is kept for VMs that run and for those that are off, qcow2 and raw",
  ignore,
  fn: async () => {
    await using vm = await testMachine({
      purpose: "backupslow",
      guest: false,
      disks: [{ size: "32M" }, { size: "32M", format: "raw" }],
    });
    for (const [index, format] of ["qcow2", "raw"].entries()) {
      await run(["qemu-io", "-f", format, "-c", `write -P ${index + 5} 0 16M`, vm.disks[index]!]);
    }
    await using folder = await backupFolder();
    await using server = await readyServer();
    await known(server, vm.uuid);
    const { id: backupId, maxMibPerSecond } = await call(server, "create_backup", {
      name: "slow",
      folder: folder.path,
      targets: { vmIds: [vm.uuid] },
      maxMibPerSecond: 16,
    });
    assert.equal(maxMibPerSecond, 16);
    const seconds = async () => {
      const { state, startedAt, endedAt } = await runOf(server, backupId);
      assert.equal(state, "done");
      return (endedAt! - startedAt) / 1000;
    };
    // 32 MiB of content: that many chunks of 2 MiB, of which the first goes at once.
    assert.ok(await seconds() >= 1.8);
    await vm.start();
    await shows(server, vm.uuid, ({ state }) => state === "running");
    assert.ok(await seconds() >= 1.8);
    const changed = await call(server, "update_backup", { backupId, maxMibPerSecond: 0 });
    assert.equal(changed.maxMibPerSecond, 0);
    assert.equal((await runOf(server, backupId)).state, "done");
  },
});

/** Why UEFI cannot be tried here, or null. */
async function noFirmware(): Promise<string | null> {
  try {
    await ensurePackages("ovmf");
    return null;
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    console.error(`SKIP firmware: ${error.message}`);
    return error.message;
  }
}

Deno.test({
  name: "UEFI variables are in a copy, and come back with a new VM and in place",
  ignore: ignore || await noFirmware() !== null,
  fn: async () => {
    await using pool = await testPool();
    await using vm = await testMachine({
      purpose: "backupuefi",
      guest: false,
      disks: [{ pool, size: "4M" }],
    });
    const nvram = `/var/lib/libvirt/qemu/nvram/${vm.name}_VARS.fd`;
    const xml = (await vm.xml("--inactive")).replace("<os>", "<os firmware='efi'>");
    const file = await Deno.makeTempFile();
    await Deno.writeTextFile(file, xml);
    await virsh("define", file).finally(() => Deno.remove(file));
    await vm.start();
    await virsh("destroy", vm.name);
    await using folder = await backupFolder();
    await using server = await readyServer();
    await known(server, vm.uuid);
    await shows(server, vm.uuid, ({ state }) => state === "stopped");
    const before = await Deno.readFile(nvram);
    before[70_000] = 0x5a;
    await Deno.writeFile(nvram, before);
    const { id: backupId } = await call(server, "create_backup", {
      name: "uefi",
      folder: folder.path,
      targets: { vmIds: [vm.uuid] },
    });
    const copy = await runOf(server, backupId);
    assert.equal(copy.state, "done", JSON.stringify(copy));
    await Deno.writeFile(nvram, before.map(() => 0));
    const restore = { backupId, runId: copy.id, vmId: vm.uuid };
    const name = `${vm.name}-new`, own = `/var/lib/libvirt/qemu/nvram/${name}_VARS.fd`;
    const made = await call(server, "restore_backup", { ...restore, name, pool: pool.name });
    try {
      assert.deepEqual(await Deno.readFile(own), before);
      await virsh("start", name);
      await shows(server, made.vmId, ({ state }) => state === "running");
      assert.match(await virsh("dumpxml", name), new RegExp(`<nvram[^>]*>${own}</nvram>`));
    } finally {
      await virsh("destroy", name).catch(() => {/* it was not started */});
      await virsh("undefine", name, "--nvram");
    }
    await call(server, "restore_backup", { ...restore, inPlace: true });
    assert.deepEqual(await Deno.readFile(nvram), before);
    await vm.start();
    assert.equal(await vm.state(), "running");
    await virsh("destroy", vm.name);
    await virsh("undefine", vm.name, "--nvram");
  },
});
