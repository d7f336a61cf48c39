/** sanlock is turned on and off on hosts of their own, guards disks between them, and hands them over with a move. */
import assert from "node:assert/strict";
import { testFolder } from "../testbed/folder.ts";
import { type MigrationHost, migrationHosts } from "../testbed/migration_hosts.ts";
import { exists, run } from "../testbed/process.ts";
import { call, known, refusal } from "../testbed/product.ts";
import { buildBinary } from "../testbed/product_binary.ts";
import { sanlockOn } from "../testbed/sanlock.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("qemu") !== null || await requirement("sanlock") !== null;

/** Shorter timeout than that of packages: a join takes 5 seconds rather than 21. */
const FAST = "# ours\nio_timeout = 2\n";

const confOf = ({ libvirt }: MigrationHost, name: string) => `${libvirt.folder}/etc/${name}`;

/** Both files, as they are now. */
const confTexts = async (host: MigrationHost) =>
  await Promise.all(
    ["qemu.conf", "qemu-sanlock.conf"].map((name) => Deno.readTextFile(confOf(host, name))),
  );

/** The doctor's findings on locks. */
const found = async (host: MigrationHost) =>
  (await call(host.server, "get_host_health")).filter(({ area }) => area === "locks");

Deno.test({
  name: "sanlock is turned on on two hosts, guards a disk between them, moves with a VM, and is turned off",
  ignore,
  fn: async (t) => {
    await using hosts = await migrationHosts();
    const { from, to } = hosts;
    await using shared = await testFolder();
    const locks = `${shared.path}/leases`;
    await Deno.mkdir(locks);
    for (const { libvirt } of [from, to]) {
      await Deno.writeTextFile(`${libvirt.folder}/etc/qemu-sanlock.conf`, FAST);
      await libvirt.virsh("pool-define-as", "both", "dir", "--target", shared.path);
      await libvirt.virsh("pool-start", "both");
    }
    const daemons = { from: await sanlockOn(from.libvirt), to: await sanlockOn(to.libvirt) };
    for (const host of [from, to]) await host.startServer();
    for (const host of [from, to]) await host.linked();

    // At the same path on both, and not the same file: QEMU's own locks are not what refuses a second start
    const path = "/var/lib/libvirt/images/twin.raw", disk = { path, format: "raw", bus: "virtio" } as const;
    for (const { images } of [from, to]) {
      await run(["qemu-img", "create", "-q", "-f", "raw", `${images}/twin.raw`, "16M"]);
    }
    const vm = await from.libvirt.machine({ start: true, disks: [disk] });
    const twin = await to.libvirt.machine({ disks: [disk] });
    const moved = `${shared.path}/moved.raw`;
    await run(["qemu-img", "create", "-q", "-f", "raw", moved, "16M"]);
    const mover = await from.libvirt.machine({ disks: [{ path: moved, format: "raw", bus: "virtio" }] });
    for (const each of [vm, mover]) await known(from.server, each.uuid);
    await known(to.server, twin.uuid);

    const before = await confTexts(from);
    const on = { driver: "sanlock", lockspace: locks, hostNumber: 1, restart: true } as const;
    const set = (change: object = {}) =>
      call(from.server, "set_lock_manager", { ...on, whileRunning: true, ...change });
    /** Why a change is refused, which leaves the files as they are. */
    const why = async (change: object = {}) => {
      const own = [await confTexts(from), await confTexts(to)];
      const { code, message } = await refusal(set(change));
      assert.equal(code, "LockManagerRefused", message);
      assert.deepEqual([await confTexts(from), await confTexts(to)], own);
      return message;
    };
    const page = async (host: MigrationHost) =>
      await (await fetch(`${host.server.url}/settings/lock-manager`)).text();

    await t.step("its driver and daemon are seen, and the page offers it", async () => {
      const { driver, sanlock, hostNumber } = await call(from.server, "get_lock_manager");
      assert.deepEqual([driver, hostNumber, sanlock], ["none", null, {
        plugin: true,
        daemon: true,
        joined: null,
      }]);
      assert.match(await page(from), /Turn sanlock on[\s\S]*watchdog[\s\S]*name="hostNumber"/);
    });

    await t.step("it is refused without a number, leave, a daemon, and while VMs run", async () => {
      assert.match(await why({ hostNumber: undefined }), /needs a number of this host.*hostNumber/);
      assert.match(await why({ restart: false }), /has to be restarted/);
      assert.match(await why({ whileRunning: false }), /1 VMs run, and have no leases until.*whileRunning/);
      await daemons.from.kill();
      assert.match(await why(), /sanlock does not run.*systemctl enable --now wdmd sanlock/);
      await daemons.from.start();
    });

    await t.step("where libvirtd does not come up with it, it is undone", async () => {
      const broken = FAST + 'user = "kvmm-no-such-user"\n';
      await Deno.writeTextFile(confOf(from, "qemu-sanlock.conf"), broken);
      const { code, message } = await refusal(set());
      assert.equal(code, "LockManagerFailed", message);
      assert.match(message, /Restarting libvirt failed: libvirt ended after its restart.*rolled back/);
      assert.deepEqual(await confTexts(from), [before[0], broken]);
      assert.equal(await vm.state(), "running");
      await Deno.writeTextFile(confOf(from, "qemu-sanlock.conf"), FAST);
    });

    await t.step("it is turned on: libvirt reads it, and VMs have leases from their next start", async () => {
      const pid = await vm.qemuPid();
      assert.equal((await set()).changed, true);
      assert.equal(await vm.qemuPid(), pid);
      const [qemu, own] = await confTexts(from);
      assert.match(qemu!, /^lock_manager = "sanlock"$/m);
      assert.equal(own, `${FAST}auto_disk_leases = 1\nhost_id = 1\ndisk_lease_dir = "${locks}"\n`);
      assert.deepEqual(await daemons.from.held(), []);
      // The VM that showed it has left no lease
      assert.deepEqual((await Array.fromAsync(Deno.readDir(locks))).map(({ name }) => name), [
        "__LIBVIRT__DISKS__",
      ]);
      await from.libvirt.virsh("suspend", vm.name);
      await from.libvirt.virsh("resume", vm.name);
      assert.deepEqual(await daemons.from.held(), [], "it gets none by being resumed");
      await call(from.server, "force_stop_vm", { vmId: vm.uuid });
      await call(from.server, "start_vm", { vmId: vm.uuid });
      assert.equal((await daemons.from.held()).length, 1);
      const { driver, leases, hostNumber, lockspace, pending, daemon, sanlock } = await call(
        from.server,
        "get_lock_manager",
      );
      assert.deepEqual(
        { driver, leases, hostNumber, lockspace, pending, daemon, joined: sanlock?.joined },
        {
          ...{ driver: "sanlock", leases: 1, hostNumber: 1, lockspace: locks, pending: false, daemon: true },
          joined: `1:${locks}`,
        },
      );
      assert.equal((await set()).changed, false);
      assert.match(await page(from), /Turn sanlock off/);
    });

    await t.step(
      "the other host, which has none, starts its twin; both doctors name the mixture",
      async () => {
        await call(to.server, "start_vm", { vmId: twin.uuid });
        await call(to.server, "force_stop_vm", { vmId: twin.uuid });
        assert.match(
          (await found(from)).map(({ what }) => what).join("\n"),
          /there has no lock manager, this host sanlock in .*neither knows/,
        );
        assert.match(
          (await found(to)).map(({ what }) => what).join("\n"),
          /there has sanlock in .*, this host no lock manager/,
        );
      },
    );

    await t.step("a mixture of drivers, another folder and the same number are refused there", async () => {
      const there = { host: "there" };
      assert.match(
        await why({ ...there, driver: "lockd", hostNumber: undefined }),
        /has sanlock in .*leases, and both hosts have .*Choose the same here/,
      );
      await Deno.mkdir(`${shared.path}/other`);
      assert.match(
        await why({ ...there, hostNumber: 2, lockspace: `${shared.path}/other` }),
        /has sanlock in/,
      );
      assert.match(await why(there), /there has the number 1\. Choose one that no other host has/);
      assert.match(await why({ driver: "lockd" }), /sanlock is on\. Shut all VMs down and turn it off/);
    });

    await t.step("on both, a second start is refused, with the reason", async () => {
      assert.equal((await set({ host: "there", hostNumber: 2 })).changed, true);
      const { message } = await refusal(call(to.server, "start_vm", { vmId: twin.uuid }));
      assert.match(message, /Lease is held by another host.*shut that VM down first/);
      assert.equal(await twin.state(), "shut off");
      for (const host of [from, to]) assert.deepEqual((await found(host)).map(({ level }) => level), ["ok"]);
    });

    await t.step("a number and a folder stay joined: what would not be taken over is refused", async () => {
      await call(from.server, "force_stop_vm", { vmId: vm.uuid });
      await call(to.server, "start_vm", { vmId: twin.uuid }); // the lease was given back
      await call(to.server, "force_stop_vm", { vmId: twin.uuid });
      assert.match(await why({ hostNumber: 3 }), /sanlock has joined as 1:.*systemctl restart sanlock/);
      await call(from.server, "start_vm", { vmId: vm.uuid });
    });

    await t.step("a move hands the lease over", async () => {
      await call(from.server, "refresh_storage_pool", { pool: "both" });
      await call(from.server, "start_vm", { vmId: mover.uuid });
      assert.deepEqual([(await daemons.from.held()).length, (await daemons.to.held()).length], [2, 0]);
      await call(from.server, "migrate_vm", { vmId: mover.uuid, toHost: "there" });
      assert.equal(await to.libvirt.virsh("domstate", mover.name), "running");
      assert.deepEqual([(await daemons.from.held()).length, (await daemons.to.held()).length], [1, 1]);
      await known(to.server, mover.uuid);
      await call(to.server, "force_stop_vm", { vmId: mover.uuid });
      assert.deepEqual(await daemons.to.held(), []);
    });

    await t.step("without its daemon no VM is started, and the doctor says so", async () => {
      await call(to.server, "start_vm", { vmId: mover.uuid });
      await daemons.to.kill();
      // A VM that runs can be paused and resumed, without a lease from then on
      await to.libvirt.virsh("suspend", mover.name);
      await to.libvirt.virsh("resume", mover.name);
      await call(to.server, "force_stop_vm", { vmId: mover.uuid });
      assert.match(
        (await refusal(call(to.server, "start_vm", { vmId: mover.uuid }))).message,
        /Failed to open socket to sanlock daemon.*Start sanlock .*restart libvirt/,
      );
      const [finding] = await found(to);
      assert.equal(finding?.level, "problem");
      assert.match(finding.what, /sanlock does not run: no VM can be started/);
      await daemons.to.start();
    });

    await t.step("a daemon that was restarted has not joined: the doctor says what to do", async () => {
      const [finding] = await found(to);
      assert.match(finding?.what ?? "", /sanlock has not joined as 2:/);
      assert.match(finding?.advice ?? "", /restart sanlock, then libvirt/);
    });

    await t.step("root turns it off without the server, by the same rules", async () => {
      const binary = await buildBinary();
      const verb = async (...args: string[]) => {
        const [program = "", ...words] = to.libvirt.argvInside(binary, "lock-manager", ...args);
        const { code, stdout, stderr } = await new Deno.Command(program, { args: words }).output();
        return { code, said: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
      };
      assert.equal((await verb("sanlock", "--host-number", "0")).code, 2);
      assert.match((await verb("none")).said, /has to be restarted/);
      const done = await verb("none", "--restart");
      assert.equal(done.code, 0, done.said);
      assert.match(done.said, /sanlock is off/);
      assert.doesNotMatch(await Deno.readTextFile(confOf(to, "qemu.conf")), /^lock_manager/m);
      const again = await verb(...["sanlock", "--lockspace", locks, "--host-number", "2", "--restart"]);
      assert.equal(again.code, 0, again.said);
      assert.match(again.said, /sanlock is on/);
    });

    await t.step("it is turned off: the lease stays until the VM ends", async () => {
      await call(from.server, "set_lock_manager", { driver: "none", restart: true });
      assert.equal(await exists(confOf(from, "qemu-sanlock.conf")), true);
      assert.equal((await daemons.from.held()).length, 1);
      assert.match((await refusal(call(to.server, "start_vm", { vmId: twin.uuid }))).message, /another host/);
      await call(from.server, "force_stop_vm", { vmId: vm.uuid });
      await until("its lease to be given back", async () => (await daemons.from.held()).length === 0);
      await call(to.server, "start_vm", { vmId: twin.uuid });
    });
  },
});
