/** No VM starts, is reverted or comes back on a disk that something else is built on, or that another VM has by now. */
import assert from "node:assert/strict";
import { basename } from "node:path";
import { showStartRisks } from "../../agent/vm/lifecycle/start_risks.ts";
import { markedAsDeleting } from "../../lib/formats/xml/snapshot.ts";
import { appHere } from "../testbed/app_here.ts";
import { virsh } from "../testbed/libvirt.ts";
import { type TestMachine, testMachine } from "../testbed/machine.ts";
import { filesOf } from "../testbed/names.ts";
import { testPool } from "../testbed/pool.ts";
import { run } from "../testbed/process.ts";
import { removeDomain } from "../testbed/removal.ts";
import { requirement } from "../testbed/skip.ts";
import { goneOver } from "../testbed/unknown_image.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("guest") !== null;

type Here = Awaited<ReturnType<typeof appHere>>;

const known = (
  here: Here,
  uuid: string,
  fits: (disks: readonly { source?: string }[]) => boolean = () => true,
) =>
  until("the VM is known", () => {
    const vm = here.app.hosts.local.inventory.vm(uuid);
    return Promise.resolve(vm !== undefined && fits(vm.disks));
  });

/** Puts another text into a VM's stored definition. */
async function redefine(vm: TestMachine, change: (xml: string) => string): Promise<void> {
  const file = `${filesOf(vm.name)}/again.xml`;
  await Deno.writeTextFile(file, change(await virsh("dumpxml", vm.name, "--inactive", "--security-info")));
  await virsh("define", file);
}

Deno.test({
  name:
    "the original of a linked clone neither starts nor is reverted while the clone, also in the bin, needs its disk",
  ignore,
  fn: async (t) => {
    await using pool = await testPool("linked-pair");
    await using vm = await testMachine({ purpose: "linked-pair", guest: false, disks: [{ pool }] });
    await using here = await appHere();
    const { api } = here, clone = `${vm.name}-lc`, vmId = vm.uuid, disk = vm.disks[0]!;
    await known(here, vmId);
    await api.updateBinPolicy({ days: 7 });
    try {
      const { jobId } = await api.cloneVm({ vmId, name: clone, linked: true }) as { jobId?: string };
      if (jobId !== undefined) {
        await until("the clone", async () => (await api.getJob({ jobId })).job.state === "done");
      }
      const [made] = (await api.getVms({})).filter(({ name }) => name === clone);
      const isRefused = (name: RegExp) => ({ code: "DiskIsBase", message: name });
      await t.step("every way to start it is refused, and what is built on it is told", async () => {
        await assert.rejects(api.startVm({ vmId }), isRefused(new RegExp(clone)));
        await assert.rejects(api.startVm({ vmId, bootFrom: "disk" }), isRefused(new RegExp(clone)));
        const { results } = await api.batchStartVms({ vmIds: [vmId] });
        assert.equal(results[0]!.success, false);
        const user = [{ vmId: made!.id, name: clone }];
        assert.deepEqual((await api.getVm({ vmId })).disks[0]!.baseOf, user);
        assert.deepEqual((await api.getVmDevices({ vmId })).disks[0]!.baseOf, user);
      });
      await t.step("libvirt's autostart and virsh are told as what needs a person", async () => {
        const { local } = here.app.hosts;
        await api.setAutostart({ vmId, autostart: true });
        await showStartRisks(local);
        assert.match(
          (await api.getVm({ vmId })).attention.join(),
          /autostart\), although other images are built on its disk/,
        );
        await virsh("start", vm.name);
        await until("it is told as running", async () => {
          await showStartRisks(local);
          return /It runs, although other images/.test((await api.getVm({ vmId })).attention.join());
        });
        await api.forceStopVm({ vmId });
        await api.setAutostart({ vmId, autostart: false });
      });
      await t.step("a revert within its disk is refused, too", async () => {
        await virsh("snapshot-create-as", vm.name, "s1");
        await assert.rejects(api.revertSnapshot({ vmId, name: "s1" }), isRefused(new RegExp(clone)));
        await virsh("snapshot-delete", vm.name, "s1");
      });
      await t.step("the clone itself starts", async () => {
        await api.startVm({ vmId: made!.id });
        await api.forceStopVm({ vmId: made!.id });
      });
      const { bin } = await api.deleteVm({ vmId: made!.id, deleteDisks: true });
      await t.step("as long as the clone is in the bin", async () => {
        await assert.rejects(api.startVm({ vmId }), isRefused(/in the bin/));
      });
      await api.deleteBinEntry({ entryId: bin!.entryId });
      await t.step("an overlay that is in no pool, of a VM that virsh made", async () => {
        const over = `${filesOf(vm.name)}/over.qcow2`;
        await run(["qemu-img", "create", "-q", "-f", "qcow2", "-b", disk, "-F", "qcow2", over]);
        await using other = await testMachine({
          purpose: "linked-other",
          guest: false,
          disks: [{ size: "8M" }],
        });
        await redefine(other, (xml) => xml.replaceAll(other.disks[0]!, over));
        await known(here, other.uuid, ([first]) => first?.source === over);
        await assert.rejects(api.startVm({ vmId }), isRefused(new RegExp(other.name)));
      });
      await t.step("then it starts", async () => {
        await until(
          "the other VM is gone",
          () =>
            Promise.resolve(
              !here.app.hosts.local.inventory.vms().some(({ name }) => name.includes("linked-other")),
            ),
        );
        await api.startVm({ vmId });
        await api.forceStopVm({ vmId });
      });
    } finally {
      await removeDomain(clone);
    }
  },
});

Deno.test({
  name: "a VM that was deleted without its disk gets it back only while no other VM has it",
  ignore,
  fn: async (t) => {
    await using pool = await testPool("kept-pair");
    await using a = await testMachine({ purpose: "kept-a", guest: false, disks: [{ pool }] });
    await using b = await testMachine({ purpose: "kept-b", guest: false });
    await using here = await appHere();
    const { api } = here, [path = ""] = a.disks;
    await Promise.all([known(here, a.uuid), known(here, b.uuid)]);
    await api.updateBinPolicy({ days: 7 });
    const xml = await virsh("dumpxml", a.name, "--inactive", "--security-info");
    const { bin } = await api.deleteVm({ vmId: a.uuid, deleteDisks: false });
    const { target } = await api.attachDisk({ vmId: b.uuid, path });
    await t.step("the bin does not give it back", async () => {
      await assert.rejects(
        api.restoreBinEntry({ entryId: bin!.entryId }),
        { code: "BinRestoreFailed", message: new RegExp(`${b.name} has its disk`) },
      );
    });
    await t.step("of two that have it, one runs at a time; also under another name of the file", async () => {
      const link = `${filesOf(b.name)}/hard.qcow2`, file = `${filesOf(b.name)}/a.xml`;
      await Deno.link(path, link);
      for (const source of [path, link]) {
        await Deno.writeTextFile(file, xml.replaceAll(path, source));
        await virsh("define", file);
        await known(here, a.uuid, ([disk]) => disk?.source === source);
        for (const [first, second] of [[a, b], [b, a]] as const) {
          await api.startVm({ vmId: first.uuid });
          await assert.rejects(api.startVm({ vmId: second.uuid }), {
            code: "DiskInUse",
            message: new RegExp(first.name),
          });
          await api.forceStopVm({ vmId: first.uuid });
        }
      }
      await virsh("undefine", a.name);
      await until(
        "the VM is gone",
        () => Promise.resolve(here.app.hosts.local.inventory.vm(a.uuid) === undefined),
      );
    });
    await t.step("given free, it comes back and starts", async () => {
      await api.detachDisk({ vmId: b.uuid, target });
      await api.restoreBinEntry({ entryId: bin!.entryId });
      await api.startVm({ vmId: a.uuid });
      await api.forceStopVm({ vmId: a.uuid });
    });
  },
});

Deno.test({
  name:
    "a VM whose image libvirt does not know since it was killed within a snapshot says so until its restart",
  ignore,
  fn: async (t) => {
    await using pool = await testPool("unknown-image");
    await using vm = await testMachine({
      purpose: "unknown-image",
      guest: false,
      start: true,
      disks: [{ pool, format: "raw", size: "8M" }, { size: "8M", pool }],
    });
    await using here = await appHere();
    const { api } = here, vmId = vm.uuid, over = `${pool.path}/over.qcow2`;
    await known(here, vmId);
    await api.createSnapshot({ vmId, name: "s", memory: false });
    const head = (await api.getVm({ vmId })).disks[0]!.source!;
    await goneOver(vm, { head, over });
    await api.refreshStoragePool({ pool: pool.name });
    const attention = async () => {
      await showStartRisks(here.app.hosts.local);
      return (await api.getVm({ vmId })).attention.join();
    };
    await until(
      "it is told",
      async () => /libvirt does not know the image that QEMU writes its disk vda to/.test(await attention()),
    );
    const isRefused = (code: string) => ({ code, message: /libvirt does not know until the next start/ });
    await assert.rejects(api.revertSnapshot({ vmId, name: "s" }), isRefused("SnapshotNotRevertable"));
    await assert.rejects(api.deleteSnapshot({ vmId, name: "s" }), isRefused("SnapshotNotDeletable"));
    await t.step("what libvirt would do to that disk is refused, and its image is not given up", async () => {
      const disk = { vmId, target: "vda" };
      await assert.rejects(api.resizeDisk({ ...disk, sizeGb: 1 }), isRefused("ResizeFailed"));
      await assert.rejects(api.detachDisk(disk), isRefused("DetachFailed"));
      await assert.rejects(api.moveDisk({ ...disk, pool: pool.name }), isRefused("DiskNotMovable"));
      await assert.rejects(api.cloneVm({ vmId, name: `${vm.name}-c` }), isRefused("DiskNotClonable"));
      await assert.rejects(api.suspendVm({ vmId }), isRefused("SuspendFailed"));
      await assert.rejects(api.discardPendingChanges({ vmId }), isRefused("UpdateFailed"));
      const { xml } = await api.getVmXml({ vmId, inactive: true }), old = xml.replaceAll(over, head);
      await assert.rejects(api.setVmXml({ vmId, xml: old }), isRefused("DiskRefused"));
      assert.match(await vm.xml("--inactive"), new RegExp(`'${over}'`));
    });
    await t.step("its other disks, its limits and its definition change as ever", async () => {
      await api.resizeDisk({ vmId, target: "vdb", sizeGb: 1 });
      await api.updateDisk({ vmId, target: "vda", readIopsSec: 1000 });
      await api.updateVm({ vmId, description: "as ever" });
      const { xml } = await api.getVmXml({ vmId, inactive: true });
      await api.setVmXml({ vmId, xml: xml.replace("as ever", "changed") });
      assert.match(await vm.xml("--inactive"), new RegExp(`'${over}'`));
    });
    await api.forceStopVm({ vmId });
    await api.startVm({ vmId });
    assert.equal(await attention(), "");
    await api.revertSnapshot({ vmId, name: "s" });
    // Also the image between, which no snapshot has
    const names = async () => await Array.fromAsync(Deno.readDir(pool.path), ({ name }) => name);
    assert.equal((await names()).length, 4, (await names()).join());
    await api.deleteSnapshot({ vmId, name: "s" });
    assert.deepEqual((await names()).map((name) => `${pool.path}/${name}`).toSorted(), vm.disks.toSorted());
  },
});

Deno.test({
  name: "a VM that would start from an image which QEMU has merged says so, until that is put right",
  ignore,
  fn: async (t) => {
    await using pool = await testPool("merged-image");
    await using vm = await testMachine({
      purpose: "merged-image",
      guest: false,
      disks: [{ pool, size: "8M" }],
      start: true,
    });
    await using here = await appHere();
    const { api } = here, vmId = vm.uuid, file = `${filesOf(vm.name)}/snapshot.xml`;
    await known(here, vmId);
    await until(
      "its pool",
      async () => (await api.getStoragePools({})).some(({ name }) => name === pool.name),
    );
    const attention = async () => {
      await showStartRisks(here.app.hosts.local);
      return (await api.getVm({ vmId })).attention.join();
    };
    /** As a libvirt leaves it that is killed once QEMU has gone over to the lower image. */
    const cut = async () => {
      await api.createSnapshot({ vmId, name: "s", memory: false });
      const before = await vm.xml("--inactive", "--security-info");
      await virsh("blockcommit", vm.name, "vda", "--active", "--pivot", "--wait");
      await redefine(vm, () => before);
      await known(here, vmId, ([disk]) => disk?.source === vm.disks[0]);
      await until("it is told", async () => /QEMU has merged that into/.test(await attention()));
      const isTold = (code: string) => ({
        code,
        message: /QEMU has merged that into.+Before the VM is shut down/,
      });
      await assert.rejects(
        api.createSnapshot({ vmId, name: "other", memory: false }),
        isTold("SnapshotNotPossible"),
      );
      await assert.rejects(api.revertSnapshot({ vmId, name: "s" }), isTold("SnapshotNotRevertable"));
      await assert.rejects(api.deleteSnapshot({ vmId, name: "s" }), isTold("SnapshotNotDeletable"));
    };
    /** The next start is from the image that has all. */
    const isRight = async () => {
      assert.equal(await attention(), "");
      assert.match(await vm.xml("--inactive"), new RegExp(`'${vm.disks[0]}'`));
    };
    await t.step("the deletion that was cut short is done again", async () => {
      await cut();
      await Deno.writeTextFile(file, markedAsDeleting(await virsh("snapshot-dumpxml", vm.name, "s"), "vda"));
      await virsh("snapshot-create", vm.name, file, "--redefine");
      await api.deleteSnapshot({ vmId, name: "s" });
      await isRight();
      assert.deepEqual(
        await Array.fromAsync(Deno.readDir(pool.path), ({ name }) => `${pool.path}/${name}`),
        vm.disks,
      );
    });
    await t.step("or the pending change is discarded", async () => {
      await cut();
      const upper = (await vm.xml("--inactive")).match(/'([^']*-s-[^']*)'/)![1]!;
      await api.discardPendingChanges({ vmId });
      await api.deleteVolume({ pool: pool.name, volume: basename(upper) });
      await isRight();
      await api.deleteSnapshot({ vmId, name: "s" });
    });
  },
});
