/** What belongs to one VM is not taken for another's: its cloud-init seed, its addresses, its copies, its alerts. */
import assert from "node:assert/strict";
import { setLogLevel } from "../../agent/log.ts";
import { ContractError } from "../../lib/contract/mod.ts";
import { appHere } from "../testbed/app_here.ts";
import { copiedHere } from "../testbed/backups.ts";
import { testFolder } from "../testbed/folder.ts";
import { virsh, virshUnless } from "../testbed/libvirt.ts";
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

/** What a call was refused with; undefined where it was carried out. */
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
async function define(xml: string): Promise<void> {
  const file = await Deno.makeTempFile({ suffix: ".xml" });
  await Deno.writeTextFile(file, xml);
  await virsh("define", file).finally(() => Deno.remove(file));
}

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
  },
});
