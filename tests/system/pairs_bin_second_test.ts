/**
 * Tests entries restored from the bin after others took names, paths and pools; and parts that stay because others use
 * them, too.
 */
import assert from "node:assert/strict";
import type { Application } from "../../agent/app.ts";
import { ContractError } from "../../lib/contract/mod.ts";
import { appHere } from "../testbed/app_here.ts";
import { backupFolder, copiedHere } from "../testbed/backups.ts";
import { virsh, virshXml } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { filesOf, testName } from "../testbed/names.ts";
import { testNetwork } from "../testbed/network.ts";
import { ownLibvirtd } from "../testbed/own_libvirtd.ts";
import { testPool } from "../testbed/pool.ts";
import { firstByte } from "../testbed/qemu_io.ts";
import { exists, run } from "../testbed/process.ts";
import { removeDomain, removePool } from "../testbed/removal.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("qemu") !== null || await ownLibvirtd("bin-second") !== null;
const MIB = 1024 ** 2;
const CODE = "/usr/share/OVMF/OVMF_CODE_4M.fd", VARIABLES = "/usr/share/OVMF/OVMF_VARS_4M.fd";

const inventory = ({ app }: { app: Application }) => app.hosts.local.inventory;
const known = (here: { app: Application }, uuid: string) =>
  until("the VM is known", () => Promise.resolve(inventory(here).vm(uuid) !== undefined));
const poolKnown = (here: { app: Application }, name: string) =>
  until("the pool is known", async () => {
    await inventory(here).storage.refresh();
    return inventory(here).storage.record(name) !== undefined;
  });
const off = (purpose: string, options: Parameters<typeof testMachine>[0] = {}) =>
  testMachine({ purpose, guest: false, memoryMiB: 64, machine: "pc", agent: false, ...options });

/** An app with a bin that keeps things for a week. */
async function appWithBin() {
  const here = await appHere();
  await here.api.updateBinPolicy({ days: 7 });
  return here;
}

/** The paths of a VM's disks. */
async function sources({ name }: { name: string }): Promise<string[]> {
  const lines = (await virsh("domblklist", name)).split("\n").map((line) => line.trim().split(/\s+/));
  return lines.flatMap(([, source]) => source?.startsWith("/") ? [source] : []);
}

/** Fills the beginning of an image with a byte. */
const fill = (path: string, format: string, byte: number) =>
  run(["qemu-io", "-f", format, "-c", `write -P ${byte} 0 64k`, path]);

const define = (xml: string) => virshXml("define", xml);

const lastOf = (path: string) => path.split("/").at(-1)!;

Deno.test({
  name: "a VM from the bin: its images, under whatever names they are now",
  ignore,
  fn: async (t) => {
    await using here = await appWithBin();
    const { api } = here;

    await t.step("an overlay is built on its own base, which was given another name", async () => {
      await using pool = await testPool("bin-chain");
      await using vm = await off("bin-chain", { disks: [{ pool, size: "8M", format: "raw" }] });
      await known(here, vm.uuid);
      await poolKnown(here, pool.name);
      const base = vm.disks[0]!, name = await testName("bin-chain-new");
      await fill(base, "raw", 5);
      await api.createSnapshot({ vmId: vm.uuid, name: "s0" });
      await api.createSnapshot({ vmId: vm.uuid, name: "s1" });
      const { bin } = await api.deleteVm({ vmId: vm.uuid, deleteDisks: true });
      const volume = { pool: pool.name, name: lastOf(base), capacityBytes: 8 * MIB, format: "raw" as const };
      await api.createVolume(volume);
      await fill(base, "raw", 9);
      await assert.rejects(api.restoreBinEntry({ entryId: bin!.entryId }), { code: "BinNameTaken" });
      const { vmId } = await api.restoreBinEntry({ entryId: bin!.entryId, name });
      try {
        const [head = ""] = await sources({ name });
        assert.equal(await firstByte(head), 5);
        await api.startVm({ vmId: vmId! });
        await virsh("destroy", name);
        assert.equal(await firstByte(base), 9);
      } finally {
        await removeDomain(name);
      }
    });

    await t.step("each volume is in its own pool, though two have one name", async () => {
      await using first = await testPool("bin-names-a");
      await using second = await testPool("bin-names-b");
      await using vm = await off("bin-names", { disks: [{ size: "8M" }, { size: "8M" }] });
      for (const { name } of [first, second]) await poolKnown(here, name);
      let xml = await virsh("dumpxml", vm.name, "--inactive");
      for (const [index, pool] of [first, second].entries()) {
        await api.createVolume({ pool: pool.name, name: "d.qcow2", capacityBytes: 8 * MIB });
        xml = xml.replace("<disk type='file'", "<disk type='volume'")
          .replace(`<source file='${vm.disks[index]}'`, `<source pool='${pool.name}' volume='d.qcow2'`);
      }
      await define(xml);
      const isVolume = () => inventory(here).vm(vm.uuid)?.disks.every(({ type }) => type === "volume");
      await until("the disks are known", () => Promise.resolve(isVolume() ?? false));
      const { bin } = await api.deleteVm({ vmId: vm.uuid, deleteDisks: true });
      await api.createVolume({ pool: first.name, name: "d.qcow2", capacityBytes: 8 * MIB });
      const name = await testName("bin-names-new");
      const { vmId } = await api.restoreBinEntry({ entryId: bin!.entryId, name });
      try {
        const found = [...(await virsh("dumpxml", name)).matchAll(/<source pool='([^']*)' volume='([^']*)'/g)]
          .map(([, pool, volume]) => ({ pool, volume }));
        assert.deepEqual(found.map(({ pool }) => pool), [first.name, second.name]);
        assert.notEqual(found[0]!.volume, "d.qcow2");
        assert.equal(found[1]!.volume, "d.qcow2");
        await api.startVm({ vmId: vmId! });
        await virsh("destroy", name);
      } finally {
        await removeDomain(name);
      }
    });

    await t.step("a disk that was kept, and is another volume by now, is named", async () => {
      await using pool = await testPool("bin-foreign");
      await using vm = await off("bin-foreign", { disks: [{ pool, size: "8M" }] });
      await known(here, vm.uuid);
      await poolKnown(here, pool.name);
      const path = vm.disks[0]!, volume = lastOf(path);
      const kept = await api.deleteVm({ vmId: vm.uuid, deleteDisks: false });
      assert.deepEqual((await api.restoreBinEntry({ entryId: kept.bin!.entryId })).warnings, []);
      const { bin } = await api.deleteVm({ vmId: vm.uuid, deleteDisks: false });
      await api.deleteVolume({ pool: pool.name, volume, permanently: true });
      await api.createVolume({ pool: pool.name, name: volume, capacityBytes: 8 * MIB });
      const { warnings } = await api.restoreBinEntry({ entryId: bin!.entryId });
      assert.match(warnings.join("\n"), new RegExp(`${path} is another file`));
    });

    await t.step("a network and a filter that are not there any more are named", async () => {
      const network = await testNetwork("bin-net"), filter = await testName("bin-filter");
      await using vm = await off("bin-net", { network });
      await known(here, vm.uuid);
      const rule = "<rule action='accept' direction='inout'/>";
      await virshXml("nwfilter-define", `<filter name='${filter}'>${rule}</filter>`);
      const xml = await virsh("dumpxml", vm.name, "--inactive");
      await define(xml.replace("</interface>", `<filterref filter='${filter}'/></interface>`));
      const { bin } = await api.deleteVm({ vmId: vm.uuid, deleteDisks: false });
      await network[Symbol.asyncDispose]();
      await virsh("nwfilter-undefine", filter);
      const { warnings } = await api.restoreBinEntry({ entryId: bin!.entryId });
      assert.match(warnings.join("\n"), new RegExp(`network ${network.name}`));
      assert.match(warnings.join("\n"), new RegExp(`filter ${filter}`));
    });
  },
});

Deno.test({
  name: "what is in the bin of a folder comes back there, whatever pool the folder belongs to",
  ignore,
  fn: async (t) => {
    await using here = await appWithBin();
    const { api } = here;
    await using place = await testPool("bin-place");
    const folders = [`${place.path}/x`, `${place.path}/y`] as const, [x, y] = folders;
    const one = await testName("bin-one"), two = await testName("bin-two");
    const create = (name: string, path: string) =>
      api.createStoragePool({ name, type: "dir", path, autostart: false });
    const removePools = async (...names: string[]) => {
      for (const name of names) await removePool(name);
      await until("the pools are known to be gone", async () => {
        await inventory(here).storage.refresh();
        return names.every((name) => inventory(here).storage.record(name) === undefined);
      });
    };
    const volumesOf = async (pool: string) => (await api.getVolumes({ pool })).map(({ name }) => name);

    await t.step("not into another folder that a new pool of the name has", async () => {
      for (const path of folders) await Deno.mkdir(path);
      try {
        await create(one, x);
        await api.createVolume({ pool: one, name: "data.qcow2", capacityBytes: 8 * MIB });
        const { bin } = await api.deleteVolume({ pool: one, volume: "data.qcow2" });
        const { entryId } = bin!;
        await api.deleteStoragePool({ pool: one });
        await create(one, y);
        await assert.rejects(
          api.restoreBinEntry({ entryId }),
          (error) =>
            error instanceof ContractError && error.code === "BinRestoreFailed" && error.message.includes(x),
        );
        assert.ok((await api.listBin()).some(({ id }) => id === entryId));
        await create(two, x);
        assert.equal((await api.restoreBinEntry({ entryId })).name, `${two}/data.qcow2`);
        assert.deepEqual(await volumesOf(two), ["data.qcow2"]);
        await api.deleteVolume({ pool: two, volume: "data.qcow2", permanently: true });
      } finally {
        await removePools(one, two);
      }
    });

    await t.step("nor is it lost with a pool of another name that has the folder", async () => {
      try {
        await create(one, x);
        await api.createVolume({ pool: one, name: "d.qcow2", capacityBytes: 8 * MIB });
        const { bin } = await api.deleteVolume({ pool: one, volume: "d.qcow2" });
        await api.deleteStoragePool({ pool: one });
        await create(two, x);
        const listed = (await api.listBin()).find(({ id }) => id === bin!.entryId);
        assert.deepEqual(listed?.files.map(({ pool }) => pool), [two], "the list has the name of now");
        assert.ok((await api.getBinUsage()).pools.some(({ pool }) => pool === two));
        await assert.rejects(api.deleteStoragePool({ pool: two, deleteContent: true }), {
          code: "BinNotEmpty",
        });
        await api.restoreBinEntry({ entryId: bin!.entryId });
        assert.deepEqual(await volumesOf(two), ["d.qcow2"]);
      } finally {
        await removePools(one, two);
      }
    });
  },
});

Deno.test({
  name: "UEFI variables that another VM names stay when a VM goes",
  ignore,
  fn: async (t) => {
    await using here = await appWithBin();
    const { api } = here;
    await using stays = await off("bin-nvram-a", { machine: "q35" });
    await using pool = await testPool("bin-nvram");
    await using goes = await off("bin-nvram-b", { machine: "q35", disks: [{ pool, size: "8M" }] });
    const nvram = `${filesOf(stays.name)}/shared_VARS.fd`;
    await Deno.copyFile(VARIABLES, nvram);
    const firmware = `<loader readonly='yes' type='pflash'>${CODE}</loader><nvram>${nvram}</nvram></os>`;
    for (const { name } of [stays, goes]) {
      await define((await virsh("dumpxml", name, "--inactive")).replace("</os>", firmware));
    }
    const bothNameIt = () =>
      until(
        "both name it",
        () =>
          Promise.resolve(
            [stays, goes].every(({ uuid }) =>
              inventory(here).record(uuid)?.summary.otherPaths.includes(nvram)
            ),
          ),
      );

    await t.step("when it is restored in place", async () => {
      await bothNameIt();
      await poolKnown(here, pool.name);
      await using folder = await backupFolder();
      const { backupId, runId } = await copiedHere(api, folder.path, goes.uuid);
      await Deno.mkdir("/var/lib/libvirt/qemu/nvram", { recursive: true });
      await Deno.writeFile(nvram, new Uint8Array([7]), { append: true });
      const before = await Deno.readFile(nvram);
      const { warnings } = await api.restoreBackup({ backupId, runId, vmId: goes.uuid, inPlace: true });
      await api.deleteBackup({ backupId });
      const own = /UEFI variables are now (\S+): /.exec(warnings.join("\n"))?.[1] ?? "";
      try {
        assert.deepEqual(await Deno.readFile(nvram), before);
        assert.equal((await Deno.stat(own)).size, before.length - 1);
      } finally {
        if (own !== "") await Deno.remove(own);
      }
      const xml = await virsh("dumpxml", goes.name, "--inactive");
      await define(xml.replace(own, nvram));
    });

    await t.step("into the bin", async () => {
      await bothNameIt();
      const { bin, warnings = [] } = await api.deleteVm({ vmId: goes.uuid, deleteDisks: false });
      assert.ok(await exists(nvram));
      assert.match(warnings.join("\n"), new RegExp(`${nvram} stay: ${stays.name} `));
      await api.restoreBinEntry({ entryId: bin!.entryId });
      assert.ok(await exists(nvram));
    });

    await t.step("for good", async () => {
      await bothNameIt();
      await api.deleteVm({ vmId: goes.uuid, deleteDisks: false, permanently: true });
      assert.ok(await exists(nvram));
    });

    await t.step("the last one that names it takes it", async () => {
      await api.deleteVm({ vmId: stays.uuid, deleteDisks: false, permanently: true });
      assert.ok(!await exists(nvram));
    });
  },
});

Deno.test({
  name: "versions of a template that is renamed meanwhile have numbers of their own",
  ignore,
  fn: async () => {
    await using here = await appWithBin();
    const { api } = here;
    await using pool = await testPool("bin-versions");
    await using a = await off("bin-versions-a", { disks: [{ pool, size: "8M" }] });
    await using b = await off("bin-versions-b", { disks: [{ pool, size: "8M" }] });
    await Promise.all([known(here, a.uuid), known(here, b.uuid)]);
    await poolKnown(here, pool.name);
    const { id: templateId } = await api.createTemplate({
      name: "old",
      vmId: a.uuid,
      pool: pool.name,
      seal: [],
    });
    const first = api.updateTemplate({ templateId, vmId: a.uuid, pool: pool.name });
    await api.updateTemplate({ templateId, name: "new" });
    await assert.rejects(
      api.updateTemplate({ templateId, vmId: b.uuid, pool: pool.name }),
      { code: "StorageBusy", message: /template new/ },
    );
    await assert.rejects(api.deleteTemplate({ templateId, permanently: true }), { code: "StorageBusy" });
    await first;
    await api.updateTemplate({ templateId, vmId: b.uuid, pool: pool.name });
    const { versions, name } = await api.getTemplate({ templateId });
    assert.deepEqual([name, versions.map(({ version }) => version)], ["new", [3, 2, 1]]);
    const { bin } = await api.deleteTemplate({ templateId, version: 2 });
    const third = api.updateTemplate({ templateId, vmId: b.uuid, pool: pool.name });
    await assert.rejects(api.restoreBinEntry({ entryId: bin!.entryId }), { code: "StorageBusy" });
    await third;
    await api.restoreBinEntry({ entryId: bin!.entryId });
    const after = await api.getTemplate({ templateId });
    assert.deepEqual(after.versions.map(({ version }) => version), [4, 3, 2, 1]);
    await api.deleteTemplate({ templateId, permanently: true });
  },
});
