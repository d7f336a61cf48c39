/** External snapshots of real guests: quiesced, reverted to, merged. */
import assert from "node:assert/strict";
import { inGuest } from "../testbed/in_guest.ts";
import { virsh } from "../testbed/libvirt.ts";
import { type TestMachine, testMachine } from "../testbed/machine.ts";
import { releaseName, testName } from "../testbed/names.ts";
import { testPool } from "../testbed/pool.ts";
import { call, known, readyServer, refusal, refused } from "../testbed/product.ts";
import { removeDomain } from "../testbed/removal.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("guest") !== null;

/** Writes a word to a place on the guest's disk, past its caches. */
const write = (vm: TestMachine, word: string, block = 0) =>
  inGuest(
    vm,
    "/bin/sh",
    "-c",
    `printf %-512s ${word} | dd of=/dev/vda bs=512 count=1 seek=${block} conv=fsync,notrunc`,
  );
const read = async (vm: TestMachine, block = 0) =>
  (await inGuest(
    vm,
    "/bin/sh",
    "-c",
    `echo 3 > /proc/sys/vm/drop_caches; dd if=/dev/vda bs=512 count=1 skip=${block} 2>/dev/null`,
  )).trim();

/** The path of a machine's disk in its stored definition. */
const headOf = async (vm: TestMachine) =>
  /<source file='([^']+)'/.exec(
    (await vm.xml("--inactive")).split("<disk type='file' device='disk'>")[1] ?? "",
  )
    ?.[1] ?? "";

Deno.test({
  name: "a raw disk has external snapshots: taken while it runs, reverted to, merged again",
  ignore,
  fn: async (t) => {
    await using pool = await testPool("external");
    await using vm = await testMachine({
      purpose: "external",
      disks: [{ format: "raw", pool }],
      start: true,
    });
    await using server = await readyServer();
    const vmId = vm.uuid, base = vm.disks[0]!;
    await known(server, vmId);
    const list = () => call(server, "list_snapshots", { vmId });
    const files = async () => (await Array.fromAsync(Deno.readDir(pool.path))).map(({ name }) => name);
    const own = base.slice(base.lastIndexOf("/") + 1);
    await vm.waitForAgent();
    await until("the agent to be known", async () => (await list()).quiesces === true);
    await write(vm, "one");

    await t.step("it is said first that it is external, and why", async () => {
      const { external, withMemory, hindrance } = await list();
      assert.match(external ?? "", /disk vda is raw/);
      assert.equal(withMemory, false);
      assert.equal(hindrance, undefined);
    });
    await t.step("it is taken with the guest frozen for that moment, and the guest goes on", async () => {
      const taken = await call(server, "create_snapshot", { vmId, name: "first", description: "a & b" });
      assert.deepEqual(taken, { name: "first", external: true, quiesced: true });
      assert.equal(
        (await virsh("qemu-agent-command", vm.name, '{"execute":"guest-fsfreeze-status"}')).trim(),
        '{"return":"thawed"}',
      );
      await write(vm, "two");
      const { snapshots: [first], chains } = await list();
      assert.equal(first!.external, true);
      assert.equal(first!.current, true);
      assert.equal(first!.hindrance, undefined);
      assert.deepEqual(first!.loses, [await headOf(vm)]);
      assert.deepEqual(chains, [{
        target: "vda",
        images: [{ path: await headOf(vm), snapshots: [] }, { path: base, snapshots: ["first"] }],
      }]);
    });
    await t.step("the chain stands in the definition to its end", async () => {
      assert.match(
        await vm.xml("--inactive"),
        /<backingStore type='file'>[\s\S]*<backingStore\/>\s*<\/backingStore>/,
      );
    });
    await t.step("a second one comes from it", async () => {
      await call(server, "create_snapshot", { vmId, name: "second", quiesce: false });
      await write(vm, "three");
      assert.equal((await list()).snapshots.find(({ name }) => name === "second")!.parent, "first");
    });
    await t.step("its images are kept from deletion and from other VMs", async () => {
      const name = base.slice(base.lastIndexOf("/") + 1);
      await refused(call(server, "delete_volume", { pool: pool.name, volume: name }), "VolumeInUse");
    });
    await t.step(
      "a revert brings the disk back, keeps the other snapshot, and deletes what nothing needs",
      async () => {
        const lost = await headOf(vm);
        await call(server, "revert_snapshot", { vmId, name: "first" });
        assert.equal(await vm.state(), "shut off");
        await assert.rejects(Deno.lstat(lost), Deno.errors.NotFound);
        const { snapshots } = await list();
        assert.deepEqual(snapshots.map(({ name, current }) => [name, current]), [["first", true], [
          "second",
          false,
        ]]);
        // What is the second one's alone is no VM's, and stays all the same.
        const content = /<source file='([^']+after|[^']+first[^']*)'/.exec(
          await virsh("snapshot-dumpxml", vm.name, "second"),
        )![1]!;
        await refused(
          call(server, "delete_volume", {
            pool: pool.name,
            volume: content.slice(content.lastIndexOf("/") + 1),
          }),
          "VolumeInUse",
        );
        await call(server, "start_vm", { vmId });
        await vm.waitForAgent();
        assert.equal(await read(vm), "one");
        await write(vm, "other");
      },
    );
    await t.step("the first cannot go while two branches are built on it", async () => {
      await refused(
        call(server, "delete_snapshot", { vmId, name: "first" }),
        "SnapshotNotDeletable",
        /several images are built on it .*second/,
      );
    });
    await t.step("it goes forward to the second one", async () => {
      await call(server, "revert_snapshot", { vmId, name: "second" });
      await call(server, "start_vm", { vmId });
      await vm.waitForAgent();
      assert.equal(await read(vm), "two");
      await write(vm, "four");
    });
    await t.step("the first is merged below the second while the guest runs", async () => {
      await call(server, "delete_snapshot", { vmId, name: "first" });
      const { snapshots, chains } = await list();
      assert.deepEqual(snapshots.map(({ name }) => name), ["second"]);
      assert.deepEqual(chains![0]!.images.map(({ snapshots: of }) => of), [[], ["second"]]);
      assert.equal(chains![0]!.images[1]!.path, base, "in the raw image");
      assert.equal(await read(vm), "four");
      await write(vm, "five");
    });
    await t.step("the last is merged while the guest writes: the disk is the raw one again", async () => {
      await call(server, "delete_snapshot", { vmId, name: "second" });
      assert.deepEqual(await list().then(({ snapshots, chains }) => [snapshots, chains]), [[], undefined]);
      assert.equal(await headOf(vm), base);
      assert.equal(await read(vm), "five");
      assert.deepEqual(await files(), [own], "nothing is left next to it");
      const job = (await call(server, "list_jobs", {})).find(({ command }) => command === "delete_snapshot");
      assert.equal(job?.state, "done");
    });
    await t.step(
      "an agent that hangs: the snapshot is taken and says so, or is not taken when that was wanted",
      async () => {
        await inGuest(vm, "/bin/sh", "-c", "(sleep 1; kill -STOP $(pidof qemu-ga)) >/dev/null 2>&1 &");
        await until("the agent to hang", async () => {
          try {
            await virsh("qemu-agent-command", vm.name, '{"execute":"guest-ping"}', "--timeout", "1");
            return false;
          } catch {
            return true;
          }
        });
        const { code } = await refusal(
          call(server, "create_snapshot", { vmId, name: "must", quiesce: true }),
        );
        // The second where the agent is known to be silent by then
        assert.ok(["SnapshotFailed", "SnapshotNotPossible"].includes(code), code);
        assert.deepEqual((await list()).snapshots, []);
        assert.deepEqual(await files(), [own], "nothing is left of it");
        assert.equal(await vm.state(), "running");
      },
    );
    await t.step("of a VM that is off, too, with all that came from it", async () => {
      await call(server, "force_stop_vm", { vmId });
      for (const name of ["a", "b", "c"]) await call(server, "create_snapshot", { vmId, name });
      assert.equal((await list()).chains![0]!.images.length, 4);
      await call(server, "delete_snapshot", { vmId, name: "b" });
      assert.equal((await list()).chains![0]!.images.length, 3);
      await call(server, "delete_snapshot", { vmId, name: "a", children: true });
      assert.equal((await list()).chains, undefined);
      assert.equal(await headOf(vm), base);
      const start = (await Deno.readFile(base)).subarray(0, 4);
      assert.equal(new TextDecoder().decode(start), "five");
    });
    await t.step("the images of its snapshots are deleted with the VM, and told of first", async () => {
      await call(server, "create_snapshot", { vmId, name: "last" });
      const { disks } = await call(server, "get_delete_plan", { vmId });
      assert.deepEqual(disks.map(({ path, deletable }) => [path, deletable]), [
        [await headOf(vm), true],
        [base, true],
      ]);
      await call(server, "delete_vm", { vmId, deleteDisks: true });
      assert.deepEqual(await files(), []);
    });
  },
});

Deno.test({
  name: "a UEFI VM, and one whose memory is left out, have external snapshots; the two kinds are not mixed",
  ignore,
  fn: async (t) => {
    await using server = await readyServer();
    await using pool = await testPool("externaluefi");
    await t.step("UEFI: said first, taken, and its variables stay as they are", async () => {
      const name = await testName("externaluefi");
      try {
        const { id: vmId } = await call(server, "create_vm", {
          name,
          memoryMb: 256,
          firmware: "uefi",
          nics: [],
          disks: [{ sizeGb: 1, pool: pool.name }],
          start: true,
        });
        assert.match((await call(server, "list_snapshots", { vmId })).external ?? "", /UEFI/);
        const nvram = `/var/lib/libvirt/qemu/nvram/${name}_VARS.fd`;
        await call(server, "create_snapshot", { vmId, name: "first" });
        await call(server, "revert_snapshot", { vmId, name: "first" });
        const variables = await Deno.readFile(nvram);
        assert.ok(variables.length > 0);
        await call(server, "start_vm", { vmId });
        await call(server, "delete_snapshot", { vmId, name: "first" });
        assert.equal((await call(server, "list_snapshots", { vmId })).chains, undefined);
        assert.equal(await virsh("domstate", name), "running");
      } finally {
        await removeDomain(name);
        await releaseName(name);
      }
    });
    await t.step("a BIOS VM on qcow2 runs on without its memory being written", async () => {
      await using vm = await testMachine({
        purpose: "externalbios",
        guest: false,
        disks: [{ pool }],
        start: true,
      });
      const vmId = vm.uuid;
      await known(server, vmId);
      assert.equal((await call(server, "list_snapshots", { vmId })).withMemory, true);
      const taken = await call(server, "create_snapshot", { vmId, name: "disks", memory: false });
      assert.deepEqual(taken, { name: "disks", external: true, quiesced: false });
      assert.match(
        (await call(server, "list_snapshots", { vmId })).external ?? "",
        /external snapshots already/,
      );
      await call(server, "delete_snapshot", { vmId, name: "disks" });
      await call(server, "create_snapshot", { vmId, name: "whole" });
      await refused(
        call(server, "create_snapshot", { vmId, name: "disks", memory: false }),
        "SnapshotNotPossible",
        /internal snapshots: delete those first/,
      );
      await refused(
        call(server, "create_snapshot", { vmId, name: "asked", quiesce: true }),
        "SnapshotNotPossible",
      );
    });
  },
});

Deno.test({
  name: "what a libvirt that was killed has left in QEMU is in no snapshot's way",
  ignore,
  fn: async () => {
    await using pool = await testPool("left");
    await using vm = await testMachine({
      purpose: "left",
      guest: false,
      disks: [{ format: "raw", pool }],
      start: true,
    });
    await using server = await readyServer();
    const vmId = vm.uuid;
    await known(server, vmId);
    const left = await pool.createVolume("left.img", "1M", "raw");
    const qmp = (command: unknown) => virsh("qemu-monitor-command", vm.name, JSON.stringify(command));
    const nodes = async () =>
      [...(await qmp({ execute: "query-named-block-nodes" })).matchAll(
        /"node-name":"libvirt-(\d+)-storage"/g,
      )]
        .map(([, number]) => Number(number));
    // libvirt tells QEMU of the image first, and writes it down when all is done
    const next = Math.max(...await nodes()) + 1;
    const node = {
      driver: "file",
      filename: left,
      "node-name": `libvirt-${next}-storage`,
      "read-only": true,
    };
    await Deno.chmod(left, 0o644);
    assert.match(await qmp({ execute: "blockdev-add", arguments: node }), /"return":\{\}/);
    const taken = await call(server, "create_snapshot", { vmId, name: "first" });
    assert.equal(taken.external, true);
    assert.deepEqual((await nodes()).sort(), [next - 1, next, next + 1]);
    await call(server, "delete_snapshot", { vmId, name: "first" });
  },
});

Deno.test({
  name: "a deletion that was cut off once QEMU had left the image puts the definition right before that goes",
  ignore,
  fn: async () => {
    await using pool = await testPool("pivoted");
    await using vm = await testMachine({
      purpose: "pivoted",
      guest: false,
      disks: [{ format: "qcow2", pool }],
      start: true,
    });
    await using server = await readyServer();
    const vmId = vm.uuid, base = vm.disks[0]!;
    await known(server, vmId);
    await call(server, "create_snapshot", { vmId, name: "one", memory: false });
    const overlay = await headOf(vm), before = await vm.xml("--inactive", "--security-info");
    assert.notEqual(overlay, base);
    // What a libvirtd leaves that was killed between QEMU's change and the writing of the definition
    const marked = await virsh("snapshot-dumpxml", vm.name, "one", "--security-info");
    const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" });
    try {
      await Deno.writeTextFile(
        `${folder}/one.xml`,
        marked.replace("<name>one</name>", "<name>one</name><description>[deletion began]</description>"),
      );
      await Deno.writeTextFile(`${folder}/vm.xml`, before);
      await virsh("snapshot-create", vm.name, `${folder}/one.xml`, "--redefine", "--current");
      await virsh("blockcommit", vm.name, "vda", "--active", "--pivot", "--wait", "--base", base);
      await virsh("define", `${folder}/vm.xml`);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
    assert.equal(await headOf(vm), overlay);
    await until(
      "the server to have read it",
      async () => (await call(server, "get_vm", { vmId })).disks[0]?.source === base,
    );
    await call(server, "delete_snapshot", { vmId, name: "one" });
    assert.equal(await headOf(vm), base);
    assert.deepEqual(await Array.fromAsync(Deno.readDir(pool.path), ({ name }) => `${pool.path}/${name}`), [
      base,
    ]);
    await virsh("destroy", vm.name);
    await virsh("start", vm.name);
  },
});
