/**
 * The image of a snapshot that was cut short after QEMU had gone over to it: the VM goes on in it, no snapshot has it, and with
 * the VM's disks the images below go that were its own.
 */
import assert from "node:assert/strict";
import { basename } from "node:path";
import { LibvirtError } from "../../ffi/error.ts";
import { identityAt } from "../../agent/operations/file_identity.ts";
import { appHere } from "../testbed/app_here.ts";
import { virsh } from "../testbed/libvirt.ts";
import { type TestMachine, testMachine } from "../testbed/machine.ts";
import { type TestPool, testPool } from "../testbed/pool.ts";
import { run } from "../testbed/process.ts";
import { requirement } from "../testbed/skip.ts";
import { openNode, switchNode } from "../testbed/unknown_image.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("guest") !== null;

type Here = Awaited<ReturnType<typeof appHere>>;

const namesIn = async (pool: TestPool) =>
  (await Array.fromAsync(Deno.readDir(pool.path), ({ name }) => `${pool.path}/${name}`))
    .filter((path) => !path.includes("/.")).toSorted();

/** Cuts create_snapshot of a VM that runs once QEMU has gone over, and has that settled. @returns path of the new image */
async function cutSnapshot({ app }: Here, vm: TestMachine, pool: TestPool): Promise<string> {
  const host = app.hosts.local, { uuid, name } = vm, [base = ""] = vm.disks, at = Date.now();
  await until("the VM is known", () => Promise.resolve(host.inventory.vm(uuid)?.state === "running"));
  const overlay = `${pool.path}/${name}-vda-cut.qcow2`;
  await run(["qemu-img", "create", "-q", "-f", "qcow2", "-b", base, "-F", "raw", "-u", overlay, "8M"]);
  await virsh("pool-refresh", pool.name);
  await openNode(name, overlay);
  await switchNode(name, base, overlay);
  const operation = host.operations.begin({
    command: "create_snapshot",
    subject: name,
    vmId: uuid,
    actor: "someone",
    keys: [`vm:${uuid}`],
  });
  const disk = { target: "vda", overlay, chain: [{ path: base, format: "raw", type: "file" }] as const };
  operation.addAll([
    {
      kind: "volume-made",
      pool: pool.name,
      name: basename(overlay),
      path: overlay,
      at,
      file: await identityAt(overlay),
    },
    { kind: "disks-switched", uuid, name, disks: [disk] },
  ]);
  await host.operations.failed(operation, new LibvirtError({ kind: "lost", message: "lost" }));
  await until("it is settled", () => Promise.resolve(host.operations.open === 0));
  assert.match(await vm.xml("--inactive"), new RegExp(`'${overlay}'`));
  return overlay;
}

const machineIn = (pool: TestPool, purpose: string) =>
  testMachine({ purpose, guest: false, disks: [{ pool, format: "raw", size: "8M" }], start: true });

Deno.test({
  name: "the images below an adopted image go with a VM's disks, where they are its own",
  ignore,
  fn: async (t) => {
    await using here = await appHere();
    const { api } = here;
    await t.step("all of them, for good", async () => {
      await using pool = await testPool("adopted");
      await using vm = await machineIn(pool, "adopted");
      const vmId = vm.uuid, overlay = await cutSnapshot(here, vm, pool);
      await api.forceStopVm({ vmId });
      const plan = (await api.getDeletePlan({ vmId })).disks;
      assert.deepEqual(plan.map(({ path, deletable }) => [path, deletable]), [
        [overlay, true],
        [vm.disks[0], true],
      ]);
      await assert.rejects(api.deleteVm({ vmId, disks: [...vm.disks] }), { code: "DiskDeleteFailed" });
      const { deletedDisks } = await api.deleteVm({ vmId, deleteDisks: true });
      assert.deepEqual(deletedDisks, [overlay, vm.disks[0]]);
      assert.deepEqual(await namesIn(pool), []);
    });
    await t.step("into the bin, and back", async () => {
      await using pool = await testPool("adopted");
      await using vm = await machineIn(pool, "adopted");
      const vmId = vm.uuid, overlay = await cutSnapshot(here, vm, pool);
      await api.updateBinPolicy({ days: 7 });
      await api.forceStopVm({ vmId });
      const { bin } = await api.deleteVm({ vmId, deleteDisks: true });
      assert.deepEqual(await namesIn(pool), []);
      await api.restoreBinEntry({ entryId: bin!.entryId });
      assert.deepEqual(await namesIn(pool), [overlay, vm.disks[0]].toSorted());
      await api.startVm({ vmId });
      await api.forceStopVm({ vmId });
      await api.updateBinPolicy({ days: 0 });
      await api.deleteVm({ vmId, deleteDisks: true });
      assert.deepEqual(await namesIn(pool), []);
    });
    await t.step("not one that another VM needs: it stays, and is named", async () => {
      await using pool = await testPool("adopted");
      await using vm = await machineIn(pool, "adopted");
      const vmId = vm.uuid, [base = ""] = vm.disks, overlay = await cutSnapshot(here, vm, pool);
      const theirs = `${pool.path}/theirs.qcow2`;
      await run(["qemu-img", "create", "-q", "-u", "-f", "qcow2", "-b", base, "-F", "raw", theirs, "8M"]);
      await api.refreshStoragePool({ pool: pool.name });
      await api.forceStopVm({ vmId });
      const [, plan] = (await api.getDeletePlan({ vmId })).disks;
      assert.deepEqual([plan?.path, plan?.deletable], [base, false]);
      assert.match(plan?.reason ?? "", /the volume theirs\.qcow2 of .* is built on it/);
      assert.deepEqual((await api.deleteVm({ vmId, deleteDisks: true })).deletedDisks, [overlay]);
      assert.deepEqual(await namesIn(pool), [base, theirs].toSorted());
    });
  },
});
