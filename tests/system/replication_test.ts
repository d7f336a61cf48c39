/** The life of a replica: made, brought up to date by what changed, tested, switched over and back. */
import assert from "node:assert/strict";
import { type MigrationHost, migrationHosts, randomImage } from "../testbed/migration_hosts.ts";
import { run } from "../testbed/process.ts";
import { call, refused, shows } from "../testbed/product.ts";
import { guestRuns } from "../testbed/migration_guest.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("guest") !== null;
const MIB = 1024 ** 2;

/** Waits for the increment that is under way, takes another one, and gives it. */
async function replicated({ server }: MigrationHost, replicationId: string) {
  const idle = async () => {
    const found = (await call(server, "list_replications")).find(({ id }) => id === replicationId);
    return found !== undefined && !found.running && found.lastRun !== null;
  };
  await until("no increment to be under way", idle, { seconds: 120 });
  return await call(server, "replicate_now", { replicationId });
}

const replicaOn = async ({ server }: MigrationHost) => (await call(server, "list_replicas"))[0]!;

/** Content of a disk, as its guest sees it. */
async function content(path: string): Promise<string> {
  const raw = await Deno.makeTempFile();
  try {
    await run(["qemu-img", "convert", "-U", "-O", "raw", path, raw]);
    const hash = await crypto.subtle.digest("SHA-256", await Deno.readFile(raw));
    return new Uint8Array(hash).toHex();
  } finally {
    await Deno.remove(raw);
  }
}

Deno.test({
  name: "a replica is made, brought up to date by what changed, tested, switched over to, and back",
  ignore,
  fn: async (t) => {
    await using hosts = await migrationHosts();
    const { from, to } = hosts, path = await randomImage(from, "disk.qcow2", 128);
    const vm = await from.libvirt.machine({
      guest: true,
      start: true,
      serial: "pty",
      disks: [{ path, format: "qcow2", bus: "virtio" }],
    });
    await vm.waitForBoot();
    const { uuid: vmId, name } = vm;
    await shows(from.server, vmId, ({ guestAgent }) => guestAgent === "connected", { seconds: 60 });
    await call(from.server, "set_tags", { vmId, tags: ["web"] });
    const write = (at: number, mib: number, host = from) =>
      guestRuns(
        host,
        name,
        `dd if=/dev/urandom of=/dev/vda bs=1M seek=${at} count=${mib} conv=fsync 2>/dev/null`,
      );
    let replicationId = "";

    await t.step("created, its first copy is sent; it is no VM there", async () => {
      const made = await call(from.server, "create_replication", {
        vmId,
        toHost: "there",
        everySeconds: 86_400,
      });
      replicationId = made.id;
      await refused(call(from.server, "create_replication", { vmId, toHost: "there" }), "ReplicationExists");
      const first = await until("the first copy", async () => {
        const [found] = await call(from.server, "list_replications");
        return found?.takenAt === null || found?.running ? null : found;
      }, { seconds: 120 });
      assert.equal(first.lastRun?.state, "done", JSON.stringify(first.lastRun));
      assert.ok(first.lastRun.sentBytes >= 128 * MIB && first.lastRun.sentBytes < 132 * MIB);
      assert.deepEqual([await to.vms(), await to.volumes()], [[], []]);
      const replica = await replicaOn(to);
      assert.deepEqual(
        [replica.vmId, replica.vmName, replica.state, replica.late, replica.bytes],
        [vmId, name, "replica", false, 128 * MIB],
      );
      assert.equal(replica.takenAt, first.takenAt);
    });

    await t.step("64 MiB that changed move little more; nothing moves next to nothing", async () => {
      await write(16, 64);
      const changed = await replicated(from, replicationId);
      assert.equal(changed.message, null);
      assert.ok(
        changed.sentBytes >= 64 * MIB && changed.sentBytes < 65 * MIB,
        `${changed.sentBytes} were sent`,
      );
      const nothing = await replicated(from, replicationId);
      assert.ok(nothing.sentBytes < MIB, `${nothing.sentBytes} were sent`);
    });

    await t.step("its checkpoint lies next to a backup's", async () => {
      const folder = from.libvirt.stateFile("backups");
      await Deno.mkdir(folder, { recursive: true });
      const { id: backupId } = await call(from.server, "create_backup", {
        name: "nightly",
        folder: "/var/lib/libvirt/backups",
        targets: { vmIds: [vmId] },
      });
      const backedUp = async () => {
        await call(from.server, "run_backup_now", { backupId });
        await until(
          "the backup",
          async () => !(await call(from.server, "get_backup", { backupId })).running,
          {
            seconds: 60,
          },
        );
        const [latest] = await call(from.server, "list_backup_runs", { backupId, limit: 1 });
        assert.equal(latest?.copies[0]?.state, "done", JSON.stringify(latest));
        return latest!.copies[0]!;
      };
      await backedUp();
      await write(100, 4);
      const increment = await replicated(from, replicationId);
      assert.equal(increment.message, null);
      assert.ok(increment.sentBytes >= 4 * MIB && increment.sentBytes < 5 * MIB, `${increment.sentBytes}`);
      assert.ok((await backedUp()).readBytes! < 6 * MIB);
      assert.ok((await replicated(from, replicationId)).sentBytes < MIB);
      await call(from.server, "delete_backup", { backupId });
    });

    await t.step("QEMU is killed: what it noted is gone, what differs alone is sent", async () => {
      await write(2, 2);
      Deno.kill((await from.libvirt.qemuOf(name))!, "SIGKILL");
      await shows(from.server, vmId, ({ state }) => state === "stopped" || state === "crashed");
      await call(from.server, "start_vm", { vmId });
      await shows(from.server, vmId, ({ guestAgent }) => guestAgent === "connected", { seconds: 90 });
      const increment = await replicated(from, replicationId);
      assert.notEqual(increment.message, null);
      assert.ok(increment.sentBytes >= 2 * MIB && increment.sentBytes < 4 * MIB, `${increment.sentBytes}`);
    });

    await t.step("the replica is protected and cannot be started", async () => {
      const { folder } = await replicaOn(to);
      assert.match(folder, /\.kvm-manager-replicas\//);
      await refused(
        call(to.server, "delete_storage_pool", { pool: "images", deleteContent: true }),
        "VolumeInUse",
        /replica of/,
      );
      assert.ok(
        (await Array.fromAsync(Deno.readDir(`${to.images}/.kvm-manager-replicas/${replicationId}`))).length >=
          2,
      );
    });

    await t.step("tested: a VM with its content that reaches nothing; increments go on", async () => {
      const replica = await replicaOn(to);
      const { test } = await call(to.server, "test_replica", { replicaId: replica.id });
      assert.ok(test);
      await shows(to.server, test.vmId, ({ state }) => state === "running");
      assert.doesNotMatch(await to.libvirt.virsh("dumpxml", test.name), /<source network=/);
      await write(0, 1);
      const increment = await replicated(from, replicationId);
      assert.ok(increment.sentBytes < 2 * MIB);
      await shows(to.server, test.vmId, ({ guestAgent }) => guestAgent === "connected", { seconds: 90 });
      await guestRuns(to, test.name, "dd if=/dev/zero of=/dev/vda bs=1M count=8 conv=fsync 2>/dev/null");
      await refused(call(to.server, "test_replica", { replicaId: replica.id }), "ReplicationBusy");
      assert.equal((await call(to.server, "end_replica_test", { replicaId: replica.id })).test, null);
      assert.deepEqual(await to.vms(), []);
      await replicated(from, replicationId);
    });

    await t.step("planned switch-over: nothing is lost, the old one is not started any more", async () => {
      await write(30, 1);
      await call(from.server, "set_autostart", { vmId, autostart: true });
      const plan = await call(to.server, "get_switch_over_plan", { replicaId: replicationId });
      assert.equal(plan.possible, false);
      await refused(
        call(to.server, "promote_replica", { replicaId: replicationId }),
        "ReplicationNotPossible",
      );
      const done = await call(from.server, "switch_over", { replicationId });
      assert.deepEqual([done.vmId, done.toHost, done.started], [vmId, "there", true]);
      assert.equal(await from.libvirt.virsh("domstate", name), "shut off");
      assert.equal(await to.libvirt.virsh("domstate", name), "running");
      const [volume] = await to.volumes();
      await refused(call(from.server, "start_vm", { vmId }), "VmNotOwner");
      assert.match(await from.libvirt.virsh("dominfo", name), /Autostart: +disable/);
      await shows(to.server, vmId, ({ tags }) => tags.includes("web"));
      const [{ state } = { state: "" }] = await call(from.server, "list_replications");
      assert.equal(state, "lost");
      await refused(call(from.server, "delete_replication", { replicationId }), "ReplicaPromoted");
      await shows(to.server, vmId, ({ guestAgent }) => guestAgent === "connected", { seconds: 90 });
      assert.equal(await content(`${to.images}/${volume}`), await content(`${from.images}/disk.qcow2`));
    });

    await t.step("the way back: its old disk is the base, and what differs is sent", async () => {
      await write(50, 3, to);
      const back = await call(to.server, "create_replication", {
        vmId,
        toHost: "there",
        everySeconds: 86_400,
        takeOld: true,
      });
      const first = await until("the first increment back", async () => {
        const found = (await call(to.server, "list_replications")).find(({ id }) => id === back.id);
        return found?.lastRun?.endedAt ? found : null;
      }, { seconds: 120 });
      assert.equal(first.lastRun?.state, "done", JSON.stringify(first.lastRun));
      assert.ok(first.lastRun!.sentBytes < 5 * MIB, `${first.lastRun!.sentBytes} were sent`);
      assert.deepEqual(await from.vms(), []);
      assert.equal((await call(from.server, "list_bin")).length, 1);
      assert.deepEqual(await call(from.server, "list_replications"), []);
      await write(60, 1, to);
      const done = await call(to.server, "switch_over", { replicationId: back.id });
      assert.equal(done.started, true);
      assert.equal(await from.libvirt.virsh("domstate", name), "running");
      assert.deepEqual([...from.open(), ...to.open()], []);
    });
  },
});

Deno.test({
  name:
    "a first copy that is cut goes on with the rest; off, nothing is read twice; a resized disk comes whole",
  ignore,
  fn: async (t) => {
    await using hosts = await migrationHosts();
    const { from, to } = hosts, path = await randomImage(from, "disk.qcow2", 64);
    const { name, uuid: vmId } = await from.libvirt.machine({
      start: true,
      disks: [{ path, format: "qcow2", bus: "virtio" }],
    });
    await shows(from.server, vmId, ({ state }) => state === "running");
    const { id: replicationId } = await call(from.server, "create_replication", {
      vmId,
      toHost: "there",
      everySeconds: 86_400,
      maxMibPerSecond: 8,
    });
    const found = async () => (await call(from.server, "list_replications"))[0]!;

    await t.step("cut in the middle: the replica has no state, and what came is kept", async () => {
      const part = `${to.images}/.kvm-manager-replicas/${replicationId}`;
      await until("a half of it to have come", async () => {
        const names = await Array.fromAsync(Deno.readDir(part)).catch(() => []);
        const [file] = names.filter((each) => each.name.endsWith(".part"));
        return file !== undefined && (await Deno.stat(`${part}/${file.name}`)).size > 32 * MIB;
      }, { seconds: 60 });
      to.line.cut();
      const failed = await until("the increment to fail", async () => {
        const { lastRun } = await found();
        return lastRun?.state === "failed" ? lastRun : null;
      }, { seconds: 60 });
      assert.ok(failed.message !== null);
      const replica = await replicaOn(to);
      assert.equal(replica.takenAt, null);
      await refused(
        call(to.server, "promote_replica", { replicaId: replicationId, force: true }),
        "ReplicationNotPossible",
        /no increment of it is whole/,
      );
      await from.linked();
      await call(from.server, "update_replication", { replicationId, maxMibPerSecond: 0 });
      const rest = await replicated(from, replicationId);
      assert.ok(rest.sentBytes > MIB && rest.sentBytes < 40 * MIB, `${rest.sentBytes} were sent`);
    });

    await t.step("off: compared once, then it is up to date as it is", async () => {
      await from.libvirt.virsh("destroy", name);
      await shows(from.server, vmId, ({ state }) => state === "stopped");
      const first = await replicated(from, replicationId), before = (await found()).takenAt!;
      assert.ok(first.sentBytes < MIB, `${first.sentBytes} were sent`);
      const again = await replicated(from, replicationId);
      assert.equal(again.sentBytes, 0);
      assert.ok((await found()).takenAt! > before);
      assert.equal((await replicaOn(to)).takenAt, (await found()).takenAt);
    });

    await t.step("a host in maintenance takes no VM over, and its guest goes on", async () => {
      await call(from.server, "start_vm", { vmId });
      await call(to.server, "start_maintenance", { drain: false, reason: "new disks" });
      const isKnown = async () =>
        (await call(from.server, "list_hosts")).some(({ id, maintenance }) =>
          id === "there" && maintenance !== undefined
        );
      await until("the maintenance to be known", isKnown);
      await refused(call(from.server, "switch_over", { replicationId }), "HostInMaintenance", /new disks/);
      assert.equal((await call(from.server, "get_vm", { vmId })).state, "running");
      const replica = { replicaId: replicationId };
      await refused(call(to.server, "promote_replica", { ...replica, force: true }), "HostInMaintenance");
      await refused(call(to.server, "test_replica", replica), "HostInMaintenance");
      await call(to.server, "end_maintenance", { bringBack: false });
      await until("its end to be known", async () => !await isKnown());
      await from.libvirt.virsh("destroy", name);
      await shows(from.server, vmId, ({ state }) => state === "stopped");
    });

    await t.step("a disk of another size takes the place of the one before", async () => {
      await run(["qemu-img", "resize", "-q", `${from.images}/disk.qcow2`, "80M"]);
      const whole = await replicated(from, replicationId);
      assert.ok(whole.sentBytes >= 64 * MIB, `${whole.sentBytes} were sent`);
      assert.equal((await replicaOn(to)).bytes, 80 * MIB);
    });

    await t.step("its VM of the replica is what it was, also where its host is not asked", async () => {
      const expected = await content(`${from.images}/disk.qcow2`);
      const done = await call(to.server, "promote_replica", {
        replicaId: replicationId,
        start: false,
        force: true,
      }).catch((error) => error);
      assert.equal(done.started, false, String(done));
      assert.deepEqual(await to.vms(), [name]);
      const [volume] = await to.volumes();
      assert.equal(await content(`${to.images}/${volume}`), expected);
      await refused(call(from.server, "replicate_now", { replicationId }), "ReplicaPromoted");
      await refused(call(from.server, "start_vm", { vmId }), "VmNotOwner");
      await call(from.server, "delete_replication", { replicationId, reclaim: true });
      await call(from.server, "start_vm", { vmId });
      assert.equal(await from.libvirt.virsh("domstate", name), "running");
    });
  },
});
