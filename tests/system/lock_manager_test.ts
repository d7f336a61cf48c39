/** virtlockd is turned on and off on hosts of their own, and guards disks between them. */
import assert from "node:assert/strict";
import { testFolder } from "../testbed/folder.ts";
import { MigrationHost, migrationHosts } from "../testbed/migration_hosts.ts";
import { exists, run } from "../testbed/process.ts";
import { call, known, refusal } from "../testbed/product.ts";
import { buildBinary } from "../testbed/product_binary.ts";
import { requirement } from "../testbed/skip.ts";

const ignore = await requirement("qemu") !== null;

/** A file of libvirt's of a host, as the test sees it. */
const confOf = ({ libvirt }: MigrationHost, name: string) =>
  libvirt.stateFile("").replace(/lib\/$/, `etc/${name}`);

/** Both files, as they are now. */
async function confTexts(host: MigrationHost): Promise<string> {
  const texts = await Promise.all(["qemu.conf", "qemu-lockd.conf"].map(async (name) => {
    const path = confOf(host, name);
    return await exists(path) ? await Deno.readTextFile(path) : "(none)";
  }));
  return texts.join("\n---\n");
}

/** Names of copies next to the files, and of unfinished ones. */
async function copies(host: MigrationHost): Promise<string[]> {
  const folder = confOf(host, "");
  return (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name)
    .filter((name) => name.includes(".kvm-manager-")).toSorted();
}

/** Lock drivers that its libvirt has loaded. */
const loaded = ({ libvirt }: MigrationHost) =>
  libvirt.inside("sh", "-c", "grep -o 'lock-driver/[a-z]*' /proc/$(pgrep -o libvirtd)/maps | sort -u");

/** Paths that virtlockd holds open below a folder. */
const leasesIn = async ({ libvirt }: MigrationHost, folder: string) =>
  (await libvirt.inside("sh", "-c", `ls -l /proc/$(pgrep virtlockd)/fd | grep -c '${folder}/' || true`))
    .trim();

/** A VM on an image of the host's own, at a path that is the same on both hosts. */
async function vmOn(host: MigrationHost, options: { readonly start?: boolean } = {}) {
  await run(["qemu-img", "create", "-q", "-f", "raw", `${host.images}/shared.raw`, "16M"]);
  const path = "/var/lib/libvirt/images/shared.raw";
  const vm = await host.libvirt.machine({ ...options, disks: [{ path, format: "raw", bus: "virtio" }] });
  await known(host.server, vm.uuid);
  return vm;
}

const locksFound = async (host: MigrationHost) =>
  (await call(host.server, "get_host_health")).filter(({ area }) => area === "locks");

Deno.test({
  name: "virtlockd is turned on on two hosts, guards a disk between them, and is turned off",
  ignore,
  fn: async (t) => {
    await using hosts = await migrationHosts();
    const { from, to } = hosts;
    await using shared = await testFolder();
    const locks = `${shared.path}/leases`;
    await Deno.mkdir(locks);
    const before = await confTexts(from);
    const vm = await vmOn(from, { start: true }), twin = await vmOn(to);
    const on = { driver: "lockd", lockspace: locks, restart: true } as const;

    await t.step("nothing is known at first", async () => {
      const state = await call(from.server, "get_lock_manager");
      assert.deepEqual(
        { ...state, networks: [], sees: [] },
        {
          driver: "none",
          pending: false,
          fault: null,
          plugin: true,
          daemon: false,
          automatic: false,
          required: false,
          lockspace: null,
          lockspaceShared: null,
          hostNumber: null,
          leases: null,
          sanlock: { plugin: false, daemon: false, joined: null },
          runningVms: 1,
          sharedDisks: [],
          networks: [],
          sees: [],
          obstacle: null,
          others: [{ host: "there", driver: "none", lockspace: null, hostNumber: null, storage: null }],
        },
      );
      assert.deepEqual((await locksFound(from)).map(({ level }) => level), ["ok"]);
    });

    await t.step("it is refused without leave to restart libvirt, and while VMs run", async () => {
      assert.match((await refusal(call(from.server, "set_lock_manager", on))).message, /1 VMs run/);
      const allowed = { ...on, restart: false, whileRunning: true };
      assert.match(
        (await refusal(call(from.server, "set_lock_manager", allowed))).message,
        /has to be restarted/,
      );
      assert.equal(await confTexts(from), before);
      assert.deepEqual(await copies(from), []);
    });

    await t.step("what fails is undone: no such folder", async () => {
      const nowhere = { ...on, lockspace: `${shared.path}/none`, whileRunning: true };
      const { code, message } = await refusal(call(from.server, "set_lock_manager", nowhere));
      assert.equal(code, "LockManagerFailed");
      assert.match(message, /no folder on this host.*rolled back/);
      assert.equal(await confTexts(from), before);
    });

    await t.step("what fails is undone: the VM that is to show it gets no lease", async () => {
      await Deno.writeTextFile(confOf(from, "qemu-lockd.conf"), "# ours\nauto_disk_leases = 0\n");
      const own = await confTexts(from);
      const { code, message } = await refusal(
        call(from.server, "set_lock_manager", { ...on, whileRunning: true }),
      );
      assert.equal(code, "LockManagerFailed");
      assert.match(message, /no leases specified.*rolled back/s);
      assert.equal(await confTexts(from), own);
      assert.deepEqual(await copies(from), []);
      assert.equal((await loaded(from)).trim(), "");
      assert.equal(await vm.state(), "running");
      assert.doesNotMatch((await from.vms()).join(), /lease-test/);
      await Deno.remove(confOf(from, "qemu-lockd.conf"));
    });

    await t.step("it is turned on: the VM runs on, and gets a lease at its next start", async () => {
      const pid = await vm.qemuPid();
      const { changed, backups } = await call(from.server, "set_lock_manager", { ...on, whileRunning: true });
      assert.equal(changed, true);
      assert.equal(await vm.qemuPid(), pid);
      assert.equal(await leasesIn(from, locks), "0");
      assert.deepEqual(backups.map((path) => path.split("/").at(-1)!).toSorted(), await copies(from));
      assert.match((await loaded(from)).trim(), /lockd/);
      const kept = await Deno.readTextFile(
        confOf(from, (await copies(from)).find((name) => name.startsWith("qemu.conf"))!),
      );
      assert.ok(before.startsWith(kept));
      assert.equal((await Deno.stat(confOf(from, "qemu.conf"))).mode! & 0o777, 0o644);
      await call(from.server, "force_stop_vm", { vmId: vm.uuid });
      await call(from.server, "start_vm", { vmId: vm.uuid });
      assert.equal(await leasesIn(from, locks), "1");
      const state = await call(from.server, "get_lock_manager");
      assert.deepEqual([state.driver, state.daemon, state.lockspace, state.leases, state.pending], [
        ...["lockd", true, locks, 1, false],
      ]);
      assert.deepEqual(await call(from.server, "set_lock_manager", on), {
        driver: "lockd",
        changed: false,
        backups: [],
      });
    });

    await t.step("the other host, which has none, starts its twin", async () => {
      await call(to.server, "start_vm", { vmId: twin.uuid });
      await call(to.server, "force_stop_vm", { vmId: twin.uuid });
    });

    await t.step("a mixture of hosts that share storage is found, and another folder refused", async () => {
      for (const { libvirt } of [from, to]) {
        await libvirt.virsh("pool-define-as", "both", "dir", "--target", shared.path);
        await libvirt.virsh("pool-start", "both");
      }
      const found = await locksFound(from);
      assert.match(found[0]!.what, /there has no lock manager, this host virtlockd in .*neither knows/);
      assert.equal(found[0]!.level, "problem");
      await Deno.mkdir(`${shared.path}/other`);
      const other = { ...on, lockspace: `${shared.path}/other`, host: "there" };
      const { code, message } = await refusal(call(from.server, "set_lock_manager", other));
      assert.equal(code, "LockManagerRefused", message);
      assert.match(message, /has virtlockd in .*leases, and both hosts have/);
      assert.deepEqual(await copies(to), []);
      assert.deepEqual(
        (await Array.fromAsync(Deno.readDir(shared.path))).map(({ name }) => name).toSorted(),
        [
          ...["leases", "other"],
        ],
      );
    });

    await t.step("on both, a second start is refused, by its own manager's hand", async () => {
      const { changed } = await call(from.server, "set_lock_manager", { ...on, host: "there" });
      assert.equal(changed, true);
      assert.match((await refusal(call(to.server, "start_vm", { vmId: twin.uuid }))).message, /is locked/);
      assert.equal(await twin.state(), "shut off");
      assert.deepEqual((await locksFound(from)).map(({ level }) => level), ["ok"]);
      assert.equal((await call(from.server, "get_lock_manager")).lockspaceShared, true);
    });

    await t.step("leases are not left behind by another folder", async () => {
      const moved = { ...on, lockspace: "" };
      assert.match(
        (await refusal(call(from.server, "set_lock_manager", moved))).message,
        /VMs hold 1 leases|has virtlockd in/,
      );
    });

    await t.step("it is turned off: the lease stays until the VM ends", async () => {
      const off = { driver: "none", restart: true } as const;
      await call(from.server, "set_lock_manager", off);
      assert.equal((await loaded(from)).trim(), "");
      assert.equal(await leasesIn(from, locks), "1");
      assert.match((await refusal(call(to.server, "start_vm", { vmId: twin.uuid }))).message, /is locked/);
      await call(from.server, "force_stop_vm", { vmId: vm.uuid });
      assert.equal(await leasesIn(from, locks), "0");
      await call(to.server, "start_vm", { vmId: twin.uuid });
    });

    await t.step("root turns it off without the server, by the same rules", async () => {
      const binary = await buildBinary();
      const verb = async (...args: string[]) => {
        const [program = "", ...words] = to.libvirt.argvInside(binary, "lock-manager", ...args);
        const { code, stdout, stderr } = await new Deno.Command(program, { args: words }).output();
        return { code, said: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
      };
      const other = await verb("sanlock");
      assert.equal(other.code, 1, other.said);
      assert.match(other.said, /virtlockd is on.*Shut all VMs down and turn it off/s);
      const refused = await verb("none");
      assert.equal(refused.code, 1, refused.said);
      assert.match(refused.said, /has to be restarted/);
      const done = await verb("none", "--restart");
      assert.equal(done.code, 0, done.said);
      assert.match(done.said, /virtlockd is off/);
      assert.equal((await loaded(to)).trim(), "");
      assert.equal(await twin.state(), "running");
    });
  },
});

/** Puts programs into /usr/local/bin as a host alone sees it. */
async function withPrograms(host: MigrationHost, folder: string, programs: Readonly<Record<string, string>>) {
  const { libvirt } = host;
  for (const [name, script] of Object.entries(programs)) {
    await Deno.writeTextFile(`${folder}/${name}`, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }
  await libvirt.inside("mount", "--bind", folder, "/usr/local/bin");
  await host.startServer(); // it has the mounts of the moment in which it was started
}

/** As Pacemaker 2.1 prints it. */
const CLUSTER = `<pacemaker-result api-version="2.25" request="crm_mon --output-as=xml">
  <summary><current_dc present="true" with_quorum="true"/><cluster_options stonith-enabled="false" maintenance-mode="false"/></summary>
  <nodes><node name="kvm1" online="true" standby="false" maintenance="false" unclean="false"/></nodes>
  <resources>
    <resource id="res" resource_agent="ocf:heartbeat:VirtualDomain" role="Started" managed="true" failed="false" blocked="false">
      <node name="kvm1" id="1"/>
    </resource>
  </resources>
  <status code="0" message="OK"/>
</pacemaker-result>`;

Deno.test({
  name: "a Pacemaker cluster is shown, whatever its programs do",
  ignore,
  fn: async (t) => {
    await using undo = new AsyncDisposableStack();
    const host = await MigrationHost.start("cluster", undo);
    await using folder = await testFolder();
    const vm = await vmOn(host);
    const found = async () =>
      (await call(host.server, "get_host_health")).filter(({ area }) => area === "cluster");

    await t.step("without crm_mon there is none", async () => {
      assert.equal(
        (await call(host.server, "get_host_cluster")).installed,
        await exists("/usr/sbin/crm_mon"),
      );
    });

    const config =
      `<primitive id="res"><instance_attributes><nvpair name="config" value="/etc/libvirt/qemu/${vm.name}.xml"/></instance_attributes></primitive>`;
    await withPrograms(host, folder.path, {
      crm_mon: `cat <<'END'\n${CLUSTER}\nEND`,
      cibadmin: `cat <<'END'\n${config}\nEND`,
    });

    await t.step("its VMs are named, and what would start them twice", async () => {
      const { installed, error, fencing, resources } = await call(host.server, "get_host_cluster");
      assert.deepEqual({ installed, error, fencing }, { installed: true, error: null, fencing: false });
      assert.deepEqual(resources.map(({ id, vm, nodes }) => [id, vm, nodes]), [["res", vm.name, ["kvm1"]]]);
      assert.match(
        (await found()).map(({ what }) => what).join("\n"),
        /no fencing.*\n.*manages .*: start, stop and move/,
      );
      await call(host.server, "set_autostart", { vmId: vm.uuid, autostart: true });
      assert.match(
        (await found()).map(({ what }) => what).join("\n"),
        /and libvirt starts it with this host as well/,
      );
    });

    await t.step("one that hangs, floods or lies holds nothing up", async () => {
      for (
        const [script, reason] of [
          ["sleep 1000", /did not end within 5 seconds/],
          ["yes '<a>'", /says more than/],
          ["echo '<!DOCTYPE a><pacemaker-result/>'", /document type/],
          ["echo nonsense; exit 1", /cannot be read|no state/],
        ] as const
      ) {
        await Deno.writeTextFile(`${folder.path}/crm_mon`, `#!/bin/sh\n${script}\n`);
        const { error, resources } = await call(host.server, "get_host_cluster");
        assert.match(error ?? "", reason);
        assert.deepEqual(resources, []);
      }
    });
  },
});
