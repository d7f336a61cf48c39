/** Names of tags and groups that no VM has, that are used again, or whose VMs their owner may not see any more: each is told. */
import assert from "node:assert/strict";
import { setLogLevel } from "../../agent/log.ts";
import { appAhead } from "../testbed/app_ahead.ts";
import { backupFolder } from "../testbed/backups.ts";
import { testMachine } from "../testbed/machine.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("qemu") !== null;
const DAY = 86_400_000;
const EVERYTHING = { kind: "everything" } as const;
const DAILY = { frequency: "daily", time: "03:30", timeZone: "UTC" } as const;
const NEVER = { frequency: "daily", time: "03:30", timeZone: "UTC", missed: "skip" } as const;
setLogLevel("error");

type World = Awaited<ReturnType<typeof appAhead>>;

const off = (purpose: string) => testMachine({ purpose, guest: false, disks: [{ size: "8M" }] });

const known = ({ app }: World, vmId: string) =>
  until("the VM is known", () => Promise.resolve(app.hosts.vm(vmId) !== undefined));

/** Text of the host's protections that cover no VM. */
const uncoveredText = async ({ api }: World) => (await api.getHostInfo()).uncovered.join("\n");

Deno.test({
  name:
    "an alert, a silence, a schedule, a backup and a grant on names that no VM has are told at once, and go on so",
  ignore,
  fn: async (t) => {
    await using vm = await off("no-such");
    await using folder = await backupFolder();
    await using world = await appAhead();
    const { api } = world,
      vmId = vm.uuid,
      group = `group-${vmId.slice(0, 8)}`,
      tag = `tag-${vmId.slice(0, 8)}`;
    await known(world, vmId);
    const ofGroup = [`the group ${group}`], ofTag = [`the tag ${tag}`];
    const targets = { vmIds: [], tags: [tag], groups: [group] };
    const alert = await api.createAlert({ name: "on-group", watches: "vm_crashed", scope: "group", group });
    const silence = await api.silenceAlert({ scope: "group", group, minutes: 60, reason: "work" });
    const schedule = await api.createSchedule({ name: "by-tag", action: "stop", targets, ...NEVER });
    const backup = await api.createBackup({ name: "by-tag", folder: folder.path, targets, ...NEVER });
    const user = await api.createUser({
      name: "eve",
      password: "correct horse battery",
      grants: [{ role: "viewer", on: { kind: "group", group } }],
    });
    const shown = async () => [
      (await api.getAlert({ alertId: alert.id })).uncovered,
      (await api.listSilences()).find(({ id }) => id === silence.id)?.uncovered,
      (await api.getSchedule({ scheduleId: schedule.id })).uncovered,
      (await api.getBackup({ backupId: backup.id })).uncovered,
      (await api.listUsers()).find(({ id }) => id === user.id)?.uncovered,
    ];
    const all = [ofGroup, ofGroup, [...ofTag, ...ofGroup], [...ofTag, ...ofGroup], ofGroup];
    await t.step("the answers that make them say so", () => {
      assert.deepEqual([alert, silence, schedule, backup].map(({ uncovered }) => uncovered), all.slice(0, 4));
    });
    await t.step("so do lists, and the host", async () => {
      assert.deepEqual(await shown(), all);
      const told = await uncoveredText(world);
      for (const what of ["alert on-group", "silence work", "schedule by-tag", "backup by-tag"]) {
        assert.match(told, new RegExp(`The ${what} names what is not there: the (tag|group) `));
      }
    });
    await t.step("a change to such a name says so", async () => {
      const { uncovered } = await api.updateAlert({ alertId: alert.id, scope: "group", group: `${group}-2` });
      assert.deepEqual(uncovered, [`the group ${group}-2`]);
      await api.updateAlert({ alertId: alert.id, group });
    });
    await t.step("a name that was used before takes hold of the VM that gets it: told", async () => {
      const byGroup = [
        "the alert on-group",
        "the silence work",
        "the schedule by-tag",
        "the backup by-tag",
        "the user eve",
      ];
      await assert.rejects(world.apiAs(user.id, "eve").getVm({ vmId }), { code: "VmNotFound" });
      const [begun = "", ...others] = (await api.setGroup({ vmId, group })).warnings;
      assert.deepEqual(others, []);
      assert.match(
        begun,
        new RegExp(`^No other VM is in the group ${group}\\. .* holds for it from now on: `),
      );
      for (const each of byGroup) assert.ok(begun.includes(each), `${each} is not in: ${begun}`);
      assert.equal((await world.apiAs(user.id, "eve").getVm({ vmId })).id, vmId);
      assert.deepEqual(await shown(), [undefined, undefined, ofTag, ofTag, undefined]);
      const { warnings } = await api.updateVm({ vmId, tags: [tag] });
      assert.match(
        String(warnings),
        /No other VM has the tag .*: the (schedule|backup) by-tag, the (schedule|backup) by-tag\.$/,
      );
      assert.deepEqual(await shown(), [undefined, undefined, undefined, undefined, undefined]);
    });
    await t.step("taken from it, they are told again", async () => {
      await api.setGroup({ vmId, group: "" });
      await api.setTags({ vmId, tags: [] });
      assert.deepEqual(await shown(), all);
    });
  },
});

Deno.test({
  name:
    "a schedule whose owner lost the right to one VM of its tag names that VM; a backup whose owner lost it does not run, and says so",
  ignore,
  fn: async (t) => {
    await using kept = await off("owner-a");
    await using lost = await off("owner-b");
    await using folder = await backupFolder();
    await using world = await appAhead();
    const { api, clock } = world, tag = `own-${lost.uuid.slice(0, 8)}`;
    for (const { uuid: vmId } of [kept, lost]) {
      await known(world, vmId);
      await api.setTags({ vmId, tags: [tag] });
    }
    const targets = { vmIds: [], tags: [tag], groups: [] };
    await api.createRole({ role: "planner", permissions: ["schedules.view", "schedules.operate"] });
    const on = ({ uuid: vmId }: typeof kept) => ({ role: "operator", on: { kind: "vm", vmId } }) as const;
    const planner = { role: "planner", on: EVERYTHING };
    const password = "correct horse battery";
    const ann = await api.createUser({ name: "ann", password, grants: [planner, on(kept), on(lost)] });
    const grants = [{ role: "administrator", on: EVERYTHING }];
    const bob = await api.createUser({ name: "bob", password, grants });
    await api.createUser({ name: "carl", password, grants }); // one administrator stays
    const { id: scheduleId } = await world.apiAs(ann.id, "ann").createSchedule({
      name: "anns",
      action: "stop",
      targets,
      missed: "run-once",
      ...DAILY,
    });
    const { id: backupId } = await world.apiAs(bob.id, "bob").createBackup({
      name: "bobs",
      folder: folder.path,
      targets,
      missed: "run-once",
      ...DAILY,
    });
    const ended = <T extends { readonly id: string; readonly state: string }>(
      list: () => Promise<readonly T[]>,
      before: readonly string[],
    ) =>
      until("the next run is over", async () => {
        const run = (await list()).find(({ id }) => !before.includes(id));
        return run === undefined || run.state === "running" ? null : run;
      }, { seconds: 90 });
    const runs = () => api.getScheduleHistory({ scheduleId }),
      copies = () => api.listBackupRuns({ backupId });
    clock.forward(DAY);
    const first = await ended(runs, []), copied = await ended(copies, []);
    assert.deepEqual(first.results.map(({ vmId }) => vmId).sort(), [kept.uuid, lost.uuid].sort());
    assert.equal(copied.copies.length, 2);
    await api.updateUser({ userId: ann.id, grants: [planner, on(kept)] });
    await api.updateUser({ userId: bob.id, grants: [on(kept)] });
    await t.step("the backup says that it does not run, before it is due", async () => {
      assert.match((await api.getBackup({ backupId })).ownerLost ?? "", /may not run backups any more/);
      assert.match(await uncoveredText(world), /The backup bobs does not run: bob: that account may not run/);
      assert.equal((await api.getSchedule({ scheduleId })).ownerLost, undefined);
    });
    clock.forward(DAY);
    await t.step("the schedule's next run leaves it out, and names it", async () => {
      const run = await ended(runs, [first.id]);
      assert.deepEqual(run.results.map(({ vmId }) => vmId), [kept.uuid]);
      assert.match(run.message ?? "", new RegExp(`It left out ${lost.name}, which it had before`));
      const { leftOut } = await api.getSchedule({ scheduleId });
      assert.deepEqual(leftOut, [{ vmId: lost.uuid, name: lost.name }]);
      assert.match(await uncoveredText(world), new RegExp(`The schedule anns leaves out ${lost.name}`));
      const [told] = await api.getActivity({ actions: ["schedule-left-out"] });
      assert.match(told?.message ?? "", new RegExp(lost.name));
    });
    await t.step("given back, it is there again", async () => {
      await api.updateUser({ userId: ann.id, grants: [planner, on(kept), on(lost)] });
      const before = (await runs()).map(({ id }) => id);
      clock.forward(DAY);
      const run = await ended(runs, before);
      assert.equal(run.results.length, 2);
      assert.equal((await api.getSchedule({ scheduleId })).leftOut, undefined);
    });
    await t.step("the backup of who may make none any more does not run, and says why", async () => {
      const run = await ended(copies, [copied.id]);
      assert.deepEqual([run.state, run.copies.length], ["failed", 0]);
      assert.match(run.message ?? "", /role|permission/i);
    });
  },
});
