/** Snapshots of real guests: what they keep, what a revert brings back, and what is refused before libvirt is asked. */
import assert from "node:assert/strict";
import { inGuest } from "../testbed/in_guest.ts";
import { virsh } from "../testbed/libvirt.ts";
import { type TestMachine, testMachine } from "../testbed/machine.ts";
import { personWith } from "../testbed/people.ts";
import { call, known, readyServer, refused } from "../testbed/product.ts";
import { startServer } from "../testbed/server.ts";
import { requirement } from "../testbed/skip.ts";

const ignore = await requirement("guest") !== null;

/** Writes a word to the start of the guest's disk, past its caches. */
const write = (vm: TestMachine, word: string) =>
  inGuest(vm, "/bin/sh", "-c", `printf %-512s ${word} | dd of=/dev/vda bs=512 count=1 conv=fsync`);
const read = async (vm: TestMachine) =>
  (await inGuest(
    vm,
    "/bin/sh",
    "-c",
    "echo 3 > /proc/sys/vm/drop_caches; dd if=/dev/vda bs=512 count=1 2>/dev/null",
  )).trim();

Deno.test({
  name: "a running guest goes back to its snapshots: disk, memory, and the word its screen asks for",
  ignore,
  fn: async (t) => {
    await using vm = await testMachine({ purpose: "snap", disks: [{}], vnc: true });
    await using server = await readyServer();
    const vmId = vm.uuid;
    await known(server, vmId);
    await call(server, "protect_screens", { vmId });
    await call(server, "start_vm", { vmId });
    const list = async () => await call(server, "list_snapshots", { vmId });
    const names = async () =>
      (await list()).snapshots.map(({ name, parent, current }) => [name, parent, current]);
    await vm.waitForAgent();
    await write(vm, "one");
    await inGuest(vm, "/bin/sh", "-c", "echo was > /tmp/memory");

    await t.step("it is taken with the memory, and told of", async () => {
      assert.deepEqual(await list(), { snapshots: [], withMemory: true });
      const begun = Date.now();
      assert.deepEqual(
        await call(server, "create_snapshot", { vmId, name: "first", description: "before <b> & after" }),
        { name: "first" },
      );
      const [found] = (await list()).snapshots;
      assert.ok(Math.abs(found!.createdAt - begun) < 60_000, "in milliseconds");
      assert.deepEqual({ ...found, createdAt: 0 }, {
        name: "first",
        description: "before <b> & after",
        createdAt: 0,
        current: true,
        state: "running",
        memory: true,
        external: false,
      });
      assert.equal(await vm.state(), "running", "it runs on");
      assert.match(await virsh("snapshot-list", vm.name), /first/);
    });
    await t.step("a second one comes from the first; a name that was not given says when", async () => {
      await write(vm, "two");
      const { name } = await call(server, "create_snapshot", { vmId });
      assert.match(name, /^snapshot-\d{8}-\d{6}$/);
      assert.deepEqual(await names(), [["first", undefined, false], [name, "first", true]]);
      await refused(
        call(server, "create_snapshot", { vmId, name: "first" }),
        "SnapshotExists",
        "The VM has a snapshot of this name: first",
      );
    });
    await t.step("a revert brings back disk and memory, and keeps the other snapshots", async () => {
      await write(vm, "three");
      await inGuest(vm, "/bin/sh", "-c", "echo is > /tmp/memory");
      const boots = await vm.boots();
      await call(server, "revert_snapshot", { vmId, name: "first" });
      await vm.waitForAgent();
      assert.equal(await read(vm), "one");
      assert.equal((await inGuest(vm, "/bin/cat", "/tmp/memory")).trim(), "was");
      assert.ok(await vm.boots() <= boots, "it did not boot");
      const [first, second] = (await list()).snapshots;
      assert.deepEqual([first!.current, second!.current, second!.parent], [true, false, "first"]);
      await call(server, "revert_snapshot", { vmId, name: second!.name });
      await vm.waitForAgent();
      assert.equal(await read(vm), "two");
    });
    await t.step("its screen asks for a password of this run", async () => {
      const kept = await virsh("snapshot-dumpxml", vm.name, "first", "--security-info");
      const now = await vm.xml("--security-info");
      const passwordIn = (xml: string) => /<graphics [^>]*passwd='([^']+)'/.exec(xml)?.[1];
      assert.ok(passwordIn(now), "it has one");
      assert.notEqual(passwordIn(now), passwordIn(kept));
    });
    await t.step("a VM that is off goes back to one that ran, and the other way round", async () => {
      await call(server, "force_stop_vm", { vmId });
      await call(server, "create_snapshot", { vmId, name: "off" });
      assert.equal((await list()).snapshots.find(({ name }) => name === "off")!.memory, false);
      await call(server, "revert_snapshot", { vmId, name: "first" });
      assert.equal(await vm.state(), "running");
      await vm.waitForAgent();
      assert.equal(await read(vm), "one");
      await call(server, "revert_snapshot", { vmId, name: "off" });
      assert.equal(await vm.state(), "shut off");
      assert.equal((await call(server, "get_vm", { vmId })).state, "stopped");
    });
    await t.step("one is deleted, and its children are its parent's; with children all go", async () => {
      const [, second] = (await list()).snapshots;
      await call(server, "delete_snapshot", { vmId, name: second!.name });
      assert.deepEqual(await names(), [["first", undefined, false], ["off", "first", true]]);
      await call(server, "delete_snapshot", { vmId, name: "first", children: true });
      assert.deepEqual(await names(), []);
      for (const command of ["revert_snapshot", "delete_snapshot"] as const) {
        await refused(
          call(server, command, { vmId, name: "first" }),
          "SnapshotNotFound",
          "Snapshot not found: first",
        );
      }
    });
  },
});

Deno.test({
  name: "what no snapshot can be taken of, or gone back to, is said before libvirt is asked",
  ignore,
  fn: async (t) => {
    await using server = await readyServer();
    const hindered = async (options: Parameters<typeof testMachine>[0], reason: RegExp) => {
      await using vm = await testMachine({ purpose: "nosnap", guest: false, ...options });
      await known(server, vm.uuid);
      assert.match((await call(server, "list_snapshots", { vmId: vm.uuid })).hindrance ?? "", reason);
      await refused(
        call(server, "create_snapshot", { vmId: vm.uuid, name: "a" }),
        "SnapshotNotPossible",
        reason,
      );
      assert.match(await virsh("snapshot-list", vm.name, "--name"), /^\s*$/);
    };
    await t.step("no disk", () => hindered({}, /it has no disk/));
    await t.step(
      "a raw disk",
      () => hindered({ disks: [{}, { format: "raw" }] }, /disk vdb is raw.* is in no active storage pool/),
    );

    await t.step("a disk that came or went since", async () => {
      await using vm = await testMachine({ purpose: "moved", guest: false, disks: [{}] });
      const vmId = vm.uuid;
      await known(server, vmId);
      await call(server, "create_snapshot", { vmId, name: "before" });
      const path = `${vm.disks[0]}.other`;
      await Deno.copyFile(vm.disks[0]!, path);
      await virsh("attach-disk", vm.name, path, "vdb", "--subdriver", "qcow2", "--config");
      await refused(
        call(server, "revert_snapshot", { vmId, name: "before" }),
        "SnapshotNotRevertable",
        "The VM cannot be reverted to before: disk vdb was added since. Detach it first",
      );
      await virsh("detach-disk", vm.name, "vdb", "--config");
      await virsh("detach-disk", vm.name, "vda", "--config");
      await virsh("attach-disk", vm.name, path, "vda", "--subdriver", "qcow2", "--config");
      await refused(
        call(server, "revert_snapshot", { vmId, name: "before" }),
        "SnapshotNotRevertable",
        /disk vda/,
      );
      assert.match(
        (await call(server, "list_snapshots", { vmId })).snapshots[0]!.hindrance ?? "",
        /disk vda/,
      );
    });

    await t.step("a network it was on then comes back by an administrator alone", async () => {
      await using vm = await testMachine({ purpose: "nets", guest: false, disks: [{}] });
      const vmId = vm.uuid;
      await known(server, vmId);
      await virsh("attach-interface", vm.name, "bridge", "br-none", "--config");
      await call(server, "set_group", { vmId, group: "then" });
      await call(server, "create_snapshot", { vmId, name: "bridged" });
      await call(server, "set_group", { vmId, group: "now" });
      await virsh("detach-interface", vm.name, "bridge", "--config");
      const operator = await personWith(server, "olga", [{ role: "operator", on: { kind: "vm", vmId } }]);
      await refused(
        operator.call("revert_snapshot", { vmId, name: "bridged" }),
        "SnapshotNotRevertable",
        /other devices, networks or media then, which only an administrator may give back/,
      );
      assert.doesNotMatch(await vm.xml("--inactive"), /br-none/);
      await call(server, "revert_snapshot", { vmId, name: "bridged" });
      assert.match(await vm.xml("--inactive"), /br-none/);
      assert.match(await vm.xml("--inactive"), /group>now</, "a group gives rights: it is that of now");
      assert.equal((await call(server, "get_vm", { vmId })).group, "now");
      await operator.call("delete_snapshot", { vmId, name: "bridged" });
    });

    await t.step("a snapshot that another program keeps in files of its own", async () => {
      await using vm = await testMachine({ purpose: "ext", guest: false, disks: [{}] });
      const vmId = vm.uuid;
      await known(server, vmId);
      await virsh(
        "snapshot-create-as",
        vm.name,
        "far",
        "--disk-only",
        "--diskspec",
        `vda,file=${vm.disks[0]}.far`,
      );
      const [found] = (await call(server, "list_snapshots", { vmId })).snapshots;
      assert.deepEqual([found!.external, /external/.test(found!.hindrance ?? "")], [true, true]);
      await refused(
        call(server, "revert_snapshot", { vmId, name: "far" }),
        "SnapshotNotRevertable",
        /external/,
      );
    });

    await t.step("names that would be a path or an option", async () => {
      await using vm = await testMachine({ purpose: "names", guest: false, disks: [{}] });
      const vmId = vm.uuid;
      await known(server, vmId);
      for (const name of ["../x", "a/b", ".hidden", "-c", "", "a\nb", "x".repeat(65), "<b>"]) {
        await refused(call(server, "create_snapshot", { vmId, name }), "InvalidInput");
      }
      for (const name of ["../x", "-c", "none'\"&<"]) {
        await refused(call(server, "revert_snapshot", { vmId, name }), "SnapshotNotFound");
      }
    });
  },
});

Deno.test("a demo's VMs say why they have no snapshots", async () => {
  await using server = await startServer({ uri: "test:///default", logLevel: "error" });
  const [vm] = await call(server, "get_vms");
  const vmId = vm!.id;
  assert.deepEqual(await call(server, "list_snapshots", { vmId }), {
    snapshots: [],
    hindrance:
      "disk vda is of an unknown format: only qcow2 and raw disks can have snapshots. Convert it first",
    withMemory: true,
  });
});
