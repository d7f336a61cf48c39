/** Tags, groups and identities of VMs on the real libvirt: what goes by them stays whole, or says what it lost. */
import assert from "node:assert/strict";
import { setLogLevel } from "../../agent/log.ts";
import { ContractError, type ErrorCode } from "../../lib/contract/mod.ts";
import { appAhead } from "../testbed/app_ahead.ts";
import { backupFolder } from "../testbed/backups.ts";
import { virsh } from "../testbed/libvirt.ts";
import { type TestMachine, testMachine } from "../testbed/machine.ts";
import { testName } from "../testbed/names.ts";
import { testPool } from "../testbed/pool.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("qemu") !== null;
const DAY = 86_400_000;
setLogLevel("error");

const off = (purpose: string) => testMachine({ purpose, guest: false, disks: [{ size: "8M" }] });

/** Has another program define a VM from its own XML, without what KVM Manager keeps in it. */
async function defineWithout({ name }: TestMachine): Promise<void> {
  const xml = (await virsh("dumpxml", "--inactive", name)).replace(/<metadata>[\s\S]*<\/metadata>/, "");
  await defineXml(xml);
}

async function defineXml(xml: string): Promise<void> {
  const file = await Deno.makeTempFile({ suffix: ".xml" });
  await Deno.writeTextFile(file, xml);
  await virsh("define", file).finally(() => Deno.remove(file));
}

const codeOf = (work: Promise<unknown>): Promise<ErrorCode | undefined> =>
  work.then(() => undefined, (error) => error instanceof ContractError ? error.code : Promise.reject(error));

Deno.test({
  name: "tags and group outlive a revert and a restore in place, and are left out of what is made of a VM",
  ignore,
  fn: async (t) => {
    await using vm = await off("labels");
    await using folder = await backupFolder();
    await using pool = await testPool();
    await using world = await appAhead();
    const { api, runBackup } = world, vmId = vm.uuid;
    await until("the VM is known", () => Promise.resolve(world.app.hosts.vm(vmId) !== undefined));
    const labels = async (id = vmId) => {
      const { tags, group } = await api.getVm({ vmId: id });
      return { tags, group };
    };
    const { id: backupId } = await api.createBackup({
      name: "b",
      folder: folder.path,
      targets: { vmIds: [vmId] },
    });
    await api.setTags({ vmId, tags: ["early"] });
    await api.createSnapshot({ vmId, name: "s0" });
    const first = await runBackup(backupId);
    await api.setTags({ vmId, tags: ["gold", "web"] });
    await api.setGroup({ vmId, group: "shop" });
    await t.step("a revert keeps those of now", async () => {
      await api.revertSnapshot({ vmId, name: "s0" });
      assert.deepEqual(await labels(), { tags: ["gold", "web"], group: "shop" });
      assert.equal((await api.getVm({ vmId })).lostLabels, undefined);
    });
    await t.step("a restore in place does, too", async () => {
      await api.deleteSnapshot({ vmId, name: "s0" });
      await api.restoreBackup({ backupId, runId: first.id, vmId, inPlace: true, pool: pool.name });
      assert.deepEqual(await labels(), { tags: ["gold", "web"], group: "shop" });
    });
    await using made = new AsyncDisposableStack();
    const remove = (id: string) =>
      made.defer(() => api.deleteVm({ vmId: id, deleteDisks: true, permanently: true }).then(() => {}));
    await t.step("a copy restored as a new VM has none, and says so", async () => {
      const run = await runBackup(backupId), name = await testName("labels-new");
      const { vmId: id, warnings } = await api.restoreBackup({
        backupId,
        runId: run.id,
        vmId,
        name,
        pool: pool.name,
      });
      remove(id);
      assert.deepEqual(await labels(id), { tags: [], group: undefined });
      assert.match(warnings.join(), /the tags gold, web and the group shop, which were left out/);
    });
    await t.step("a clone has no tags, and says so", async () => {
      const { vmId: id, warnings } = await api.cloneVm({
        vmId,
        name: await testName("labels-clone"),
        pool: pool.name,
      });
      remove(id);
      assert.deepEqual(await labels(id), { tags: [], group: "shop" });
      assert.match(warnings.join(), /the tags gold, web, which were left out/);
    });
    await t.step("nor has an import under a new id", async () => {
      const { xml } = await api.getVmXml({ vmId, inactive: true, secure: true });
      const name = await testName("labels-import");
      const imported = await api.importVm({ xml, name, newId: true, newMacs: true });
      made.defer(() => virsh("undefine", name).then(() => {}));
      assert.deepEqual(await labels(imported.vmId), { tags: [], group: undefined });
      assert.match(imported.warnings.join(), /the tags gold, web and the group shop/);
    });
  },
});

Deno.test({
  name:
    "a VM that another program takes out of a backup by its tag is told everywhere, and its alert goes on",
  ignore,
  fn: async (t) => {
    await using kept = await off("cover-a");
    await using lost = await off("cover-b");
    await using folder = await backupFolder();
    await using world = await appAhead();
    const { app, api, clock, runBackup } = world, vmId = lost.uuid, tag = `gold-${vmId.slice(0, 8)}`;
    await until(
      "the VMs are known",
      () => Promise.resolve([kept, lost].every(({ uuid }) => app.hosts.vm(uuid) !== undefined)),
    );
    for (const { uuid } of [kept, lost]) await api.setTags({ vmId: uuid, tags: [tag] });
    const { id: backupId } = await api.createBackup({
      name: "nightly",
      folder: folder.path,
      targets: { tags: [tag] },
      frequency: "monthly",
      monthDay: 1,
      time: "02:00",
      missed: "skip",
    });
    assert.equal((await runBackup(backupId)).copies.length, 2);
    const open = async () => await api.getAlertHistory({ open: true });
    const firing = (alertId: string) => async () => {
      const found = (await open()).filter((each) => each.alertId === alertId);
      return found.length > 0 ? found : null;
    };
    clock.forward(10 * DAY);
    await until(
      "both copies are old",
      async () =>
        (await open()).filter(({ watches, vmId: id }) =>
          watches === "backup_old" && [kept.uuid, vmId].includes(id ?? "")
        ).length === 2,
    );
    await defineWithout(lost);
    await t.step("the VM says what it has lost", async () => {
      const { lostLabels, attention } = await until("it is noticed", async () => {
        const found = await api.getVm({ vmId });
        return found.lostLabels === undefined ? null : found;
      });
      assert.deepEqual(lostLabels, { tags: [tag] });
      assert.match(attention.join(), /took away the tag gold/);
      const [told] = (await api.getActivity({ limit: 50 })).filter((row) =>
        row.vmId === vmId && row.action === "labels-lost"
      );
      assert.ok(told, "no row of it in the activity");
    });
    await t.step("the backup, the host and an alert say that it is left out", async () => {
      assert.deepEqual((await api.getBackup({ backupId })).leftOut, [{ vmId, name: lost.name }]);
      const { uncovered } = await api.getHostInfo();
      assert.match(uncovered.join("\n"), new RegExp(`The backup nightly leaves out ${lost.name}`));
      const [incident] = await until("the alert fires", firing("coverage-lost"));
      assert.match(incident!.message, /leaves out/);
    });
    await t.step("a run names it, and the alert on its old copy goes on", async () => {
      const run = await runBackup(backupId);
      assert.equal(run.copies.length, 1);
      assert.match(run.message ?? "", new RegExp(`It left out ${lost.name}, which it had before`));
      await until(
        "the copy of the other is new",
        async () =>
          (await open()).filter(({ watches, vmId: id }) => watches === "backup_old" && id === kept.uuid)
            .length === 0,
      );
      const still = (await open()).filter(({ watches, vmId: id }) => watches === "backup_old" && id === vmId);
      assert.equal(still.length, 1, "it counts as resolved because the backup left the VM out");
    });
    await t.step("put back, all is well again", async () => {
      await api.updateVm({ vmId, tags: [tag] });
      assert.equal((await api.getBackup({ backupId })).leftOut, undefined);
      assert.equal((await runBackup(backupId)).copies.length, 2);
      await until("the alert is over", async () => (await firing("coverage-lost")()) === null);
    });
    await t.step("whoever takes the tag away is told what ends", async () => {
      const { warnings } = await api.setTags({ vmId, tags: [] });
      assert.deepEqual(warnings, ["The backup nightly no longer copies it."]);
    });
  },
});

Deno.test({
  name: "another VM that takes the id of one in the bin has none of its copies, rights and schedules",
  ignore,
  fn: async (t) => {
    await using pool = await testPool();
    await using vm = await testMachine({ purpose: "reuse", guest: false, disks: [{ size: "8M", pool }] });
    await using folder = await backupFolder();
    await using world = await appAhead();
    const { app, api, runBackup } = world, vmId = vm.uuid;
    await until("the VM is known", () => Promise.resolve(app.hosts.vm(vmId) !== undefined));
    const { id: backupId } = await api.createBackup({
      name: "b",
      folder: folder.path,
      targets: { vmIds: [vmId], tags: ["all"] },
      keep: 1,
    });
    await runBackup(backupId);
    const copies = async () => {
      const names: string[] = [];
      for await (const { name } of Deno.readDir(`${folder.path}/kvm-manager-backups/copies`)) {
        names.push(name);
      }
      return names.sort();
    };
    const [copy] = await copies();
    const { id: userId } = await api.createUser({
      name: "eve",
      password: "correct horse battery",
      grants: [{ role: "operator", on: { kind: "vm", vmId } }],
    });
    const { id: scheduleId } = await api.createSchedule({
      name: "s",
      action: "start",
      frequency: "daily",
      time: "03:00",
      targets: { vmIds: [vmId] },
    });
    const { id: alertId } = await api.createAlert({ name: "a", watches: "vm_crashed", scope: "vm", vmId });
    await api.deleteVm({ vmId, deleteDisks: true });
    const xml =
      `<domain type='qemu'><name>${vm.name}-x</name><uuid>${vmId}</uuid><memory>65536</memory><os><type>hvm</type></os></domain>`;
    await t.step("schedules and backups say its last name", async () => {
      const named = [`the VM ${vm.name} (${vmId})`];
      assert.deepEqual((await api.getSchedule({ scheduleId })).uncovered, named);
      assert.deepEqual((await api.getBackup({ backupId })).uncovered?.[0], named[0]);
      assert.deepEqual((await api.getAlert({ alertId })).uncovered, named);
    });
    await t.step("an import with the id is refused", async () => {
      assert.equal(await codeOf(api.importVm({ xml, allowMissing: true })), "VmIdInBin");
    });
    await t.step("one that virsh defines is told, and has nothing of it", async () => {
      await defineXml(xml);
      await until("it is known", () => Promise.resolve(app.hosts.vm(vmId)?.name === `${vm.name}-x`));
      const users = await api.listUsers();
      assert.deepEqual(users.find(({ id }) => id === userId)?.grants, []);
      const schedule = await api.getSchedule({ scheduleId });
      assert.deepEqual([schedule.enabled, schedule.targets.vmIds], [false, []]);
      assert.equal((await api.getAlert({ alertId })).enabled, false);
      const [told] = (await api.getActivity({ limit: 50 })).filter(({ action }) => action === "id-reused");
      for (const each of [/the schedule s/, /the backup b/, /the alert a/, /the rights of eve/]) {
        assert.match(told?.message ?? "", each);
      }
    });
    await t.step("no run deletes the copy of the VM in the bin", async () => {
      await api.setTags({ vmId, tags: ["all"] });
      await runBackup(backupId);
      await runBackup(backupId);
      assert.ok((await copies()).includes(copy!), "the only copy of the VM in the bin is gone");
    });
    await virsh("undefine", `${vm.name}-x`);
  },
});

Deno.test({
  name: "the VMs of a backup job that a schedule runs are told once their copies are old",
  ignore,
  fn: async () => {
    await using vm = await off("by-schedule");
    await using folder = await backupFolder();
    await using world = await appAhead();
    const { api, app, clock } = world, vmId = vm.uuid;
    await until("the VM is known", () => Promise.resolve(app.hosts.vm(vmId) !== undefined));
    const { id: backupId } = await api.createBackup({
      name: "by hand",
      folder: folder.path,
      targets: { vmIds: [vmId] },
      frequency: "by-hand",
    });
    const { id: scheduleId } = await api.createSchedule({
      name: "monthly",
      action: "backup",
      backupId,
      missed: "skip",
      frequency: "monthly",
      monthDay: 1,
      time: "02:00",
    });
    await api.runScheduleNow({ scheduleId });
    await until("it was copied", async () => (await api.getBackup({ backupId })).lastRun?.state === "done");
    // Be it meant or not: its copies get older.
    await api.enableSchedule({ scheduleId, enabled: false });
    clock.forward(10 * DAY);
    await until("the alert fires", async () => {
      const open = await api.getAlertHistory({ open: true });
      return open.some(({ watches, vmId: of }) => watches === "backup_old" && of === vmId);
    });
  },
});
