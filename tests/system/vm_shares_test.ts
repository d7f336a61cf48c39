/** Folders of the host that guests mount: a real guest reads and writes; virsh and the host's files are the witnesses. */
import assert from "node:assert/strict";
import { inGuest } from "../testbed/exec.ts";
import { virsh } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { personWith } from "../testbed/people.ts";
import { testPool } from "../testbed/pool.ts";
import { call, known, readyServer, refused } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("guest") !== null;

const MOUNT_MORE =
  "mkdir -p /mnt/more; [ -e /mnt/more/file ] || mount -t virtiofs more /mnt/more 2>/dev/null; cat /mnt/more/file";

/** A folder of the host, not below /tmp: its links and its rights are the test's own. */
async function testFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await Deno.makeTempDir({ dir: "/var/tmp", prefix: "kvmm-test-share-" });
  await Deno.chmod(path, 0o755);
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

Deno.test({
  name: "attach_share() shares a folder with a guest; detach_share() takes it away",
  ignore,
  fn: async (t) => {
    await using folder = await testFolder();
    await using other = await testFolder();
    await using pool = await testPool("shares");
    await using vm = await testMachine({ purpose: "shares", machine: "pc", start: true, disks: [{ pool }] });
    await using server = await readyServer();
    const vmId = vm.uuid;
    await known(server, vmId);
    const sharesOf = async () => (await call(server, "get_vm_devices", { vmId })).shares;
    await Deno.writeTextFile(`${folder.path}/from-host`, "hello from the host");
    await t.step("a VM without shared memory has it from its next start on", async () => {
      await refused(
        call(server, "attach_share", { vmId, folder: folder.path, tag: "data", live: true }),
        "ShareNeedsRestart",
        /started without shared memory/,
      );
      const done = await call(server, "attach_share", { vmId, folder: folder.path, tag: "data" });
      assert.deepEqual(
        [done.live, done.persistent, done.driver, done.folder],
        [false, true, "virtiofs", folder.path],
      );
      assert.match(done.notes.join(" "), /Shared memory was switched on/);
      assert.deepEqual((await sharesOf()).map(({ tag, place }) => [tag, place]), [["data", "next"]]);
      const pending = await call(server, "get_pending_changes", { vmId });
      assert.ok(pending.some(({ what }) => what === "filesystem data"), JSON.stringify(pending));
      assert.match(await vm.xml("--inactive"), /<memoryBacking>[^]*memfd[^]*mode='shared'/);
      await refused(call(server, "attach_share", { vmId, folder: folder.path, tag: "data" }), "ShareExists");
    });
    await t.step("the guest reads what the host wrote, and the host what the guest wrote", async () => {
      await call(server, "force_stop_vm", { vmId });
      await call(server, "start_vm", { vmId });
      await vm.waitForBoot();
      await vm.waitForAgent();
      await inGuest(vm, "mkdir -p /mnt/data && mount -t virtiofs data /mnt/data");
      assert.equal(await inGuest(vm, "cat /mnt/data/from-host"), "hello from the host");
      await inGuest(vm, "echo -n hello from the guest > /mnt/data/from-guest");
      assert.equal(await Deno.readTextFile(`${folder.path}/from-guest`), "hello from the guest");
    });
    await t.step("its state cannot be saved, which is said in words", async () => {
      await refused(
        call(server, "suspend_vm", { vmId }),
        "ShareHinders",
        /cannot be saved while it has a shared folder/,
      );
      const { external, withMemory } = await call(server, "list_snapshots", { vmId });
      assert.deepEqual([external, withMemory], [
        "the VM has a shared folder, whose state cannot be kept",
        false,
      ]);
      assert.equal(await vm.state(), "running");
    });
    await t.step("with shared memory a running VM takes another, and lets it go", async () => {
      await Deno.mkdir(`${folder.path}/more`);
      await refused(
        call(server, "attach_share", { vmId, folder: `${folder.path}/more` }),
        "PathRefused",
        /is in .*, a shared folder of .*could put a link in its place/,
      );
      await Deno.writeTextFile(`${other.path}/file`, "hot");
      const done = await call(server, "attach_share", { vmId, folder: other.path, tag: "more" });
      assert.deepEqual([done.live, done.persistent, done.tag, done.notes], [true, true, "more", []]);
      // The guest finds what is plugged in a moment later.
      await until(
        "the new share in the guest",
        async () => (await inGuest(vm, MOUNT_MORE)).endsWith("hot"),
      );
      await inGuest(vm, "umount /mnt/more");
      assert.deepEqual(await call(server, "detach_share", { vmId, tag: "more" }), {
        live: true,
        persistent: true,
      });
      assert.deepEqual((await sharesOf()).map(({ tag }) => tag), ["data"]);
      assert.doesNotMatch(await vm.xml("--inactive"), /'more'/);
    });
    await t.step("a read-only one is 9p, from the next start on", async () => {
      const long = { vmId, folder: folder.path, tag: "t".repeat(32), readOnly: true };
      await refused(call(server, "attach_share", long), "InvalidInput", /9p.* 31 characters/);
      const done = await call(server, "attach_share", {
        vmId,
        folder: folder.path,
        tag: "look",
        readOnly: true,
      });
      assert.deepEqual([done.live, done.persistent, done.driver], [false, true, "9p"]);
      await inGuest(vm, "umount /mnt/data");
      await call(server, "force_stop_vm", { vmId });
      await call(server, "start_vm", { vmId });
      const shown = (await sharesOf()).find(({ tag }) => tag === "look");
      assert.deepEqual([shown?.place, shown?.readOnly], ["both", true]);
      const qemu = await vm.qemuPid();
      assert.match(
        await Deno.readTextFile(`/proc/${qemu}/cmdline`),
        /security_model=passthrough[^\0]*,readonly/,
      );
      await refused(call(server, "detach_share", { vmId, tag: "look", live: true }), "ShareNeedsRestart");
      const gone = await call(server, "detach_share", { vmId, tag: "look" });
      assert.deepEqual([gone.live, gone.persistent], [false, true]);
      assert.equal((await sharesOf()).find(({ tag }) => tag === "look")?.place, "live");
    });
    await t.step("a copy has no share", async () => {
      await call(server, "force_stop_vm", { vmId });
      const name = `${vm.name}-copy`;
      const copy = await call(server, "clone_vm", { vmId, name });
      try {
        assert.doesNotMatch(await virsh("dumpxml", name), /<filesystem/);
      } finally {
        await call(server, "delete_vm", { vmId: copy.vmId, deleteDisks: true });
      }
    });
    await call(server, "detach_share", { vmId, tag: "data" });
    assert.deepEqual(await sharesOf(), []);
    await refused(call(server, "detach_share", { vmId, tag: "data" }), "NoSuchShare");
  },
});

Deno.test({
  name: "attach_share() refuses folders by which a guest would have the host",
  ignore,
  fn: async (t) => {
    await using folder = await testFolder();
    await using pool = await testPool("share-no");
    await using vm = await testMachine({ purpose: "share-no", guest: false });
    await using server = await readyServer();
    const vmId = vm.uuid;
    await known(server, vmId);
    const before = await vm.xml();
    for (const name of ["disks", "target/in", "open/in", "ann/in", "sticky/ann", "shared/in"]) {
      await Deno.mkdir(`${folder.path}/${name}`, { recursive: true });
    }
    await Deno.chmod(`${folder.path}/open`, 0o777);
    await Deno.chmod(`${folder.path}/sticky`, 0o1777);
    await Deno.chown(`${folder.path}/ann`, 1000, 1000);
    await Deno.chown(`${folder.path}/sticky/ann`, 1000, 1000);
    await Deno.writeFile(`${folder.path}/disks/disk.img`, new Uint8Array(1 << 20));
    await using neighbour = await testMachine({ purpose: "share-by", guest: false });
    await known(server, neighbour.uuid);
    await virsh("attach-disk", neighbour.name, `${folder.path}/disks/disk.img`, "vdz", "--config");
    await until(
      "the neighbour's disk in the inventory",
      async () =>
        (await call(server, "get_vm", { vmId: neighbour.uuid })).disks.some(({ target }) => target === "vdz"),
    );
    await call(server, "attach_share", { vmId: neighbour.uuid, folder: `${folder.path}/shared`, tag: "s" });
    await call(server, "create_backup_target", {
      name: "here",
      kind: "folder",
      folder: `${folder.path}/target`,
    });
    await Deno.symlink("/etc", `${folder.path}/link`);
    await Deno.writeTextFile(`${folder.path}/file`, "");
    const program = await Deno.readLink(`/proc/${server.pid}/exe`);
    const cases: [string, string, RegExp][] = [
      [
        "our program",
        program.slice(0, program.lastIndexOf("/")),
        /the program of KVM Manager|in \/var\/cache/,
      ],
      ["what root unpacks", "/var/cache/kvm-manager", /in \/var\/cache/],
      ["our data", `${server.dataDir}/x`, /data folder of KVM Manager/],
      ["our sockets", server.runtimeDir, /runtime folder of KVM Manager/],
      ["root's mail", "/var/mail", /host's system/],
      ["a spool", "/var/spool/cron", /host's system/],
      ["all homes", "/home", /all users/],
      ["a home", "/home/kvmm-test", /a home folder/],
      ["keys in a home", "/home/kvmm-test/.ssh", /a home folder/],
      ["the whole host", "/", /whole file system/],
      ["the same in other words", "//./", /whole file system/],
      ["/proc", "/proc/1", /in \/proc/],
      ["/etc", "/etc", /host's system/],
      ["a folder above libvirt's", "/var/lib", /libvirt/],
      ["libvirt's state", "/var/lib/libvirt/qemu", /libvirt/],
      ["a link to /etc", `${folder.path}/link`, /leads to \/etc/],
      ["a link on the way", `${folder.path}/link/ssh`, /leads to \/etc\/ssh|does not exist/],
      ["upwards", `${folder.path}/../../..`, /upwards/],
      ["a pool's folder", pool.path, /storage pool/],
      ["a relative path", "srv/data", /absolute/],
      ["a file", `${folder.path}/file`, /not a folder/],
      ["nothing", `${folder.path}/none`, /does not exist/],
      ["a folder above a disk of a VM", `${folder.path}/disks`, /disk\.img, a disk of .*, is in it/],
      ["a folder in that of a backup target", `${folder.path}/target/in`, /folder of the backup target/],
      ["a folder in one that all can write", `${folder.path}/open/in`, /others than root can write/],
      ["a folder in somebody's", `${folder.path}/ann/in`, /does not belong to root/],
      ["somebody's in a sticky folder", `${folder.path}/sticky/ann`, /its owner could replace it/],
      ["a folder in a VM's share", `${folder.path}/shared/in`, /in .*\/shared, a shared folder of/],
      ["a folder above a VM's share", `${folder.path}`, /is in it/],
    ];
    for (const [name, path, reason] of cases) {
      await t.step(
        name,
        () => refused(call(server, "attach_share", { vmId, folder: path, tag: "t" }), "PathRefused", reason),
      );
    }
    await t.step("tags that are none", async () => {
      for (const tag of ["", "a b", "a/b", "<b>", "a".repeat(37)]) {
        await refused(server.call("attach_share", { vmId, folder: folder.path, tag }), "InvalidInput", /tag/);
      }
    });
    assert.equal(await vm.xml(), before);
    await t.step("none is added to a saved state, nor removed from it", async () => {
      await call(server, "start_vm", { vmId });
      await call(server, "suspend_vm", { vmId });
      const add = { vmId, folder: folder.path, tag: "t" };
      await refused(
        call(server, "attach_share", add),
        "ShareWhileSaved",
        /Resume it, or discard the saved state/,
      );
      await refused(call(server, "detach_share", { vmId, tag: "t" }), "ShareWhileSaved");
      await virsh("managedsave-remove", vm.name);
      await refused(call(server, "detach_share", { vmId, tag: "t" }), "NoSuchShare");
    });
    await t.step("a link in the place of a stored share keeps the VM from starting", async () => {
      await Deno.rename(`${folder.path}/shared`, `${folder.path}/moved`);
      await Deno.symlink("/etc", `${folder.path}/shared`);
      await refused(call(server, "start_vm", { vmId: neighbour.uuid }), "StartFailed", /leads to \/etc/);
      assert.equal(await neighbour.state(), "shut off");
    });
  },
});

Deno.test({
  name: "who operates a VM adds no share, and gives none back that was taken away",
  ignore,
  fn: async () => {
    await using folder = await testFolder();
    await using vm = await testMachine({ purpose: "share-who", machine: "pc", guest: false });
    await using server = await readyServer();
    const vmId = vm.uuid;
    await known(server, vmId);
    const operator = await personWith(server, "operator", [{ role: "operator", on: { kind: "everything" } }]);
    const add = { vmId, folder: folder.path, tag: "data" };
    await refused(operator.call("attach_share", add), "Forbidden");
    await call(server, "attach_share", add);
    await call(server, "start_vm", { vmId });
    // For the next start alone: the running VM keeps it.
    await call(server, "detach_share", { vmId, tag: "data", live: false });
    const { shares } = await operator.call("get_vm_devices", { vmId });
    assert.deepEqual(shares.map(({ tag, place }) => [tag, place]), [["data", "live"]]);
    await refused(operator.call("discard_pending_changes", { vmId }), "Forbidden");
    assert.doesNotMatch(await vm.xml("--inactive"), /<filesystem/);
    await operator.call("discard_pending_changes", { vmId, areas: ["memory"] });
    await call(server, "discard_pending_changes", { vmId });
    assert.match(await vm.xml("--inactive"), /<filesystem/);
    await call(server, "force_stop_vm", { vmId });
    assert.deepEqual(await operator.call("detach_share", { vmId, tag: "data" }), {
      live: false,
      persistent: true,
    });
  },
});
