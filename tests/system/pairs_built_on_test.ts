/**
 * Checks that disks used as a backing file, by a template, by a VM or by a guest's share are neither written to nor
 * deleted.
 */
import assert from "node:assert/strict";
import { setLogLevel } from "../../agent/log.ts";
import { ContractError } from "../../lib/contract/mod.ts";
import { appHere } from "../testbed/app_here.ts";
import { write } from "../testbed/backups.ts";
import { virsh, virshXml } from "../testbed/libvirt.ts";
import { type TestMachine, testMachine } from "../testbed/machine.ts";
import { testName } from "../testbed/names.ts";
import { ownLibvirtd } from "../testbed/own_libvirtd.ts";
import { testPool } from "../testbed/pool.ts";
import { firstByte } from "../testbed/qemu_io.ts";
import { run } from "../testbed/process.ts";
import { removeDomain, removePool } from "../testbed/removal.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("qemu") !== null || await ownLibvirtd("built-on") !== null;
setLogLevel("error");

type Here = Awaited<ReturnType<typeof appHere>>;
const MIB = 1024 ** 2;

/** Refusal of a call; empty if it was carried out. */
async function refusalOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "";
  } catch (error) {
    if (error instanceof ContractError) return `${error.code}: ${error.message}`;
    throw error;
  }
}

const inventoryOf = ({ app }: Here) => app.hosts.local.inventory;
const isKnown = (here: Here, uuid: string) =>
  until("the VM is known", () => Promise.resolve(inventoryOf(here).vm(uuid) !== undefined));
const poolsKnown = (here: Here, ...names: string[]) =>
  until("the pools are known", async () => {
    await inventoryOf(here).storage.refresh();
    return names.every((name) => inventoryOf(here).storage.record(name) !== undefined);
  });
/** Has the last events of a pool's stop taken in. */
const stopSeen = (here: Here, pool: string) =>
  until(
    "its volumes are not known any more",
    () => Promise.resolve(inventoryOf(here).storage.peek(pool) === undefined),
  );

/** A VM that is not started by the test itself. */
const machine = (purpose: string, options: Parameters<typeof testMachine>[0] = {}) =>
  testMachine({ purpose, guest: false, memoryMiB: 64, machine: "pc", agent: false, ...options });

const define = (xml: string) => virshXml("define", xml);

/** Starts a VM, which would write to what something is built on. @returns what it was refused with */
async function startAndWrite(here: Here, vm: TestMachine): Promise<string> {
  const refused = await refusalOf(here.api.startVm({ vmId: vm.uuid }));
  if (refused !== "") return refused;
  await write(vm, "write -P 7 0 64k");
  await here.api.forceStopVm({ vmId: vm.uuid });
  return refused;
}

/** Has the folder of a pool away, as of a share that is not mounted, until disposed of. */
async function away({ path }: { readonly path: string }): Promise<AsyncDisposable> {
  await Deno.rename(path, `${path}-away`);
  return { [Symbol.asyncDispose]: () => Deno.rename(`${path}-away`, path) };
}

const fileOf = (path: string) => path.split("/").at(-1)!;

Deno.test({
  name: "what a volume or a linked clone is built on is not written to, and not deleted",
  ignore,
  fn: async (t) => {
    await using here = await appHere();
    const { api } = here;
    const deleteBase = (pool: string, volume: string) =>
      refusalOf(api.deleteVolume({ pool, volume, permanently: true }));

    await t.step("a VM does not start on the base of a volume in a pool that was not read yet", async () => {
      await using one = await testPool("built-a");
      await using two = await testPool("built-b");
      await using vm = await machine("built-a", { disks: [{ pool: one, size: "8M" }] });
      await isKnown(here, vm.uuid);
      await poolsKnown(here, one.name, two.name);
      const backing = `${one.name}/${fileOf(vm.disks[0]!)}`;
      await api.createVolume({ pool: two.name, name: "over.qcow2", backing });
      assert.equal(inventoryOf(here).storage.peek(two.name), undefined);
      assert.match(await startAndWrite(here, vm), /^DiskIsBase: .*over\.qcow2/);
      assert.equal(await firstByte(`${two.path}/over.qcow2`), 0);
      await api.stopStoragePool({ pool: two.name });
      await stopSeen(here, two.name);
      assert.match(await startAndWrite(here, vm), /^DiskIsBase: .*over\.qcow2/);
    });

    await t.step("such a base is attached to no VM for writing", async () => {
      await using one = await testPool("built-c");
      await using two = await testPool("built-d");
      await using vm = await machine("built-b");
      await isKnown(here, vm.uuid);
      await poolsKnown(here, one.name, two.name);
      await api.createVolume({ pool: one.name, name: "base.qcow2", capacityBytes: 8 * MIB });
      await api.createVolume({ pool: two.name, name: "over.qcow2", backing: `${one.name}/base.qcow2` });
      assert.equal(inventoryOf(here).storage.peek(two.name), undefined);
      const attach = () => refusalOf(api.attachDisk({ vmId: vm.uuid, path: `${one.path}/base.qcow2` }));
      assert.match(await attach(), /^DiskRefused: .*over\.qcow2/);
      await api.stopStoragePool({ pool: two.name });
      await stopSeen(here, two.name);
      assert.match(await attach(), /^DiskRefused: .*over\.qcow2/);
    });

    await t.step("the base of a volume in a stopped pool is not deleted", async () => {
      await using one = await testPool("built-e");
      await using two = await testPool("built-f");
      await poolsKnown(here, one.name, two.name);
      await api.createVolume({ pool: one.name, name: "base.qcow2", capacityBytes: 8 * MIB });
      await api.createVolume({ pool: two.name, name: "over.qcow2", backing: `${one.name}/base.qcow2` });
      assert.match(await deleteBase(one.name, "base.qcow2"), /^VolumeInUse: .*over\.qcow2/);
      await api.stopStoragePool({ pool: two.name });
      await stopSeen(here, two.name);
      assert.match(await deleteBase(one.name, "base.qcow2"), /^VolumeInUse: .*over\.qcow2/);
      {
        await using _away = await away(two);
        assert.match(await deleteBase(one.name, "base.qcow2"), /^VolumeInUse: .*over\.qcow2/);
      }
      await Deno.remove(`${two.path}/over.qcow2`);
      assert.equal(await deleteBase(one.name, "base.qcow2"), "");
    });

    await t.step("nor is that of a volume in a pool that was stopped before it was ever read", async () => {
      await using one = await testPool("built-g");
      await using two = await testPool("built-h");
      const base = await one.createVolume("base.qcow2", "8M"), over = `${two.path}/over.qcow2`;
      await run(["qemu-img", "create", "-q", "-f", "qcow2", "-b", base, "-F", "qcow2", over]);
      await virsh("pool-destroy", two.name);
      await poolsKnown(here, one.name, two.name);
      assert.match(await deleteBase(one.name, "base.qcow2"), /^VolumeInUse: .*over\.qcow2/);
    });

    await t.step("a linked clone whose folder is away keeps what it is built on", async () => {
      await using one = await testPool("built-i");
      await using two = await testPool("built-j");
      await using vm = await machine("built-c", { disks: [{ pool: one, size: "8M" }] });
      await using other = await machine("built-d");
      for (const { uuid } of [vm, other]) await isKnown(here, uuid);
      await poolsKnown(here, one.name, two.name);
      const name = await testName("built-clone");
      try {
        await api.cloneVm({ vmId: vm.uuid, name, linked: true, pool: two.name });
        await api.stopStoragePool({ pool: two.name });
        await stopSeen(here, two.name);
        {
          await using _away = await away(two);
          assert.match(await startAndWrite(here, vm), /^DiskIsBase: .*built-clone/);
          const { disks: [planned] } = await api.getDeletePlan({ vmId: vm.uuid });
          assert.equal(planned?.deletable, false);
          assert.match(planned?.reason ?? "", /built-clone/);
          await virsh("undefine", vm.name);
          await until("the VM is gone", () => Promise.resolve(inventoryOf(here).vm(vm.uuid) === undefined));
          assert.match(await deleteBase(one.name, fileOf(vm.disks[0]!)), /^VolumeInUse: .*built-clone/);
          const attach = api.attachDisk({ vmId: other.uuid, path: vm.disks[0]! });
          assert.match(await refusalOf(attach), /^DiskInUse: .*built-clone|^DiskRefused: .*built-clone/);
        }
      } finally {
        await removeDomain(name);
      }
    });

    await t.step("what a VM's disk may be built on stays while its image cannot be read", async () => {
      await using one = await testPool("built-k");
      await using two = await testPool("built-l");
      await using vm = await machine("built-e", { disks: [{ size: "8M" }] });
      await using other = await machine("built-f", { disks: [{ pool: one, size: "8M" }] });
      await poolsKnown(here, one.name);
      const base = await one.createVolume("base.qcow2", "8M"), over = `${two.path}/over.qcow2`;
      await run(["qemu-img", "create", "-q", "-f", "qcow2", "-b", base, "-F", "qcow2", over]);
      await define((await virsh("dumpxml", vm.name, "--inactive")).replaceAll(vm.disks[0]!, over));
      await until(
        "the disk is known",
        () => Promise.resolve(inventoryOf(here).vm(vm.uuid)?.disks[0]?.source === over),
      );
      await virsh("pool-destroy", two.name);
      {
        await using _away = await away(two);
        const refused = await deleteBase(one.name, "base.qcow2");
        assert.match(refused, /^StorageUnknown: /);
        assert.ok(refused.includes(vm.name) && refused.includes(over), refused);
        const { disks: [planned] } = await api.getDeletePlan({ vmId: other.uuid });
        assert.ok(planned?.deletable === false && planned.reason?.includes(vm.name), `${planned?.reason}`);
      }
      assert.match(await deleteBase(one.name, "base.qcow2"), /^VolumeInUse: /);
    });
  },
});

/** A pool in a folder of its own, and another name for it. */
async function renamablePool(here: Here, purpose: string) {
  const place = await testPool(purpose), path = `${place.path}/x`;
  const [name, other] = [await testName(`${purpose}-x`), await testName(`${purpose}-y`)];
  const make = (called: string) =>
    here.api.createStoragePool({ name: called, type: "dir", path, autostart: false });
  await Deno.mkdir(path);
  await make(name);
  return {
    name,
    other,
    path,
    /** Gives the folder to a pool of the other name, as another program does. */
    rename: async () => {
      for (const verb of ["pool-destroy", "pool-undefine"]) await virsh(verb, name);
      await poolsGone(here, name);
      await make(other);
    },
    [Symbol.asyncDispose]: async () => {
      for (const each of [name, other]) await removePool(each);
      await place[Symbol.asyncDispose]();
    },
  };
}
const poolsGone = (here: Here, name: string) =>
  until("the pool is gone", async () => {
    await inventoryOf(here).storage.refresh();
    return inventoryOf(here).storage.record(name) === undefined;
  });

Deno.test({
  name: "a pool by whose name something is found is not forgotten, and its folder keeps backups",
  ignore,
  fn: async (t) => {
    await using here = await appHere();
    const { api } = here;
    await api.updateBinPolicy({ days: 7 });

    await t.step("copies in a pool's folder are kept, whatever the pool is called", async () => {
      await using pool = await renamablePool(here, "copies");
      const target = await api.createBackupTarget({ name: "in-pool", kind: "pool", pool: pool.name });
      const folder = `${pool.path}/kvm-manager-backups`;
      await Deno.stat(folder);
      const remove = (deleteContent: boolean) =>
        refusalOf(api.deleteStoragePool({ pool: pool.name, deleteContent }));
      assert.match(await remove(false), /^StoragePoolNeeded: .*backup target in-pool/);
      assert.match(await remove(true), /InUse: .*backup target in-pool/);
      await pool.rename();
      for (const permanently of [false, true]) {
        const call = api.deleteVolume({ pool: pool.other, volume: fileOf(folder), permanently });
        assert.match(await refusalOf(call), /^VolumeInUse: .*backup target in-pool/);
      }
      const content = api.deleteStoragePool({ pool: pool.other, deleteContent: true });
      assert.match(await refusalOf(content), /InUse: .*backup target in-pool/);
      assert.ok((await Deno.stat(folder)).isDirectory);
      await api.deleteBackupTarget({ backupTargetId: target.id });
      assert.equal(await refusalOf(api.deleteVolume({ pool: pool.other, volume: fileOf(folder) })), "");
    });

    await t.step("a pool is not forgotten whose volume a stopped VM names by it", async () => {
      await using pool = await renamablePool(here, "named");
      await api.createVolume({ pool: pool.name, name: "d.qcow2", capacityBytes: 8 * MIB });
      await using vm = await machine("built-g", { disks: [{ size: "8M" }] });
      const xml = await virsh("dumpxml", vm.name, "--inactive");
      await define(
        xml.replace("<disk type='file'", "<disk type='volume'")
          .replace(/<source file='[^']*'/, `<source pool='${pool.name}' volume='d.qcow2'`),
      );
      await until(
        "the disk is known",
        () => Promise.resolve(inventoryOf(here).vm(vm.uuid)?.disks[0]?.type === "volume"),
      );
      const forget = () => refusalOf(api.deleteStoragePool({ pool: pool.name }));
      const refused = await forget();
      assert.match(refused, /^StoragePoolInUse: /);
      assert.ok(refused.includes(vm.name), refused);
      await define(xml);
      assert.equal(await forget(), "");
    });

    await t.step("nor is one that a template's disks are in", async () => {
      await using place = await testPool("templates");
      await using pool = await renamablePool(here, "template");
      await using vm = await machine("built-h", { disks: [{ pool: place, size: "8M" }] });
      await isKnown(here, vm.uuid);
      const { id: templateId } = await api.createTemplate({
        name: "built",
        vmId: vm.uuid,
        pool: pool.name,
        seal: [],
      });
      const forget = () => refusalOf(api.deleteStoragePool({ pool: pool.name }));
      assert.match(await forget(), /^StoragePoolNeeded: .*template built/);
      await api.stopStoragePool({ pool: pool.name });
      await api.startStoragePool({ pool: pool.name });
      await api.deleteTemplate({ templateId });
      assert.equal(await forget(), "");
    });

    await t.step("a kernel that a template names is kept once the VM is gone", async () => {
      await using pool = await testPool("kernel");
      await using vm = await machine("built-i", { disks: [{ pool, size: "8M" }] });
      await isKnown(here, vm.uuid);
      await poolsKnown(here, pool.name);
      const kernel = `${pool.path}/vmlinuz`;
      await Deno.writeFile(kernel, new Uint8Array(4096));
      await virsh("pool-refresh", pool.name);
      const xml = await virsh("dumpxml", vm.name, "--inactive");
      await define(xml.replace("</os>", `<kernel>${kernel}</kernel></os>`));
      await until(
        "it is known",
        () =>
          Promise.resolve(inventoryOf(here).record(vm.uuid)?.summary.otherPaths.includes(kernel) ?? false),
      );
      const { id: templateId } = await api.createTemplate({
        name: "kernel",
        vmId: vm.uuid,
        pool: pool.name,
        seal: [],
      });
      await api.deleteVm({ vmId: vm.uuid, deleteDisks: true, permanently: true });
      const remove = (permanently: boolean) =>
        refusalOf(api.deleteVolume({ pool: pool.name, volume: "vmlinuz", permanently }));
      for (const permanently of [false, true]) {
        assert.match(await remove(permanently), /^VolumeInUse: .*template kernel/);
      }
      await api.deleteTemplate({ templateId });
      assert.equal(await remove(true), "");
    });
  },
});

Deno.test({
  name: "a folder that a guest writes to is none for backups, nor for a pool",
  ignore,
  fn: async () => {
    await using here = await appHere();
    const { api } = here;
    const path = await Deno.makeTempDir({ dir: "/var/tmp", prefix: "kvmm-test-share-" });
    const shared = `${path}/shared`, name = await testName("shared");
    try {
      await Deno.mkdir(`${shared}/copies`, { recursive: true });
      await Deno.mkdir(`${path}/copies`);
      await Deno.symlink(shared, `${path}/link`);
      await using vm = await machine("built-j");
      await isKnown(here, vm.uuid);
      const xml = await virsh("dumpxml", vm.name, "--inactive");
      await define(
        xml.replace(
          "</domain>",
          "<memoryBacking><source type='memfd'/><access mode='shared'/></memoryBacking></domain>",
        ).replace(
          "</devices>",
          `<filesystem type='mount'><driver type='virtiofs'/><source dir='${shared}'/><target dir='s'/></filesystem></devices>`,
        ),
      );
      const isShared = async () => (await api.getVmDevices({ vmId: vm.uuid })).shares.length > 0;
      await until("the share is known", isShared);
      const targets = { vmIds: [vm.uuid] };
      const made = await api.createBackup({
        name: "apart",
        folder: `${path}/copies`,
        targets,
        frequency: "by-hand",
      });
      const backupId = made.id;
      const calls: readonly ((folder: string) => Promise<unknown>)[] = [
        (folder) => api.createBackup({ name: "shared", folder, targets, frequency: "by-hand" }),
        (folder) => api.updateBackup({ backupId, folder }),
        (folder) => api.createBackupTarget({ name: "shared", kind: "folder", folder }),
        (folder) => api.createStoragePool({ name, type: "dir", path: folder, autostart: false }),
      ];
      for (const folder of [shared, `${shared}/copies`, `${path}/link/copies`, path]) {
        for (const call of calls) {
          const refused = await refusalOf(call(folder));
          assert.match(refused, /^PathRefused: /, folder);
          assert.ok(refused.includes(vm.name), refused);
        }
      }
    } finally {
      await removePool(name);
      await Deno.remove(path, { recursive: true });
    }
  },
});
