/**
 * A VM that is replicated, and what else happens to it: snapshots, renaming, moves, the bin, disks that come, go, grow and move,
 * saved memory, lost checkpoints. Whatever it was, the VM that is made of the replica afterwards has what the source has.
 */
import assert from "node:assert/strict";
import { link, MigrationHost, migrationHosts, randomImage } from "../testbed/migration_hosts.ts";
import { run } from "../testbed/process.ts";
import { call, refused, shows } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("qemu") !== null;

/** Has QEMU write to a disk of a VM that runs, as its guest would. What it says of that goes to its log. */
async function writes(host: MigrationHost, name: string, line: string, disk = 0): Promise<void> {
  const path = (await imagesOf(host, name))[disk]!, before = await content(host, path);
  for (const each of [line, "flush"]) {
    const device = `/machine/peripheral/virtio-disk${disk}/virtio-backend`;
    const said = await host.libvirt.virsh(
      "qemu-monitor-command",
      name,
      "--hmp",
      `qemu-io -d ${device} "${each}"`,
    );
    assert.equal(said.trim(), "");
  }
  assert.notEqual(await content(host, path), before, line);
}

/** Content of a disk, as its guest sees it. @param path as that host has it */
async function content({ libvirt }: MigrationHost, path: string): Promise<string> {
  const raw = "/var/lib/libvirt/compared.raw";
  await libvirt.inside("qemu-img", "convert", "-U", "-O", "raw", path, raw);
  return (await libvirt.inside("sha256sum", raw)).split(" ")[0]!;
}

/** The images that a VM has now, as libvirt tells, in the order of its disks. */
async function imagesOf({ libvirt }: MigrationHost, name: string): Promise<string[]> {
  const lines = (await libvirt.virsh("domblklist", name, "--details")).split("\n");
  return lines.map((line) => line.trim().split(/\s+/)).filter((each) => each[1] === "disk").map((each) =>
    each[3]!
  );
}

/** A replicated VM. */
interface Replicated {
  readonly vmId: string;
  readonly name: string;
  readonly id: string;
}

Deno.test({
  name: "whatever happens to a replicated VM, its replica is right or an error says why not",
  ignore,
  fn: async (t) => {
    await using hosts = await migrationHosts();
    const { from, to } = hosts;
    const step = async (what: string, work: () => Promise<void>) => {
      await t.step(what, work);
    };
    const found = async (id: string, host = from) =>
      (await call(host.server, "list_replications")).find((each) => each.id === id);
    const replica = async (id: string, host = to) =>
      (await call(host.server, "list_replicas")).find((each) => each.id === id);
    const idle = (id: string) =>
      until("no increment to be under way", async () => {
        const now = await found(id);
        return now !== undefined && !now.running && now.lastRun !== null;
      }, { seconds: 60 });
    const next = async ({ id }: Replicated) => {
      await idle(id);
      return await call(from.server, "replicate_now", { replicationId: id });
    };
    /** Path of an image, as the test sees it. */
    const shown = (path: string) => from.libvirt.stateFile(path.replace("/var/lib/libvirt/", ""));
    let count = 0;
    const replicated = async (start = true, mib = 4): Promise<Replicated> => {
      const path = await randomImage(from, `pair-${++count}.qcow2`, mib);
      const { name, uuid: vmId } = await from.libvirt.machine({
        start,
        disks: [{ path, format: "qcow2", bus: "virtio" }],
      });
      await shows(from.server, vmId, ({ state }) => state === (start ? "running" : "stopped"));
      const { id } = await call(from.server, "create_replication", {
        vmId,
        toHost: "there",
        everySeconds: 86_400,
      });
      await until("the first copy", async () => {
        const now = await found(id);
        assert.notEqual(now?.lastRun?.state, "failed", JSON.stringify(now));
        return now?.lastRun?.state === "done" && !now.running;
      }, { seconds: 60 });
      return { vmId, name, id };
    };
    /** Makes the VM of the replica: it has what the source has now. */
    const same = async ({ vmId, id }: Replicated, name: string) => {
      const expected = [];
      for (const path of await imagesOf(from, name)) expected.push(await content(from, path));
      await call(to.server, "promote_replica", { replicaId: id, start: false, force: true });
      assert.deepEqual((await to.vms()).includes(name), true, `${await to.vms()}`);
      assert.equal((await to.libvirt.virsh("domuuid", name)).trim(), vmId);
      const got = [];
      for (const path of await imagesOf(to, name)) got.push(await content(to, path));
      assert.deepEqual(got, expected);
      await to.libvirt.virsh("undefine", name, "--nvram");
      await call(to.server, "delete_replica", { replicaId: id });
      await run(["sh", "-c", 'rm -f "$1"/*.qcow2', "sh", to.images]);
      await to.libvirt.virsh("pool-refresh", "images");
    };
    const gone = async ({ id }: Replicated, name: string) => {
      if (await found(id) !== undefined) {
        await call(from.server, "delete_replication", {
          replicationId: id,
          reclaim: true,
          keepReplica: true,
        });
      }
      if (await from.libvirt.qemuOf(name) !== null) await from.libvirt.virsh("destroy", name);
      await from.libvirt.virsh(
        "undefine",
        name,
        "--snapshots-metadata",
        "--checkpoints-metadata",
        "--managed-save",
      );
    };
    /** Takes its second disk out while it is off: no guest is there to let go of it. */
    const detached = async ({ vmId, name }: Replicated) => {
      await from.libvirt.virsh("destroy", name);
      await from.libvirt.virsh("detach-disk", name, "vdb", "--config");
      await from.libvirt.virsh("start", name);
      await shows(from.server, vmId, ({ state, disks }) => state === "running" && disks.length === 1);
    };
    const whole = async (vm: Replicated, name = vm.name) => {
      // Nothing writes any more while both are compared
      if (await from.libvirt.qemuOf(name) !== null) await from.libvirt.virsh("suspend", name);
      const last = await next(vm);
      await same(vm, name);
      await gone(vm, name);
      return last;
    };

    await step("a snapshot within the disk of a VM that runs, reverted to", async () => {
      const vm = await replicated(), { vmId, name } = vm;
      await call(from.server, "create_snapshot", { vmId, name: "s" });
      await writes(from, name, "write -P 17 1M 1M");
      await next(vm);
      await call(from.server, "revert_snapshot", { vmId, name: "s" });
      await next(vm);
      await writes(from, name, "write -P 18 2M 64k");
      await call(from.server, "delete_snapshot", { vmId, name: "s" });
      await next(vm);
      await writes(from, name, "write -P 19 3M 64k");
      const last = await whole(vm);
      assert.equal(last.message, null);
      assert.ok(last.sentBytes < 1024 ** 2);
    });

    await step("reverted between two increments", async () => {
      const vm = await replicated(), { vmId, name } = vm;
      await writes(from, name, "write -P 17 1M 1M");
      await call(from.server, "create_snapshot", { vmId, name: "s" });
      await writes(from, name, "write -P 18 0 2M");
      await call(from.server, "revert_snapshot", { vmId, name: "s" });
      await call(from.server, "delete_snapshot", { vmId, name: "s" });
      await writes(from, name, "write -P 19 3M 64k");
      await whole(vm);
    });

    await step("an external snapshot of another program, committed again", async () => {
      const vm = await replicated(), { name } = vm;
      await writes(from, name, "write -P 17 1M 64k");
      const made = await from.libvirt.virsh(
        "snapshot-create-as",
        name,
        "ext",
        "--disk-only",
        "--atomic",
        "--no-metadata",
      ).catch((error) => String(error));
      await writes(from, name, "write -P 18 2M 64k");
      await next(vm);
      await writes(from, name, "write -P 19 3M 64k");
      if (!/error/i.test(made)) {
        await from.libvirt.virsh("blockcommit", name, "vda", "--active", "--pivot", "--wait");
      }
      await writes(from, name, "write -P 20 3M 64k");
      await whole(vm);
    });

    await step("an external snapshot and its commit between two increments", async () => {
      const vm = await replicated(), { name } = vm;
      await writes(from, name, "write -P 17 1M 64k");
      const made = await from.libvirt.virsh(
        "snapshot-create-as",
        name,
        "ext",
        "--disk-only",
        "--atomic",
        "--no-metadata",
      ).catch((error) => String(error));
      await writes(from, name, "write -P 18 2M 64k");
      if (!/error/i.test(made)) {
        await from.libvirt.virsh("blockcommit", name, "vda", "--active", "--pivot", "--wait");
      }
      await writes(from, name, "write -P 20 3M 64k");
      await whole(vm);
    });

    await step("a snapshot of a VM that is off, reverted to while it is off", async () => {
      const vm = await replicated(false), { vmId } = vm;
      const path = (await imagesOf(from, vm.name))[0]!;
      await call(from.server, "create_snapshot", { vmId, name: "s" });
      await run(["qemu-io", "-f", "qcow2", "-c", "write -P 33 0 1M", shown(path)]);
      await next(vm);
      await call(from.server, "revert_snapshot", { vmId, name: "s" });
      await whole(vm);
    });

    await step(
      "renamed: made a VM after one increment, it has the new name, and so has all that is its own",
      async () => {
        const vm = await replicated(false), { vmId } = vm;
        await call(from.server, "rename_vm", { vmId, name: `${vm.name}-new` });
        await next(vm);
        assert.equal((await replica(vm.id))?.vmName, `${vm.name}-new`);
        await whole(vm, `${vm.name}-new`);
      },
    );

    await step("changed while it is off, with nothing written: the replica has the change", async () => {
      const vm = await replicated(false), { vmId, name } = vm;
      await next(vm);
      for (const what of ["setmaxmem", "setmem"]) await from.libvirt.virsh(what, name, "96M", "--config");
      await shows(from.server, vmId, (vm) => vm.memoryMb === 96);
      await next(vm);
      await call(to.server, "promote_replica", { replicaId: vm.id, start: false, force: true });
      assert.match(await to.libvirt.virsh("dominfo", name), /Max memory: +98304 KiB/);
      await to.libvirt.virsh("undefine", name);
      await call(to.server, "delete_replica", { replicaId: vm.id });
      await gone(vm, name);
    });

    await step("moved to another pool, while it runs and while it is off", async () => {
      const vm = await replicated(), { vmId, name } = vm;
      await Deno.mkdir(from.libvirt.stateFile("other"), { recursive: true });
      await call(from.server, "create_storage_pool", {
        name: "other",
        type: "dir",
        path: "/var/lib/libvirt/other",
      }).catch(() => {});
      await call(from.server, "move_disk", { vmId, target: "vda", pool: "other" });
      await writes(from, name, "write -P 18 2M 64k");
      await next(vm);
      await from.libvirt.virsh("destroy", name);
      await shows(from.server, vmId, ({ state }) => state === "stopped");
      await call(from.server, "move_disk", { vmId, target: "vda", pool: "images" });
      await next(vm);
      await call(from.server, "start_vm", { vmId });
      await writes(from, name, "write -P 19 3M 64k");
      await whole(vm);
    });

    await step("a disk comes, grows and goes while it runs", async () => {
      const vm = await replicated(), { vmId, name } = vm;
      const two = await randomImage(from, `second-${count}.qcow2`, 2);
      await from.libvirt.virsh(
        "attach-disk",
        name,
        two,
        "vdb",
        "--driver",
        "qemu",
        "--subdriver",
        "qcow2",
        "--persistent",
      );
      await shows(from.server, vmId, ({ disks }) => disks.some(({ target }) => target === "vdb"));
      await next(vm);
      await writes(from, name, "write -P 21 1M 64k");
      const changed = await next(vm);
      assert.ok(changed.sentBytes < 1024 ** 2, JSON.stringify(changed));
      await from.libvirt.virsh("blockresize", name, "vda", "16M");
      await writes(from, name, "write -P 22 5M 64k");
      await next(vm);
      await writes(from, name, "write -P 23 6M 64k");
      await detached(vm);
      await whole(vm);
    });

    await step("detached, written to elsewhere, attached again between two increments", async () => {
      const vm = await replicated(), { vmId, name } = vm;
      const two = await randomImage(from, `second-${count}.qcow2`, 2);
      await from.libvirt.virsh(
        "attach-disk",
        name,
        two,
        "vdb",
        "--driver",
        "qemu",
        "--subdriver",
        "qcow2",
        "--persistent",
      );
      await shows(from.server, vmId, ({ disks }) => disks.some(({ target }) => target === "vdb"));
      await next(vm);
      await detached(vm);
      await run([
        "qemu-io",
        "-f",
        "qcow2",
        "-c",
        "write -P 44 1M 64k",
        `${from.images}/second-${count}.qcow2`,
      ]);
      await from.libvirt.virsh(
        "attach-disk",
        name,
        two,
        "vdb",
        "--driver",
        "qemu",
        "--subdriver",
        "qcow2",
        "--persistent",
      );
      await shows(from.server, vmId, ({ disks }) => disks.some(({ target }) => target === "vdb"));
      await whole(vm);
    });

    await step("saved to disk, and going on", async () => {
      const vm = await replicated(), { vmId, name } = vm;
      await writes(from, name, "write -P 18 2M 64k");
      await call(from.server, "suspend_vm", { vmId });
      await shows(from.server, vmId, ({ state }) => state === "suspended");
      await next(vm);
      await refused(call(from.server, "switch_over", { replicationId: vm.id }), "HasSavedMemory");
      assert.equal((await found(vm.id))?.state, "active");
      await call(from.server, "start_vm", { vmId });
      await writes(from, name, "write -P 19 2M 64k");
      await whole(vm);
    });

    await step("its checkpoint deleted, with and without its bitmap, and QEMU killed", async () => {
      const vm = await replicated(), { vmId, name } = vm;
      for (const [n, how] of [[], ["--metadata"]].entries()) {
        const checkpoint = (await from.libvirt.virsh("checkpoint-list", name, "--name")).trim().split("\n")
          .at(-1)!;
        await writes(from, name, `write -P ${51 + n} 1M 64k`);
        await from.libvirt.virsh("checkpoint-delete", name, checkpoint, ...how);
        await writes(from, name, `write -P ${61 + n} 2M 64k`);
        assert.notEqual((await next(vm)).message, null);
      }
      await writes(from, name, "write -P 53 2M 64k");
      Deno.kill((await from.libvirt.qemuOf(name))!, "SIGKILL");
      await shows(from.server, vmId, ({ state }) => state === "stopped" || state === "crashed");
      await call(from.server, "start_vm", { vmId });
      await writes(from, name, "write -P 54 3M 64k");
      await whole(vm);
    });

    await step("its bitmap removed behind libvirt's back while it is off", async () => {
      const vm = await replicated(), { vmId, name } = vm;
      await from.libvirt.virsh("destroy", name);
      await shows(from.server, vmId, ({ state }) => state === "stopped");
      const path = (await imagesOf(from, name))[0]!;
      const checkpoint = (await from.libvirt.virsh("checkpoint-list", name, "--name")).trim().split("\n").at(
        -1,
      )!;
      await run(["qemu-img", "bitmap", "--remove", shown(path), checkpoint]);
      await run(["qemu-io", "-f", "qcow2", "-c", "write -P 44 1M 64k", shown(path)]);
      await call(from.server, "start_vm", { vmId });
      await shows(from.server, vmId, ({ state }) => state === "running");
      await whole(vm);
    });

    await step("the bin and back", async () => {
      const vm = await replicated(), { vmId, name } = vm;
      await writes(from, name, "write -P 18 2M 64k");
      await from.libvirt.virsh("destroy", name);
      await shows(from.server, vmId, ({ state }) => state === "stopped");
      const deleted = await call(from.server, "delete_vm", { vmId, deleteDisks: true });
      await refused(call(from.server, "replicate_now", { replicationId: vm.id }), "VmNotFound");
      assert.equal((await found(vm.id))?.lastRun?.state, "failed");
      await call(from.server, "restore_bin_entry", { entryId: deleted.bin!.entryId });
      await shows(from.server, vmId, ({ state }) => state === "stopped");
      assert.ok(await found(vm.id) !== undefined);
      await next(vm);
      await call(from.server, "start_vm", { vmId });
      await writes(from, name, "write -P 19 3M 64k");
      await whole(vm);
    });

    await step("cloned: the clone is replicated by itself, and the VM goes on", async () => {
      const vm = await replicated(), { vmId, name } = vm;
      await writes(from, name, "write -P 18 2M 64k");
      const clone = await call(from.server, "clone_vm", { vmId, name: `${name}-clone` });
      assert.equal(
        (await call(from.server, "list_replications")).some((each) => each.vmId === clone.vmId),
        false,
      );
      await writes(from, name, "write -P 19 3M 64k");
      const last = await whole(vm);
      assert.equal(last.message, null);
      await call(from.server, "delete_vm", { vmId: clone.vmId, deleteDisks: true, permanently: true });
    });

    await step("a backup and an increment at once: one waits for the other", async () => {
      const vm = await replicated(true, 160), { vmId, name } = vm;
      const folder = from.libvirt.stateFile(`backups-${count}`);
      await Deno.mkdir(folder, { recursive: true });
      const { id: backupId } = await call(from.server, "create_backup", {
        name: `b-${count}`,
        folder: `/var/lib/libvirt/backups-${count}`,
        targets: { vmIds: [vmId] },
      });
      const backedUp = async () => {
        await until(
          "the backup",
          async () => !(await call(from.server, "get_backup", { backupId })).running,
          { seconds: 60 },
        );
        const [latest] = await call(from.server, "list_backup_runs", { backupId, limit: 1 });
        assert.equal(latest?.copies[0]?.state, "done", JSON.stringify(latest));
      };
      /** Something is about to be copied, or is. */
      const copying = () =>
        until("a copy to begin", async () => {
          const names = await Array.fromAsync(Deno.readDir(from.images));
          return names.some((each) => each.name.startsWith(".kvm-manager-spool-"));
        }, { every: 10 });
      await call(from.server, "run_backup_now", { backupId });
      await copying();
      assert.equal((await call(from.server, "replicate_now", { replicationId: vm.id })).state, "done");
      await backedUp();
      // All of it is read once more
      const checkpoints = (await from.libvirt.virsh("checkpoint-list", name, "--name")).trim().split("\n");
      await from.libvirt.virsh("checkpoint-delete", name, checkpoints.find((each) => each.includes(vm.id))!);
      const increment = call(from.server, "replicate_now", { replicationId: vm.id });
      await copying();
      await call(from.server, "run_backup_now", { backupId });
      assert.equal((await increment).state, "done");
      await backedUp();
      await call(from.server, "delete_backup", { backupId });
      await whole(vm);
    });

    await step("moved to the host that has the replica, and back", async () => {
      const vm = await replicated(), { vmId, name } = vm;
      await writes(from, name, "write -P 18 2M 64k");
      const plan = await call(from.server, "get_migration_plan", { vmId, toHost: "there" });
      assert.match(
        plan.findings.map(({ text }) => text).join(),
        /stays with .* the replication of .* to there/,
      );
      await call(from.server, "migrate_vm", { vmId, toHost: "there" });
      await refused(
        call(from.server, "replicate_now", { replicationId: vm.id }),
        "ReplicationNotPossible",
        /a VM with its id/,
      );
      await refused(
        call(to.server, "promote_replica", { replicaId: vm.id, force: true }),
        "ReplicationNotPossible",
      );
      await writes(to, name, "write -P 19 3M 64k");
      await call(to.server, "migrate_vm", { vmId, toHost: "there" });
      await next(vm);
      await writes(from, name, "write -P 20 1M 64k");
      await whole(vm);
    });

    await step(
      "a VM that is switched over is not replicated, moved or switched over to a third host",
      async () => {
        await using undo = new AsyncDisposableStack();
        const third = await MigrationHost.start("third", undo);
        await link(from, third, "third");
        const vm = await replicated(false), { vmId, name } = vm;
        const { id: other } = await call(from.server, "create_replication", {
          vmId,
          toHost: "third",
          everySeconds: 86_400,
        });
        await until("the first copy there", async () => (await found(other))?.lastRun?.state === "done", {
          seconds: 60,
        });
        await call(from.server, "switch_over", { replicationId: vm.id, start: false });
        await refused(call(from.server, "replicate_now", { replicationId: other }), "VmNotOwner");
        await refused(call(from.server, "switch_over", { replicationId: other }), "VmNotOwner");
        await refused(call(from.server, "migrate_vm", { vmId, toHost: "third" }), "VmNotOwner");
        assert.deepEqual(await third.vms(), []);
        await call(from.server, "delete_replication", { replicationId: other });
        await to.libvirt.virsh("undefine", name, "--nvram");
        await run(["sh", "-c", 'rm -f "$1"/*.qcow2', "sh", to.images]);
        await to.libvirt.virsh("pool-refresh", "images");
        await call(to.server, "delete_replica", { replicaId: vm.id });
        await gone(vm, name);
        await call(from.server, "remove_host", { hostId: "third" });
      },
    );

    assert.deepEqual([...from.open(), ...to.open()], []);
  },
});
