/**
 * Checks that data of one VM are not taken for another's: its cloud-init seed, its addresses, its copies, its alerts.
 */
import assert from "node:assert/strict";
import { setLogLevel } from "../../agent/log.ts";
import { ContractError } from "../../lib/contract/mod.ts";
import { appHere } from "../testbed/app_here.ts";
import { copiedHere } from "../testbed/backups.ts";
import { testFolder } from "../testbed/folder.ts";
import { virsh, virshUnless, virshXml } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { testName } from "../testbed/names.ts";
import { testNetwork } from "../testbed/network.ts";
import { ownLibvirtd } from "../testbed/own_libvirtd.ts";
import { testPool } from "../testbed/pool.ts";
import { removeDomain } from "../testbed/removal.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("qemu") !== null || await ownLibvirtd("identity") !== null;
setLogLevel("error");

type Here = Awaited<ReturnType<typeof appHere>>;

/** Refusal of a call; undefined if it was carried out. */
async function refusalOf(work: Promise<unknown>): Promise<string | undefined> {
  try {
    await work;
  } catch (error) {
    if (error instanceof ContractError) return `${error.code}: ${error.message}`;
    throw error;
  }
}

const known = ({ app }: Here, ...uuids: string[]) =>
  until(
    "the VMs are known",
    () => Promise.resolve(uuids.every((uuid) => app.hosts.local.inventory.vm(uuid) !== undefined)),
  );
const poolKnown = ({ app }: Here, name: string) =>
  until("the pool is known", async () => {
    const { storage } = app.hosts.local.inventory;
    await storage.refresh();
    return storage.record(name) !== undefined;
  });
const off = (purpose: string, options: Parameters<typeof testMachine>[0] = {}) =>
  testMachine({ purpose, guest: false, memoryMiB: 64, machine: "pc", agent: false, ...options });
const seedOf = (hostname: string) => ({
  form: { hostname, users: [{ name: "ann", password: `secret-of-${hostname}` }] },
});

/** Defines a VM, as another program does. */
const define = (xml: string) => virshXml("define", xml);

/** A libvirtd of its own has no filters. */
async function defineFilter(name: string): Promise<AsyncDisposable> {
  const file = await Deno.makeTempFile({ suffix: ".xml" });
  await Deno.writeTextFile(
    file,
    `<filter name='${name}' chain='root'><rule action='accept' direction='inout'/></filter>`,
  );
  await virsh("nwfilter-define", file).finally(() => Deno.remove(file));
  return {
    [Symbol.asyncDispose]: async () => void await virshUnless(/not found/i, "nwfilter-undefine", name),
  };
}

Deno.test({
  name: "cloud-init seeds and addresses of VMs that were renamed, reverted and edited",
  ignore,
  fn: async (t) => {
    await using here = await appHere();
    const { api } = here;

    await t.step("a revert gives a VM no seed of another one that has its former name", async () => {
      await using pool = await testPool("seeds");
      await using a = await off("seeds-a", { disks: [{ pool, size: "8M" }] });
      await using b = await off("seeds-b", { disks: [{ pool, size: "8M" }] });
      await known(here, a.uuid, b.uuid);
      await poolKnown(here, pool.name);
      const to = await testName("seeds-c"),
        set = (vmId: string, hostname: string) => api.setCloudInit({ vmId, cloudInit: seedOf(hostname) });
      const first = await set(a.uuid, "first");
      await api.createSnapshot({ vmId: a.uuid, name: "s0" });
      await set(a.uuid, "second");
      await api.renameVm({ vmId: a.uuid, name: to });
      try {
        await api.renameVm({ vmId: b.uuid, name: a.name });
        const other = await set(b.uuid, "other");
        assert.notEqual(other.path, first.path);
        await api.revertSnapshot({ vmId: a.uuid, name: "s0" });
        assert.doesNotMatch(await virsh("domblklist", to, "--inactive"), new RegExp(other.path));
        // A seed of before, whose name was the VM's alone
        await virsh("vol-clone", other.path, `${a.name}-seed.iso`, "--pool", pool.name);
        const shared = other.path.replace(/-[0-9a-f]{8}-seed/, "-seed");
        const { target } = await api.getCloudInit({ vmId: b.uuid });
        for (const name of [a.name, to]) {
          const xml = await virsh("dumpxml", name, "--inactive", "--security-info");
          const drive = new RegExp(`(<disk type='file' device='cdrom'>[^]*?)(<target dev='${target}')`);
          const source = `<source file='${shared}' startupPolicy='optional'/>`;
          await define(
            xml.replaceAll(/<source file='[^']*-seed.iso'[^>]*>/g, "").replace(drive, `$1${source}$2`),
          );
        }
        const has = (vmId: string) =>
          here.app.hosts.local.inventory.vm(vmId)?.disks.some(({ source }) => source === shared);
        await until("both have it", () => Promise.resolve(has(a.uuid) && has(b.uuid)));
        await api.createSnapshot({ vmId: a.uuid, name: "s1" });
        await virsh("change-media", to, target!, "--eject", "--config");
        await api.revertSnapshot({ vmId: a.uuid, name: "s1" });
        assert.equal((await api.getCloudInit({ vmId: a.uuid })).cloudInit, null);
        const told = (await api.getActivity({ vmId: a.uuid, limit: 20 })).find(({ action }) =>
          action === "seed-emptied"
        );
        assert.ok(told?.message?.includes(a.name));
        assert.equal((await api.getCloudInit({ vmId: b.uuid })).cloudInit?.form?.hostname, "other");
      } finally {
        await virshUnless(/not found|failed to get/i, "undefine", a.uuid, "--snapshots-metadata");
        await virshUnless(/not found|failed to get/i, "undefine", b.uuid, "--snapshots-metadata");
      }
    });

    await t.step("a revert brings no address back that another VM has by now", async () => {
      await using pool = await testPool("macs");
      await using network = await testNetwork("macs");
      await using a = await off("macs-a", { network, disks: [{ pool, size: "8M" }] });
      await using b = await off("macs-b");
      await known(here, a.uuid, b.uuid);
      await api.createSnapshot({ vmId: a.uuid, name: "s0" });
      await api.detachNic({ vmId: a.uuid, mac: a.mac! });
      await api.attachNic({ vmId: b.uuid, network: network.name, mac: a.mac! });
      const refused = await refusalOf(api.revertSnapshot({ vmId: a.uuid, name: "s0" }));
      assert.match(refused ?? "", /SnapshotNotRevertable.*MAC address that .*macs-b/);
      assert.match((await api.listSnapshots({ vmId: a.uuid })).snapshots[0]?.hindrance ?? "", /macs-b/);
      await api.detachNic({ vmId: b.uuid, mac: a.mac! });
      await api.revertSnapshot({ vmId: a.uuid, name: "s0" });
      assert.ok((await virsh("dumpxml", a.name)).includes(a.mac!));
      await virsh("snapshot-delete", a.name, "s0");
    });

    await t.step("no edited XML gives a VM an address that another one has", async () => {
      await using network = await testNetwork("edit");
      await using a = await off("edit-a", { network });
      await using b = await off("edit-b", { network });
      await known(here, a.uuid, b.uuid);
      const { xml } = await api.getVmXml({ vmId: b.uuid, secure: true, inactive: true });
      const edited = xml.replaceAll(b.mac!, a.mac!.toUpperCase());
      assert.match(await refusalOf(api.setVmXml({ vmId: b.uuid, xml: edited })) ?? "", /^MacInUse/);
      const { problem } = await api.checkVmXml({ vmId: b.uuid, xml: edited });
      assert.match(problem?.message ?? "", /MAC address is already used/);
      await api.setVmXml({ vmId: b.uuid, xml });
    });

    await t.step("a static lease that stays with a card's former address is told", async () => {
      await using network = await testNetwork("lease");
      await using a = await off("lease-a", { network });
      await known(here, a.uuid);
      const { uuid: vmId } = a, newMac = "52:54:00:61:61:61";
      assert.equal((await api.updateNic({ vmId, mac: a.mac!, newMac })).warnings, undefined);
      await api.updateNetworkDhcp({ name: network.name, add: [{ ip: `${network.subnet}.77`, mac: newMac }] });
      const { warnings } = await api.updateNic({ vmId, mac: newMac, newMac: a.mac! });
      assert.match(
        warnings?.[0]?.message ?? "",
        new RegExp(`static lease of ${network.subnet}.77 for ${newMac}`),
      );
    });
  },
});

Deno.test({
  name: "copies of a VM, and another VM that has its id",
  ignore,
  fn: async (t) => {
    await using here = await appHere();
    const { api } = here;

    await t.step("a clone and a restored copy have no addresses of the original's filter", async () => {
      await using pool = await testPool("filter");
      await using network = await testNetwork("filter");
      await using folder = await testFolder();
      await using a = await off("filter-a", { network, disks: [{ pool, size: "8M" }] });
      await using _filter = await defineFilter("kvmm-test-identity");
      await known(here, a.uuid);
      await poolKnown(here, pool.name);
      const filter = { filter: "kvmm-test-identity", filterAddresses: ["192.0.2.7"] };
      await api.updateNic({ vmId: a.uuid, mac: a.mac!, ...filter });
      const name = await testName("filter-b"), again = await testName("filter-c");
      const { backupId, runId } = await copiedHere(api, folder.path, a.uuid);
      try {
        const all = [
          await api.cloneVm({ vmId: a.uuid, name }),
          await api.restoreBackup({ backupId, runId, vmId: a.uuid, name: again, pool: pool.name }),
        ];
        for (const [index, { warnings }] of all.entries()) {
          assert.match(warnings.join("\n"), /192\.0\.2\.7, which were left out/);
          const xml = await virsh("dumpxml", [name, again][index]!, "--inactive");
          assert.match(xml, /filterref filter='kvmm-test-identity'/);
          assert.doesNotMatch(xml, /192\.0\.2\.7/);
        }
      } finally {
        for (const { id } of (await api.getVms()).filter((vm) => [name, again].includes(vm.name))) {
          await api.deleteVm({ vmId: id, deleteDisks: true });
        }
        await api.deleteBackup({ backupId });
      }
    });

    await t.step("a copy restored as a new VM has no seed of the original", async () => {
      await using pool = await testPool("copy-seed");
      await using folder = await testFolder();
      await using a = await off("copy-seed-a", { disks: [{ pool, size: "8M" }] });
      await known(here, a.uuid);
      await poolKnown(here, pool.name);
      const { path } = await api.setCloudInit({ vmId: a.uuid, cloudInit: seedOf("first") });
      const { backupId, runId } = await copiedHere(api, folder.path, a.uuid);
      const name = await testName("copy-seed-n");
      try {
        const { vmId, warnings } = await api.restoreBackup({
          backupId,
          runId,
          vmId: a.uuid,
          name,
          pool: pool.name,
        });
        assert.ok(!(await virsh("domblklist", name, "--inactive")).includes(path));
        assert.equal((await api.getCloudInit({ vmId })).cloudInit, null);
        assert.match(
          warnings.join("\n"),
          /is empty: the cloud-init seed in it belongs to the VM that was copied/,
        );
        await api.restoreBackup({ backupId, runId, vmId: a.uuid, inPlace: true, pool: pool.name });
        assert.ok((await virsh("domblklist", a.name, "--inactive")).includes(path), "its own stays");
      } finally {
        await removeDomain(name);
        await api.deleteBackup({ backupId });
      }
    });

    await t.step("copies and activity of a VM that had the id before are not another VM's", async () => {
      await using pool = await testPool("reuse");
      await using folder = await testFolder();
      await using a = await off("reuse-a", { disks: [{ pool, size: "8M" }] });
      const vmId = a.uuid, name = await testName("reuse-b");
      await known(here, vmId);
      const { backupId, runId } = await copiedHere(api, folder.path, vmId);
      assert.equal((await api.listVmBackups({ vmId })).copies.length, 1);
      await api.deleteVm({ vmId, deleteDisks: true });
      try {
        await define(
          `<domain type='qemu'><name>${name}</name><uuid>${vmId}</uuid><memory>65536</memory><os><type>hvm</type></os></domain>`,
        );
        const actions = async () => (await api.getActivity({ vmId, limit: 50 })).map(({ action }) => action);
        await until("it is told", async () => (await actions()).includes("id-reused"));
        assert.ok(!(await actions()).includes("delete_vm"), (await actions()).join());
        assert.deepEqual((await api.listVmBackups({ vmId })).copies, []);
        const restored = api.restoreBackup({ backupId, runId, vmId, inPlace: true, pool: pool.name });
        assert.match(await refusalOf(restored) ?? "", /RestoreNotPossible.*reuse-a.*which was deleted/);
        await api.deleteBackup({ backupId });
      } finally {
        await removeDomain(name);
      }
    });

    await t.step("a VM that is defined again with another disk is the one that it was", async () => {
      await using a = await off("same-a", { disks: [{ size: "8M" }, { size: "8M" }] });
      const vmId = a.uuid, { inventory } = here.app.hosts.local;
      await known(here, vmId);
      const xml = (await virsh("dumpxml", a.name, "--inactive")).replace(/<disk [^]*?<\/disk>/, "");
      await define(xml.replaceAll(a.disks[1]!, a.disks[0]!));
      await until("it has one disk", () => Promise.resolve(inventory.vm(vmId)?.disks.length === 1));
      const { id: alertId } = await api.createAlert({
        name: a.name,
        watches: "vm_crashed",
        scope: "vm",
        vmId,
      });
      await virsh("undefine", a.name);
      await until("it is gone", () => Promise.resolve(inventory.vm(vmId) === undefined));
      await define(xml);
      await until(
        "it has the other disk",
        () => Promise.resolve(inventory.vm(vmId)?.disks[0]?.source === a.disks[1]),
      );
      assert.equal(here.app.knownVms.since(vmId), 0);
      assert.ok((await api.getAlert({ alertId })).enabled);
      await api.deleteAlert({ alertId });
    });

    await t.step("an alert on a storage pool that is not there says so", async () => {
      await using pool = await testPool("alert");
      await poolKnown(here, pool.name);
      const { id: alertId } = await api.createAlert({
        name: pool.name,
        watches: "host_metric",
        series: "pool_usage",
        threshold: 80,
        label: pool.name,
      });
      assert.equal((await api.getAlert({ alertId })).uncovered, undefined);
      await api.stopStoragePool({ pool: pool.name });
      await api.deleteStoragePool({ pool: pool.name });
      assert.deepEqual((await api.getAlert({ alertId })).uncovered, [`the storage pool ${pool.name}`]);
      await api.deleteAlert({ alertId });
    });
  },
});
