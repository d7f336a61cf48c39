/** Tests reports on external snapshots that were cut short: finished steps, leftovers, and the remedy. */
import assert from "node:assert/strict";
import { basename } from "node:path";
import { LibvirtError } from "../../ffi/error.ts";
import { identityAt } from "../../agent/operations/file_identity.ts";
import type { Step } from "../../agent/operations/step.ts";
import type { OperationSpec } from "../../agent/operations/operation_record.ts";
import { appHere } from "../testbed/app_here.ts";
import { testFolder } from "../testbed/folder.ts";
import { virsh } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { filesOf } from "../testbed/names.ts";
import { testPool } from "../testbed/pool.ts";
import { privateLibvirt } from "../testbed/private_libvirt.ts";
import { run } from "../testbed/process.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("guest") !== null;

type Here = Awaited<ReturnType<typeof appHere>>;

/** Has an operation settled that was cut short after these steps. @returns what is told of it */
async function settled({ app, api }: Here, spec: OperationSpec, steps: readonly Step[]): Promise<string> {
  const { operations } = app.hosts.local, operation = operations.begin(spec);
  operation.addAll(steps);
  await operations.failed(operation, new LibvirtError({ kind: "lost", message: "lost" }));
  await until("it is settled", () => Promise.resolve(operations.open === 0));
  const all = await api.getActivity({ limit: 50 });
  const [told] = all.filter(({ vmId, action, message = "" }) =>
    vmId === spec.vmId && action === spec.command && /in the middle/.test(message)
  );
  return told?.message ?? "";
}

const about = (command: OperationSpec["command"], vmId: string, subject: string): OperationSpec => ({
  command,
  subject,
  vmId,
  actor: "someone",
  keys: [`vm:${vmId}`],
});

const known = ({ app }: Here, vmId: string) =>
  until("the VM is known", () => Promise.resolve(app.hosts.local.inventory.vm(vmId) !== undefined));

Deno.test({
  name: "a deletion that ends after one of two disks was merged says so, and done again it is whole",
  ignore,
  fn: async (t) => {
    await using pool = await testPool("partly");
    await using vm = await testMachine({
      purpose: "partly",
      guest: false,
      start: true,
      disks: [{ pool, size: "8M" }, { pool, size: "8M" }],
    });
    await using here = await appHere();
    const { api } = here, vmId = vm.uuid, copy = `${filesOf(vm.name)}/copy.qcow2`;
    await known(here, vmId);
    await api.createSnapshot({ vmId, name: "s", memory: false });
    await virsh("blockcopy", vm.name, "vdb", copy, "--transient-job", "--wait");
    const again = /Disks whose images are merged already: vda\. Delete the snapshot again to finish it/;
    await t.step("the refusal", async () => {
      await assert.rejects(api.deleteSnapshot({ vmId, name: "s" }), {
        code: "SnapshotDeleteFailed",
        message: new RegExp(`another program works on disk vdb just now\\. ${again.source}`),
      });
    });
    const input = { vmId, name: "s" }, kind = "change-wanted", command = "delete_snapshot";
    for (const parts of [["vda"], []]) {
      await t.step(
        `the settlement of one that was cut short (merged: ${parts.join() || "none"})`,
        async () => {
          const told = await settled(here, about(command, vmId, vm.name), [{ kind, command, input, parts }]);
          assert.doesNotMatch(told, /Nothing was changed|removed/);
          assert.match(told, /A part of it is done\. .*another program works on disk vdb/);
          assert.match(
            told,
            parts.length > 0 ? /images are merged: vda\. / : /\. The deletion of the snapshot s/,
          );
          assert.match(told, /The deletion of the snapshot s is begun: delete it again to finish that/);
        },
      );
    }
    await t.step("done again, it is whole", async () => {
      await virsh("blockjob", vm.name, "vdb", "--abort");
      await api.deleteSnapshot({ vmId, name: "s" });
      const left = await Array.fromAsync(Deno.readDir(pool.path), ({ name }) => `${pool.path}/${name}`);
      assert.deepEqual(left.toSorted(), vm.disks.toSorted());
    });
    await t.step("one that was cut short after its end is told as done", async () => {
      const told = await settled(here, about(command, vmId, vm.name), [{ kind, command, input }]);
      assert.match(told, /It has been finished now\.$/);
    });
  },
});

Deno.test({
  name: "a revert that is cut short while its folder is away names each image that it leaves there",
  ignore,
  fn: async (t) => {
    await using libvirt = await privateLibvirt("away");
    await using folder = await testFolder();
    const images = `${folder.path}/images`, away = `${images}.away`, disk = `${images}/disk.img`;
    await Deno.mkdir(images);
    await libvirt.virsh("pool-define-as", "images", "dir", "--target", images);
    await libvirt.virsh("pool-start", "images");
    await libvirt.virsh("vol-create-as", "images", "disk.img", "8M", "--format", "raw");
    const { uuid: vmId, name } = await libvirt.machine({
      disks: [{ path: disk, format: "raw", bus: "virtio" }],
    });
    await using here = await appHere([], libvirt.uri);
    const { api } = here;
    await known(here, vmId);
    await api.createSnapshot({ vmId, name: "s", memory: false });
    const head = (await api.getVm({ vmId })).disks[0]!.source!, made = `${images}/after.qcow2`;
    const isLeft = (path: string) =>
      `Left as it is: ${path}, because its folder or its storage pool is not there: delete it once that is back.`;
    /** The revert, cut short with its folder away. */
    const cut = async () => {
      const at = Date.now(), file = await identityAt(made), old = await identityAt(head);
      await Deno.rename(images, away);
      const told = await settled(here, about("revert_snapshot", vmId, name), [
        { kind: "volume-made", pool: "images", name: basename(made), path: made, file, at },
        { kind: "disks-reverted", uuid: vmId, name, snapshot: "s", paths: [made] },
        { kind: "disk-doomed", path: head, file: old },
      ]);
      await Deno.rename(away, images);
      await libvirt.virsh("pool-start", "images").catch(() => "it is active");
      return told;
    };
    await run(["qemu-img", "create", "-q", "-f", "qcow2", "-b", disk, "-F", "raw", made]);
    await t.step("the new one, where the disks are as they were", async () => {
      const told = await cut();
      assert.ok(told.includes(isLeft(made)), told);
      assert.ok(!told.includes(isLeft(head)), told);
    });
    await t.step("the old one, where the disks go on in the new one", async () => {
      const xml = await libvirt.virsh("dumpxml", name, "--inactive"), file = `${folder.path}/vm.xml`;
      await Deno.writeTextFile(file, xml.replaceAll(`'${head}'`, `'${made}'`));
      await libvirt.virsh("define", file);
      const told = await cut();
      assert.ok(told.includes(isLeft(head)), told);
      assert.ok(!told.includes(isLeft(made)), told);
    });
    await t.step("it can be deleted then", async () => {
      await api.refreshStoragePool({ pool: "images" });
      await api.deleteVolume({ pool: "images", volume: basename(head) });
      await api.startVm({ vmId });
      await api.forceStopVm({ vmId });
    });
  },
});
