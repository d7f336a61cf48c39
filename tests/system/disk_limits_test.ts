/** Limits of disks, on a running guest and on stopped VMs; virsh, QEMU and the guest's own clock are the witnesses. */
import assert from "node:assert/strict";
import type { Input } from "../../lib/contract/mod.ts";
import { MIB } from "../../lib/text/byte_units.ts";
import { inGuest } from "../testbed/exec.ts";
import { virsh } from "../testbed/libvirt.ts";
import { type TestMachine, testMachine } from "../testbed/machine.ts";
import { releaseName, testName } from "../testbed/names.ts";
import { testPool } from "../testbed/pool.ts";
import { call, known, readyServer, refused, shows } from "../testbed/product.ts";
import { removeDomain } from "../testbed/removal.ts";
import { requirement } from "../testbed/skip.ts";

const ignore = await requirement("guest") !== null;

/** The limits of a disk as virsh tells them, without those that are none. */
async function tuned(
  name: string,
  target: string,
  place: "--live" | "--config",
): Promise<Record<string, number>> {
  const lines = (await virsh("blkdeviotune", name, target, place)).split("\n");
  const pairs = lines.map((line) => line.split(":").map((part) => part.trim()));
  return Object.fromEntries(
    pairs.filter(([key, value]) => /_sec/.test(key ?? "") && Number(value) > 0)
      .map(([key, value]) => [key!, Number(value)]),
  );
}

/** Limits that QEMU itself applies. */
async function throttled(vm: TestMachine, target: string): Promise<string> {
  const alias = new RegExp(`<target dev='${target}'[^]*?<alias name='([^']+)'`).exec(await vm.xml())![1]!;
  const told = await virsh("qemu-monitor-command", vm.name, "--hmp", "info block");
  const own = told.split(/\n(?=\S)/).find((each) => each.includes(alias)) ?? "";
  return /I\/O throttling: +(.*)/.exec(own)?.[1] ?? "";
}

Deno.test({
  name: "update_disk() limits a running guest at once, and at every start",
  ignore,
  fn: async (t) => {
    await using pool = await testPool("limits");
    await using vm = await testMachine({
      purpose: "limits",
      machine: "pc",
      disks: [{ pool }, { pool, format: "raw" }],
      start: true,
    });
    await using server = await readyServer();
    const vmId = vm.uuid, target = "vda";
    await known(server, vmId);
    const update = (what: Omit<Input<"update_disk">, "vmId" | "target">) =>
      call(server, "update_disk", { vmId, target, ...what });
    const shown = async (which = target) =>
      (await call(server, "get_vm_devices", { vmId })).disks.find((disk) => disk.target === which)!;
    const same = async (limits: Record<string, number>) => {
      assert.deepEqual(await tuned(vm.name, target, "--live"), limits);
      assert.deepEqual(await tuned(vm.name, target, "--config"), limits);
    };
    const everywhere = { live: true, persistent: true, waiting: [] };

    await t.step("reads and writes by themselves: virsh, QEMU and our answer say the same", async () => {
      assert.deepEqual(await update({ readBytesSec: MIB / 2, writeIopsSec: 200 }), everywhere);
      await same({ read_bytes_sec: MIB / 2, write_iops_sec: 200 });
      assert.match(await throttled(vm, target), /bps_rd=524288 .*iops_wr=200 /);
      const disk = await shown();
      assert.deepEqual([disk.readBytesSec, disk.writeIopsSec, disk.totalBytesSec, disk.pending], [
        MIB / 2,
        200,
        undefined,
        [],
      ]);
    });
    await t.step("the guest cannot read faster than it may", async () => {
      await vm.waitForBoot();
      await vm.waitForAgent();
      const began = performance.now();
      await inGuest(vm, "dd if=/dev/vda of=/dev/null bs=64k count=64");
      const seconds = (performance.now() - began) / 1000;
      // 4 MiB at 0.5 MiB a second are 8 seconds; without a limit it is a moment.
      assert.ok(seconds > 4, `4 MiB were read in ${seconds} seconds`);
    });
    await t.step("one limit is changed and the others stay; 0 takes one away", async () => {
      await update({ readBytesSec: 2 * MIB });
      await same({ read_bytes_sec: 2 * MIB, write_iops_sec: 200 });
      await update({ writeIopsSec: 0 });
      await same({ read_bytes_sec: 2 * MIB });
    });
    await t.step("a total in addition to reads is refused with a remedy, and changes nothing", async () => {
      await refused(
        update({ totalBytesSec: 5 * MIB }),
        "InvalidInput",
        "Invalid input: totalBytesSec (5242880) and readBytesSec (2097152) exclude each other: limit reads and writes " +
          "together, or each by itself, and set the other to 0",
      );
      await refused(
        update({ writeBytesSecMax: MIB }),
        "InvalidInput",
        /writeBytesSecMax needs writeBytesSec/,
      );
      await refused(
        update({ readBytesSecMax: MIB }),
        "InvalidInput",
        /\(1048576\) cannot be below readBytesSec/,
      );
      await refused(
        update({ readBytesSecMax: 1e15, readBytesSecMaxLength: 2 }),
        "InvalidInput",
        /is too long for bursts/,
      );
      await refused(
        server.call("update_disk", { vmId, target, readBytesSec: -1 }),
        "InvalidInput",
        /readBytesSec/,
      );
      await refused(server.call("update_disk", { vmId, target }), "InvalidInput", /say what to change/);
      await same({ read_bytes_sec: 2 * MIB });
    });
    await t.step("from reads to a total in one change, with bursts, which go with it", async () => {
      await update({
        readBytesSec: 0,
        totalBytesSec: 5 * MIB,
        totalBytesSecMax: 20 * MIB,
        totalBytesSecMaxLength: 30,
        totalIopsSec: 500,
      });
      await same({
        total_bytes_sec: 5 * MIB,
        total_bytes_sec_max: 20 * MIB,
        total_bytes_sec_max_length: 30,
        total_iops_sec: 500,
      });
      assert.deepEqual((await shown()).pending, []);
      await update({ totalBytesSec: 0 });
      await same({ total_iops_sec: 500 });
    });
    await t.step("what QEMU takes at the next start alone is said to wait", async () => {
      assert.deepEqual(await update({ totalBytesSec: 8 * MIB, cache: "none", serial: "" }), {
        live: true,
        persistent: true,
        waiting: ["cache"],
      });
      assert.deepEqual((await shown()).pending, [{ field: "cache", now: null, next: "none" }]);
      assert.deepEqual(await update({ cache: "default" }), { live: false, persistent: true, waiting: [] });
      await same({ total_bytes_sec: 8 * MIB, total_iops_sec: 500 });
    });
    await t.step("when the stored configuration cannot follow, the running VM is as it was", async () => {
      const before = [await vm.xml(), await vm.xml("--inactive")];
      await refused(update({ totalBytesSec: MIB, shareable: true }), "UpdateFailed", /shar/i);
      await same({ total_bytes_sec: 8 * MIB, total_iops_sec: 500 });
      assert.match(await throttled(vm, target), /bps=8388608 /);
      assert.deepEqual([await vm.xml(), await vm.xml("--inactive")], before);
    });
    await t.step("what virsh sets by hand is seen, and what differs at the next start", async () => {
      await virsh("blkdeviotune", vm.name, target, "--total-iops-sec", "100", "--live");
      const disk = await shown();
      assert.equal(disk.totalIopsSec, 100);
      assert.deepEqual(disk.pending, [{ field: "totalIopsSec", now: "100", next: "500" }]);
      const pending = await call(server, "get_pending_changes", { vmId });
      assert.deepEqual(pending.map(({ what, live, next }) => [what, live, next]), [
        ["disk vda", "iotune total_iops_sec 100", "iotune total_iops_sec 500"],
      ]);
      await update({ totalIopsSec: 500 });
      assert.deepEqual((await shown()).pending, []);
    });
    await t.step("a new size and an external snapshot keep them", async () => {
      await call(server, "resize_disk", { vmId, target, sizeGb: 1 });
      await call(server, "create_snapshot", { vmId, name: "external" });
      assert.match(await vm.xml(), /<source file='[^']*external/, "it writes into a new image");
      await same({ total_bytes_sec: 8 * MIB, total_iops_sec: 500 });
      assert.match(await throttled(vm, target), /bps=8388608 .*iops=500 /);
      await call(server, "delete_snapshot", { vmId, name: "external" });
      assert.match(await throttled(vm, target), /bps=8388608 .*iops=500 /);
    });
    await t.step(
      "a new disk has them from the beginning; one that is there until the VM is off, too",
      async () => {
        const create = { pool: pool.name, sizeGb: 1 };
        const made = await call(server, "attach_disk", {
          vmId,
          create,
          writeBytesSec: MIB,
          persistent: false,
        });
        assert.deepEqual(await tuned(vm.name, made.target, "--live"), { write_bytes_sec: MIB });
        assert.match(await throttled(vm, made.target), /bps_wr=1048576 /);
        const at = { vmId, target: made.target };
        assert.deepEqual(await call(server, "update_disk", { ...at, writeBytesSec: 2 * MIB }), {
          live: true,
          persistent: false,
          waiting: [],
        });
        assert.deepEqual(await tuned(vm.name, made.target, "--live"), { write_bytes_sec: 2 * MIB });
        await refused(call(server, "update_disk", { ...at, cache: "none" }), "NoSuchDisk");
        await refused(
          call(server, "attach_disk", { vmId, create, totalIopsSec: 1, readIopsSec: 1 }),
          "InvalidInput",
          /exclude each other/,
        );
        assert.equal(
          (await virsh("vol-list", pool.name)).split("\n").filter(Boolean).length,
          3,
          "no volume is left",
        );
      },
    );
    await t.step("a drive has them with another medium", async () => {
      await pool.createVolume("a.iso", "1M", "raw");
      await pool.createVolume("b.iso", "1M", "raw");
      const medium = (name: string) => `${pool.path}/${name}`;
      const drive = await call(server, "attach_disk", { vmId, device: "cdrom", bus: "ide", live: false });
      await virsh("destroy", vm.name);
      await shows(server, vmId, ({ state }) => state === "stopped");
      const at = { vmId, target: drive.target };
      assert.deepEqual(await call(server, "update_disk", { ...at, readBytesSec: MIB }), {
        live: false,
        persistent: true,
        waiting: [],
      });
      await call(server, "insert_media", { ...at, path: medium("a.iso") });
      // Paused: firmware and system close a drive again and again while they look for what to boot
      await virsh("start", vm.name, "--paused");
      await shows(server, vmId, ({ state }) => state === "paused");
      await call(server, "insert_media", { ...at, path: medium("b.iso"), force: true });
      assert.deepEqual(await tuned(vm.name, drive.target, "--live"), { read_bytes_sec: MIB });
      assert.deepEqual(await tuned(vm.name, drive.target, "--config"), { read_bytes_sec: MIB });
      assert.match(await throttled(vm, drive.target), /bps_rd=1048576 /);
    });
    await t.step("the VM that was started again has them", async () => {
      await same({ total_bytes_sec: 8 * MIB, total_iops_sec: 500 });
      assert.match(await throttled(vm, target), /bps=8388608 .*iops=500 /);
    });
  },
});

Deno.test({
  name: "limits of disks are kept by clones and templates",
  ignore,
  fn: async (t) => {
    await using pool = await testPool("limits-copy");
    await using vm = await testMachine({ purpose: "limits-copy", guest: false, disks: [{ pool }] });
    await using server = await readyServer();
    const vmId = vm.uuid, base = await testName("limits-of");
    await using undo = new AsyncDisposableStack();
    undo.defer(() => releaseName(base));
    await known(server, vmId);
    await call(server, "update_disk", { vmId, target: "vda", readBytesSec: MIB, readBytesSecMax: 2 * MIB });
    await virsh("blkdeviotune", vm.name, "vda", "--group-name", "g", "--config");
    await call(server, "update_disk", { vmId, target: "vda", serial: "S1", writeIopsSec: 7 });
    const limits = { read_bytes_sec: MIB, read_bytes_sec_max: 2 * MIB, write_iops_sec: 7 };
    const holds = async (name: string) => {
      const { read_bytes_sec_max_length: _, ...found } = await tuned(name, "vda", "--config");
      assert.deepEqual(found, limits);
      assert.match(await virsh("dumpxml", name, "--inactive"), /<group_name>g<\/group_name>/);
    };
    await t.step("another field leaves them, and a group that virsh has set", () => holds(vm.name));
    await t.step("a clone", async () => {
      const name = `${base}-clone`;
      undo.defer(() => removeDomain(name));
      await call(server, "clone_vm", { vmId, name });
      await holds(name);
    });
    await t.step("VMs of a template", async () => {
      const name = `${base}-made`;
      undo.defer(() => removeDomain(name));
      const template = await call(server, "create_template", { vmId, name: `${base}-template` });
      try {
        await call(server, "create_vm_from_template", { templateId: template.id, name });
        await holds(name);
        const { vms } = await call(server, "get_vms").then((all) => ({
          vms: all.filter((each) => each.name === name),
        }));
        await call(server, "delete_vm", { vmId: vms[0]!.id, deleteDisks: true, permanently: true });
      } finally {
        await call(server, "delete_template", { templateId: template.id, permanently: true });
      }
    });
  },
});
