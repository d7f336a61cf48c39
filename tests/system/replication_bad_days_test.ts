/**
 * Replication and switch-over on bad days: storage of the replica that is full, in the middle of an increment and of a merge; a
 * QEMU, a libvirtd and a KVM Manager that are stopped and go on; a line that breaks in the last moment. The replica is the last
 * whole increment, all goes on by itself, and a VM is nowhere no longer than need be.
 */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { type MigrationHost, migrationHosts, randomImage } from "../testbed/migration_hosts.ts";
import { freeze, thaw } from "../testbed/pid.ts";
import { call, refusal, refused, shows } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";
import { delay, until } from "../testbed/wait.ts";

const ignore = await requirement("qemu") !== null;
const POOL = "/var/lib/libvirt/images", MIB = 1024 ** 2;

/** Content of a disk, as its guest sees it. @param path as that host has it */
async function content({ libvirt }: MigrationHost, path: string): Promise<string> {
  const raw = "/var/lib/libvirt/compared.raw";
  await libvirt.inside("qemu-img", "convert", "-U", "-O", "raw", path, raw);
  return (await libvirt.inside("sha256sum", raw)).split(" ")[0]!;
}

/** Marks a promise as handled: a later failure is reported by the code that awaits it. */
function given<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {/* told by whoever waits for it */});
  return promise;
}

Deno.test({
  name: "replication on bad days: full storage, what is stopped, lines that break in the last moment",
  ignore,
  fn: async (t) => {
    await using hosts = await migrationHosts();
    const { from, to } = hosts;
    const step = async (what: string, work: () => Promise<void>) => void await t.step(what, work);
    const found = async (id: string) =>
      (await call(from.server, "list_replications")).find((each) => each.id === id);
    const now = (id: string) => call(from.server, "replicate_now", { replicationId: id });
    let count = 0;
    const replicated = async (mib: number, start: boolean, more: Record<string, unknown> = {}) => {
      const image = `bad-${++count}.qcow2`, path = await randomImage(from, image, mib);
      const { name, uuid: vmId } = await from.libvirt.machine({
        start,
        disks: [{ path, format: "qcow2", bus: "virtio" }],
      });
      await shows(from.server, vmId, ({ state }) => state === (start ? "running" : "stopped"));
      const { id } = await call(from.server, "create_replication", {
        vmId,
        toHost: "there",
        everySeconds: 86_400,
        ...more,
      });
      await until("the first copy", async () => {
        const last = await found(id);
        assert.notEqual(last?.lastRun?.state, "failed", JSON.stringify(last));
        return last?.lastRun?.state === "done" && !last.running;
      }, { seconds: 60 });
      return { vmId, name, id, path };
    };
    const writes = async (name: string, line: string) => {
      for (const each of [line, "flush"]) {
        const said = await from.libvirt.virsh(
          "qemu-monitor-command",
          name,
          "--hmp",
          `qemu-io -d /machine/peripheral/virtio-disk0/virtio-backend "${each}"`,
        );
        assert.equal(said.trim(), "");
      }
    };
    /** Has QEMU write what does not compress. */
    const writesNoise = async (name: string, mib: number) => {
      await from.libvirt.inside("sh", "-c", `head -c ${mib}M /dev/urandom >/var/lib/libvirt/noise`);
      await writes(name, `write -s /var/lib/libvirt/noise 0 ${mib}M`);
    };
    /** Puts a small file system where the pool of the other host is, which the product there sees after a start. */
    const small = async (mib: number) => {
      await to.libvirt.inside("mount", "-t", "tmpfs", "-o", `size=${mib}M`, "tmpfs", POOL);
      await seen();
    };
    const large = async () => {
      await to.libvirt.inside("umount", POOL);
      await seen();
    };
    const seen = async () => {
      await to.libvirt.virsh("pool-refresh", "images");
      await to.startServer();
      await from.linked();
    };
    /** Makes a VM of the replica, and looks whether it has what was there at a moment. */
    const holds = async ({ name, id }: { name: string; id: string }, expected: string) => {
      await call(to.server, "promote_replica", { replicaId: id, start: false, force: true });
      const [, disk] = /source file='([^']+)'/.exec(await to.libvirt.virsh("dumpxml", name))!;
      assert.equal(await content(to, disk!), expected);
      await to.libvirt.virsh("undefine", name);
      await call(to.server, "delete_replica", { replicaId: id });
      await to.libvirt.inside("sh", "-c", `rm -f ${POOL}/*.qcow2`);
      await to.libvirt.virsh("pool-refresh", "images");
    };
    const gone = async ({ name, id }: { name: string; id: string }) => {
      if (await found(id) !== undefined) {
        await call(from.server, "delete_replication", {
          replicationId: id,
          reclaim: true,
          keepReplica: true,
        });
      }
      if (await from.libvirt.qemuOf(name) !== null) await from.libvirt.virsh("destroy", name);
      await from.libvirt.virsh("undefine", name, "--checkpoints-metadata");
    };

    await step(
      "the pool of the replica is full, in the middle of an increment and of its merge",
      async () => {
        await small(96);
        const vm = await replicated(40, true), first = await content(from, vm.path);
        const fill = (mib: number) =>
          to.libvirt.inside(
            "sh",
            "-c",
            `dd if=/dev/zero of=${POOL}/filler bs=1M count=${mib} 2>/dev/null || true`,
          );
        // 40 MiB are the replica's, 46 the filler's
        await fill(46);
        await writes(vm.name, "write -P 7 0 1M");
        await writes(vm.name, "write -P 8 1M 30M");
        // What compresses well takes no room on the line, but in the file
        const { code, message } = await refusal(now(vm.id));
        assert.equal(code, "ReplicationFailed");
        assert.match(message, /its storage pool images is full/);
        const replica = (await call(to.server, "list_replicas")).find(({ id }) => id === vm.id);
        const last = await found(vm.id);
        assert.equal(replica?.takenAt, last?.takenAt);
        assert.deepEqual(last?.state, "active");
        // Room for the increment, and none for its merge into what was empty before
        await to.libvirt.inside("rm", `${POOL}/filler`);
        assert.equal((await now(vm.id)).state, "done");
        const second = await content(from, vm.path);
        assert.notEqual(second, first);
        await fill(200);
        await writes(vm.name, "write -P 9 20M 64k");
        await refused(now(vm.id), "ReplicationFailed", /full|No space/);
        await to.libvirt.inside("rm", `${POOL}/filler`);
        await holds(vm, second);
        await gone(vm);
        await large();
      },
    );

    await step("no room to merge a whole increment: it counts, and is merged once there is", async () => {
      await small(64);
      const image = `${from.images}/bad-sparse.qcow2`;
      await from.libvirt.inside("qemu-img", "create", "-q", "-f", "qcow2", `${POOL}/bad-sparse.qcow2`, "64M");
      await from.libvirt.virsh("pool-refresh", "images");
      const { name, uuid: vmId } = await from.libvirt.machine({
        start: true,
        disks: [{ path: `${POOL}/bad-sparse.qcow2`, format: "qcow2", bus: "virtio" }],
      });
      await shows(from.server, vmId, ({ state }) => state === "running");
      const { id } = await call(from.server, "create_replication", {
        vmId,
        toHost: "there",
        everySeconds: 86_400,
      });
      await until("the first copy", async () => (await found(id))?.lastRun?.state === "done");
      await writes(name, "write -P 5 0 36M");
      const told = await now(id);
      assert.equal(told.state, "done");
      const second = await content(from, `${POOL}/bad-sparse.qcow2`);
      await writes(name, "write -P 6 0 64k");
      await refused(now(id), "ReplicationFailed", /nearly full/);
      // The VMs there have room left
      const [free, unit] = (await to.libvirt.inside("stat", "-f", "-c", "%a %S", POOL)).split(" ").map(
        Number,
      );
      assert.ok(free! * unit! > 4 * MIB, `${free} of ${unit} bytes`);
      await to.libvirt.inside("mount", "-o", "remount,size=200M", POOL);
      await holds({ name, id }, second);
      await gone({ name, id });
      await Deno.remove(image);
      await large();
    });

    await step("killed before it noted a whole increment: the next start finds it", async () => {
      const vm = await replicated(4, false), expected = await content(from, vm.path);
      to.killServer();
      {
        using database = new DatabaseSync(`${to.dataDir}/kvm-manager.db`);
        const forget =
          "UPDATE replicas SET record = json_set(record, '$.finished', json('null'), '$.bytes', 0) WHERE id = ?";
        assert.equal(database.prepare(forget).run(vm.id).changes, 1);
      }
      await to.startServer();
      await until("the increment to be known", async () => {
        const [replica] = (await call(to.server, "list_replicas")).filter(({ id }) => id === vm.id);
        return replica?.bytes === 4 * MIB && replica.takenAt !== null;
      }, { seconds: 15 });
      assert.equal(
        (await call(to.server, "get_switch_over_plan", { replicaId: vm.id })).takenAt !== null,
        true,
      );
      await from.linked();
      await holds(vm, expected);
      await gone(vm);
    });

    await step("the other KVM Manager is stopped in the middle of an increment", async () => {
      const vm = await replicated(24, true), first = await content(from, vm.path);
      await call(from.server, "update_replication", { replicationId: vm.id, maxMibPerSecond: 4 });
      await writesNoise(vm.name, 24);
      const failing = given(refusal(now(vm.id)));
      await until("it to be under way", async () => (await found(vm.id))?.running === true);
      await until("a part of it to be there", async () => {
        const names = await to.libvirt.inside("sh", "-c", `ls -s ${POOL}/.kvm-manager-replicas/${vm.id}`);
        return /^ *[1-9]\d{3,} .*part$/m.test(names);
      }, { every: 20 });
      const goOn = await to.freezeServer();
      const began = performance.now();
      assert.equal((await failing).code, "LinkedHostAway");
      assert.ok(performance.now() - began < 120_000);
      await goOn();
      await call(from.server, "update_replication", { replicationId: vm.id, maxMibPerSecond: 0 });
      await from.linked();
      await until(
        "the next increment",
        async () => await now(vm.id).then(() => true, () => false),
        { every: 2000 },
      );
      const second = await content(from, vm.path);
      assert.notEqual(first, second);
      await holds(vm, second);
      await gone(vm);
    });

    await step("QEMU is stopped while it copies: it is told, and all goes on once that goes on", async () => {
      const vm = await replicated(24, true);
      await writesNoise(vm.name, 24);
      const pid = (await from.libvirt.qemuOf(vm.name))!;
      const asked = now(vm.id).then(({ state }) => state, (error) => String(error));
      await until("a copy to begin", async () => {
        const names = await Array.fromAsync(Deno.readDir(from.images));
        return names.some((each) => each.name.startsWith(".kvm-manager-spool-"));
      }, { every: 5 });
      await freeze(pid);
      await shows(from.server, vm.vmId, ({ responsive }) => responsive === false, { seconds: 30 });
      const busy = await refusal(call(from.server, "switch_over", { replicationId: vm.id }));
      assert.equal(busy.code, "ReplicationBusy");
      assert.deepEqual([(await found(vm.id))?.state, (await found(vm.id))?.running], ["active", true]);
      await thaw(pid);
      await shows(from.server, vm.vmId, ({ responsive }) => responsive === true);
      // Whether it failed or went on
      await asked;
      await until(
        "the next increment",
        async () => await now(vm.id).then(() => true, () => false),
        { every: 2000 },
      );
      await holds(vm, await content(from, vm.path));
      await gone(vm);
      await until("all to be settled", () => Promise.resolve(from.open().length === 0), { seconds: 60 });
    });

    await step(
      "libvirtd there is stopped while the VM is made: VM or replica, never both or none",
      async () => {
        const vm = await replicated(4, false), expected = await content(from, vm.path);
        const pid = (await to.libvirt.pid())!;
        await freeze(pid);
        const asked = call(to.server, "promote_replica", { replicaId: vm.id, start: false, force: true })
          .then(() => "promoted", (error) => String(error).slice(0, 300));
        await delay(2000);
        const told = await Promise.race([asked, delay(60_000).then(() => "no answer in 60 s")]);
        assert.notEqual(told, "no answer in 60 s");
        await thaw(pid);
        await until("all to be settled", () => Promise.resolve(to.open().length === 0), { seconds: 60 });
        await until(
          "libvirt to be connected to again",
          async () => (await call(to.server, "get_connection_status")).connected,
        );
        const [replica] = (await call(to.server, "list_replicas")).filter(({ id }) => id === vm.id);
        const isVm = (await to.vms()).includes(vm.name);
        assert.equal(replica?.state, isVm ? "promoted" : "replica");
        if (isVm) {
          await to.libvirt.virsh("undefine", vm.name);
          await call(to.server, "delete_replica", { replicaId: vm.id });
          await to.libvirt.inside("sh", "-c", `rm -f ${POOL}/*.qcow2`);
        } else await holds(vm, expected);
        await gone(vm);
      },
    );

    await step(
      "the line breaks while the VM is made there: it is known again soon, also where it is paused",
      async () => {
        const vm = await replicated(4, false);
        await call(from.server, "update_replication", { replicationId: vm.id, paused: true });
        const pid = (await to.libvirt.pid())!;
        const asked = refusal(call(from.server, "switch_over", { replicationId: vm.id, start: false }));
        await until(
          "it to be made there",
          async () => (await found(vm.id))?.state === "undecided" ? true : (await freeze(pid), null),
          { every: 5 },
        ).catch(
          () => {},
        );
        to.line.cut();
        const { code } = await asked;
        assert.equal(code, "LinkUndecided");
        await thaw(pid);
        await from.linked();
        const { state } = await until("it to be known", async () => {
          const last = await found(vm.id);
          return last?.state === "undecided" ? null : last;
        }, { seconds: 30 });
        await until("all to be settled", () => Promise.resolve(to.open().length === 0), { seconds: 60 });
        const isVm = (await to.vms()).includes(vm.name);
        assert.equal(state, isVm ? "lost" : "paused");
        if (isVm) await to.libvirt.virsh("undefine", vm.name);
        else await call(from.server, "start_vm", { vmId: vm.vmId });
        await call(to.server, "delete_replica", { replicaId: vm.id });
        await to.libvirt.inside("sh", "-c", `rm -f ${POOL}/*.qcow2`);
        await gone(vm);
      },
    );

    await step("a planned switch-over that fails after the shutdown: the VM runs here again", async () => {
      const vm = await replicated(4, true);
      // A name that is taken there is seen at the end alone
      const other = `${to.libvirt.stateFile("other.xml")}`;
      await Deno.writeTextFile(
        other,
        `<domain type='qemu'><name>${vm.name}</name><memory unit='MiB'>64</memory><os><type>hvm</type></os></domain>`,
      );
      await to.libvirt.virsh("define", other);
      await until(
        "it to be known there",
        async () =>
          (await call(to.server, "get_vms")).some(({ name, id }) => name === vm.name && id !== vm.vmId),
      );
      const failing = given(refusal(call(from.server, "switch_over", { replicationId: vm.id })));
      await until(
        "the shutdown",
        async () =>
          (await call(from.server, "get_activity", { vmId: vm.vmId, limit: 5 })).some(({ action }) =>
            action === "stop_vm"
          ) || null,
      ).catch(() => {});
      await from.libvirt.virsh("destroy", vm.name);
      const { code } = await failing;
      assert.equal(code, "ReplicationNotPossible");
      await shows(from.server, vm.vmId, ({ state }) => state === "running");
      assert.equal((await found(vm.id))?.state, "active");
      await to.libvirt.virsh("undefine", vm.name);
      await until(
        "it to be gone there",
        async () =>
          !(await call(to.server, "get_vms")).some(({ name, id }) => name === vm.name && id !== vm.vmId),
      );
      await now(vm.id);
      await from.libvirt.virsh("suspend", vm.name);
      await now(vm.id);
      await holds(vm, await content(from, vm.path));
      await gone(vm);
    });

    await step(
      "the data folder of the source is full: nothing is given away that cannot be written down",
      async () => {
        const vm = await replicated(4, false), { vmId, name } = vm, expected = await content(from, vm.path);
        from.killServer();
        const dir = from.dataDir, inFrom = (line: string) => from.libvirt.inside("sh", "-c", line);
        await inFrom(
          `cp -a ${dir} /run/kept && mount -t tmpfs -o size=48M tmpfs ${dir} && cp -a /run/kept/. ${dir} && rm -r /run/kept`,
        );
        await from.startServer();
        await from.linked();
        await inFrom(`dd if=/dev/zero of=${dir}/filler bs=64k 2>/dev/null || true`);
        const codes = [];
        codes.push((await refusal(call(from.server, "switch_over", { replicationId: vm.id }))).code);
        assert.deepEqual(await to.vms(), []);
        codes.push((await refusal(call(from.server, "migrate_vm", { vmId, toHost: "there" }))).code);
        assert.equal((await from.vms()).includes(name), true);
        assert.deepEqual(await to.vms(), []);
        await inFrom(`rm ${dir}/filler`);
        await until(
          "it to be replicated",
          async () => await now(vm.id).then(() => true, () => false),
          { every: 2000 },
        );
        assert.equal((await found(vm.id))?.state, "active");
        await holds(vm, expected);
        await gone(vm);
        from.killServer();
        await inFrom(
          `cp -a ${dir} /run/kept && umount -l ${dir} && rm -rf ${dir}/* && cp -a /run/kept/. ${dir} && rm -r /run/kept`,
        );
        await from.startServer();
      },
    );

    assert.deepEqual([...from.open(), ...to.open()], []);
  },
});
