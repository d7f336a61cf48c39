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
      await Deno.writeTextFile(`${folder.path}/more/file`, "hot");
      const done = await call(server, "attach_share", { vmId, folder: `${folder.path}/more` });
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
    await Deno.symlink("/etc", `${folder.path}/link`);
    await Deno.writeTextFile(`${folder.path}/file`, "");
    const cases: [string, string, RegExp][] = [
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
