/** Schedules on real guests: virsh is the independent witness of what they do. */
import assert from "node:assert/strict";
import type { Input, Output } from "../../lib/contract/mod.ts";
import { fakeClock } from "../testbed/fake_clock.ts";
import { virsh } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { asRoot, type Person, personWith } from "../testbed/people.ts";
import { call, known, ownServer, readyServer, refused } from "../testbed/product.ts";
import type { TestServer } from "../testbed/server.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("guest") !== null;
type Run = Output<"get_schedule_history">[number];

const DAILY = { frequency: "daily", time: "03:30", timeZone: "Europe/Berlin" } as const;
const EVERYTHING = { kind: "everything" } as const;

/** Waits until the newest run of a schedule is over. */
async function ended(server: TestServer, scheduleId: string, runs = 1): Promise<Run> {
  return await until(`run ${runs} of the schedule to end`, async () => {
    const history = await call(server, "get_schedule_history", { scheduleId });
    return history.length >= runs && history[0]!.state !== "running" && history[0];
  }, { lastSeen: async () => JSON.stringify(await call(server, "get_schedule_history", { scheduleId })) });
}

/** Makes a schedule and runs it at once. */
async function runOnce(server: TestServer, input: Omit<Input<"create_schedule">, "name">, name: string) {
  const { id } = await call(server, "create_schedule", { name, ...input } as Input<"create_schedule">);
  await call(server, "run_schedule_now", { scheduleId: id });
  return { id, run: await ended(server, id) };
}

const outcomes = ({ results }: Run) => results.map(({ outcome }) => outcome);

Deno.test({
  name: "A schedule starts, reboots and shuts down real guests, by tag and by id, and its runs are tasks",
  ignore,
  fn: async () => {
    await using one = await testMachine({ purpose: "schedule" });
    await using other = await testMachine({ purpose: "schedule-other", guest: false });
    await using server = await readyServer();
    for (const { uuid } of [one, other]) await known(server, uuid);
    await call(server, "set_tags", { vmId: one.uuid, tags: ["lab"] });
    const targets = { tags: ["lab"] };

    const started = await runOnce(server, { action: "start", targets, ...DAILY }, "on");
    assert.deepEqual([started.run.state, outcomes(started.run)], ["done", ["done"]]);
    assert.deepEqual([await one.state(), await other.state()], ["running", "shut off"]);
    const { job, log } = await call(server, "get_job", { jobId: started.run.jobId! });
    assert.deepEqual([job.state, job.title, job.actor], ["done", "Schedule on: start", started.run.actor]);
    assert.ok(log.some(({ text }) => text === `${one.name}: done`));
    await one.waitForBoot();
    await one.waitForAgent();

    const again = await call(server, "run_schedule_now", { scheduleId: started.id });
    assert.equal(again.slot, null);
    assert.deepEqual(outcomes(await ended(server, started.id, 2)), ["unchanged"]);

    const rebooted = await runOnce(server, { action: "reboot", targets, ...DAILY }, "again");
    assert.deepEqual(outcomes(rebooted.run), ["done"]);
    await one.waitForBoot(2);
    await one.waitForAgent();

    // Looked up when it runs: the tag has another VM now, which is off.
    await call(server, "set_tags", { vmId: other.uuid, tags: ["lab"] });
    const stopped = await runOnce(server, { action: "stop", targets, deadlineSeconds: 60, ...DAILY }, "off");
    assert.equal(stopped.run.state, "done");
    assert.deepEqual(outcomes(stopped.run).toSorted(), ["done", "unchanged"]);
    assert.equal(await one.state(), "shut off");
    const audit = await asRoot(server, "get_audit_log", { action: "stop_vm" });
    // By hand: as who asked, by the way they came.
    assert.deepEqual(audit.map(({ vmId, actor, door }) => [vmId, actor, door]), [[
      one.uuid,
      job.actor,
      "api",
    ]]);
  },
});

Deno.test({
  name:
    "A schedule takes snapshots of VMs that run, stand still and are off, and keeps as many as it is told",
  ignore,
  fn: async () => {
    await using vm = await testMachine({ purpose: "schedule-snap", guest: false, disks: [{}], start: true });
    await using raw = await testMachine({
      purpose: "schedule-raw",
      guest: false,
      disks: [{ format: "raw" }],
    });
    await using server = await readyServer();
    const vmId = vm.uuid;
    for (const uuid of [vmId, raw.uuid]) await known(server, uuid);
    await call(server, "create_snapshot", { vmId, name: "by hand" });
    const first = await runOnce(
      server,
      { action: "snapshot", targets: { vmIds: [vmId] }, keep: 2, ...DAILY },
      "nightly",
    );
    assert.deepEqual(outcomes(first.run), ["done"], JSON.stringify(first.run));
    let runs = 1;
    for (const command of ["pause_vm", "force_stop_vm"] as const) {
      await call(server, command, { vmId });
      // Their names tell the second they were taken in: a second one in it is there already.
      await until("the next second", async () => {
        await call(server, "run_schedule_now", { scheduleId: first.id });
        return outcomes(await ended(server, first.id, ++runs))[0] === "done";
      });
    }
    const { snapshots } = await call(server, "list_snapshots", { vmId });
    assert.deepEqual(snapshots.map(({ state }) => state), ["running", "paused", "stopped"]);
    assert.equal(snapshots[0]!.name, "by hand");
    assert.match(snapshots[1]!.name, new RegExp(`^schedule-${first.id.slice(0, 8)}-\\d{8}-\\d{6}$`));
    assert.equal(snapshots[1]!.description, "By the schedule “nightly”");
    const failed = await runOnce(
      server,
      { action: "snapshot", targets: { vmIds: [raw.uuid] }, ...DAILY },
      "of raw disks",
    );
    assert.equal(failed.run.state, "failed");
    assert.match(failed.run.results[0]!.message ?? "", /disk vda is raw, which has no room for a snapshot/);
  },
});

Deno.test({
  name: "A guest that ignores the shutdown is forced off after the deadline, where that is wished",
  ignore,
  fn: async () => {
    await using vm = await testMachine({ purpose: "schedule-deaf", guest: false, agent: false, start: true });
    await using server = await readyServer();
    await known(server, vm.uuid);
    const stop: Parameters<typeof runOnce>[1] = {
      action: "stop",
      targets: { vmIds: [vm.uuid] },
      deadlineSeconds: 10,
      ...DAILY,
    };
    const asked = await runOnce(server, stop, "asks");
    assert.deepEqual([asked.run.state, outcomes(asked.run)], ["failed", ["failed"]]);
    assert.match(asked.run.message!, /did not shut down within 10 seconds/);
    assert.equal(await vm.state(), "running");
    const forced = await runOnce(server, { ...stop, force: true }, "forces");
    assert.deepEqual([forced.run.state, outcomes(forced.run)], ["done", ["forced"]]);
    assert.ok(forced.run.endedAt! - forced.run.startedAt >= 10_000, "it waited for the guest");
    assert.equal(await vm.state(), "shut off");
  },
});

Deno.test({
  name: "A schedule runs when it is due, once, as who made it, with the rights that they have then",
  ignore: ignore || await requirement("faketime") !== null,
  fn: async (t) => {
    await using vm = await testMachine({ purpose: "schedule-rights", guest: false });
    await using clock = await fakeClock();
    await using server = await ownServer({ env: clock.env });
    await known(server, vm.uuid);
    const everyMinute: Omit<Input<"create_schedule">, "name"> = {
      action: "start",
      targets: { vmIds: [vm.uuid] },
      frequency: "cron",
      cron: "* * * * *",
      timeZone: "UTC",
    };
    await asRoot(server, "create_role", {
      role: "planner",
      permissions: ["schedules.view", "schedules.operate", "vms.view"],
    });
    const people: Record<"operator" | "planner" | "leaver" | "revoked", Person> = {
      operator: await personWith(server, "operator", [{ role: "operator", on: EVERYTHING }]),
      planner: await personWith(server, "planner", [{ role: "planner", on: EVERYTHING }]),
      leaver: await personWith(server, "leaver", [{ role: "operator", on: EVERYTHING }]),
      // The token has less than the account.
      revoked: await personWith(server, "revoked", [{ role: "operator", on: EVERYTHING }], [
        { role: "planner", on: EVERYTHING },
      ]),
    };
    const viewer = await personWith(server, "viewer", [{ role: "viewer", on: EVERYTHING }]);
    await refused(viewer.call("create_schedule", { name: "no", ...everyMinute }), "Forbidden");
    const ids: Record<string, string> = {};
    for (const name of ["planner", "leaver", "revoked"] as const) {
      ids[name] = (await people[name].call("create_schedule", { name, ...everyMinute })).id;
    }
    await asRoot(server, "update_user", { userId: people.leaver.userId, disabled: true });

    await t.step(
      "who may not start VMs starts none, by token neither, and who is disabled nothing",
      async () => {
        const runs = new Map<string, Run>();
        await clock.toNextMinute();
        for (const [name, id] of Object.entries(ids)) runs.set(name, await ended(server, id));
        assert.equal(await vm.state(), "shut off");
        for (const name of ["planner", "revoked"]) {
          assert.match(runs.get(name)!.message!, /This needs the role operator/);
        }
        assert.match(
          runs.get("leaver")!.message!,
          /It runs as leaver, and the API token .* account is disabled/,
        );
        for (const run of runs.values()) {
          assert.equal(run.state, "failed");
          assert.equal(run.slot! % 60_000, 0);
          assert.ok(run.startedAt >= run.slot! && run.startedAt < run.slot! + 60_000);
        }
        const denied = await asRoot(server, "get_audit_log", { action: "start_vm" });
        assert.ok(denied.length > 0);
        for (const { actor, door, result } of denied) {
          assert.ok(["planner", "revoked"].includes(actor));
          assert.deepEqual([door, result], ["schedule", "error"]);
        }
      },
    );

    await t.step("who changes it, or switches it on, is who it runs as from then on", async () => {
      for (const id of Object.values(ids)) {
        await call(server, "enable_schedule", { scheduleId: id, enabled: false });
      }
      const scheduleId = ids.planner!;
      const before = (await call(server, "get_schedule_history", { scheduleId })).length;
      const { runsAs, next } = await people.operator.call("enable_schedule", { scheduleId, enabled: true });
      assert.equal(runsAs, "operator");
      assert.equal(next.length, 5);
      await clock.toNextMinute();
      const run = await ended(server, scheduleId, before + 1);
      assert.deepEqual([run.state, run.actor, outcomes(run)], ["done", "operator", ["done"]]);
      assert.equal(await vm.state(), "running");
    });
  },
});

Deno.test({
  name: "A server that is killed in the middle of a run leaves no ghost, and does not run it again",
  ignore,
  fn: async () => {
    await using vm = await testMachine({ purpose: "schedule-kill", guest: false, agent: false, start: true });
    const dataDir = await Deno.makeTempDir({ prefix: "kvmm-test-" });
    try {
      let scheduleId: string, jobId: string | null;
      {
        await using server = await readyServer({ dataDir });
        await known(server, vm.uuid);
        ({ id: scheduleId } = await call(server, "create_schedule", {
          name: "off",
          action: "stop",
          targets: { vmIds: [vm.uuid] },
          deadlineSeconds: 600,
          ...DAILY,
        }));
        const first = await call(server, "run_schedule_now", { scheduleId });
        assert.equal((await call(server, "run_schedule_now", { scheduleId })).jobId, first.jobId, "joined");
        jobId = await until("the run has a job", async () => {
          const [run] = await call(server, "get_schedule_history", { scheduleId });
          return run!.state === "running" && run!.jobId;
        });
        await server.kill();
      }
      await using server = await readyServer({ dataDir });
      const run = await ended(server, scheduleId);
      assert.deepEqual([run.state, run.jobId], ["interrupted", jobId]);
      assert.equal((await call(server, "get_job", { jobId })).job.state, "interrupted");
      const { running, lastRun } = await call(server, "get_schedule", { scheduleId });
      assert.deepEqual([running, lastRun!.state], [false, "interrupted"]);
      assert.equal((await call(server, "get_schedule_history", { scheduleId })).length, 1);

      const { jobId: second } = await call(server, "run_schedule_now", { scheduleId });
      const open = second ??
        (await until(
          "the run has a job",
          async () => (await call(server, "get_schedule", { scheduleId })).lastRun?.jobId,
        ));
      await call(server, "cancel_job", { jobId: open });
      assert.equal((await ended(server, scheduleId, 2)).state, "cancelled");
      assert.equal(await virsh("domstate", vm.name), "running");
    } finally {
      await Deno.remove(dataDir, { recursive: true });
    }
  },
});

Deno.test({
  name: "Schedules refuse what makes no sense, and are bounded",
  ignore,
  fn: async () => {
    await using server = await ownServer();
    const make = (more: object) =>
      call(server, "create_schedule", {
        name: "x",
        action: "start",
        targets: { tags: ["a"] },
        ...DAILY,
        ...more,
      });
    await refused(make({ frequency: "cron", cron: "0 0 30 2 *" }), "InvalidInput", /cron never comes/);
    await refused(make({ frequency: "cron", cron: "* * * * * *" }), "InvalidInput", /five parts/);
    await refused(make({ frequency: "once", at: "2020-01-01T00:00" }), "InvalidInput", /in the past/);
    await refused(make({ timeZone: "Mars/Olympus" }), "InvalidInput", /no time zone/);
    await refused(make({ targets: {} }), "InvalidInput", /at least one VM, tag or group/);
    await refused(make({ targets: { vmIds: [crypto.randomUUID()] } }), "VmNotFound");
    await refused(make({ deadlineSeconds: 5 }), "InvalidInput");
    await refused(make({ name: " x" }), "InvalidInput");
    const { id, next } = await make({});
    assert.equal(next.length, 5);
    await refused(make({}), "ScheduleExists");
    const changed = await call(server, "update_schedule", { scheduleId: id, time: "04:45" });
    assert.deepEqual([changed.time, changed.timeZone, changed.frequency], [
      "04:45",
      "Europe/Berlin",
      "daily",
    ]);
    for (let index = 1; index < 100; index++) await make({ name: `x ${index}` });
    await refused(make({ name: "one more" }), "TooManySchedules");
    await call(server, "delete_schedule", { scheduleId: id });
    await refused(call(server, "get_schedule", { scheduleId: id }), "ScheduleNotFound");
  },
});

Deno.test({
  name: "A schedule runs a backup by its name, waits for its copies, and fails where the backup does",
  ignore,
  fn: async () => {
    await using vm = await testMachine({ purpose: "schedule-backup", guest: false, disks: [{}] });
    await using server = await readyServer();
    await known(server, vm.uuid);
    const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" });
    try {
      const backup = await call(server, "create_backup", {
        name: "copies",
        folder,
        targets: { vmIds: [vm.uuid] },
        ...DAILY,
        enabled: false,
      });
      const backupId = backup.id;
      for (
        const [input, field] of [
          [{ action: "backup", ...DAILY }, "backupId"],
          [{ action: "backup", backupId, targets: { tags: ["lab"] }, ...DAILY }, "targets"],
          [{ action: "start", ...DAILY }, "targets"],
        ] as const
      ) {
        const asked = { name: "wrong", ...input } as Input<"create_schedule">;
        const told = new RegExp(field === "backupId" ? "needs the backup" : "targets|VMs of its own");
        await refused(call(server, "create_schedule", asked), "InvalidInput", told);
      }
      const lost = { name: "wrong", action: "backup", backupId: "none", ...DAILY } as const;
      await refused(call(server, "create_schedule", lost), "BackupNotFound");

      const done = await runOnce(server, { action: "backup", backupId, ...DAILY }, "copying");
      assert.deepEqual([done.run.state, outcomes(done.run), done.run.results[0]!.vmId], [
        "done",
        ["done"],
        vm.uuid,
      ]);
      const [run] = await call(server, "list_backup_runs", { backupId });
      assert.deepEqual([run!.state, run!.copies.length], ["done", 1]);
      const shown = await call(server, "get_schedule", { scheduleId: done.id });
      assert.deepEqual([shown.action, shown.backupId, shown.targets.vmIds], ["backup", backupId, []]);

      await refused(call(server, "delete_backup", { backupId }), "BackupInUse", /the schedule copying/);
      await Deno.rename(folder, `${folder}-away`);
      await call(server, "run_schedule_now", { scheduleId: done.id });
      const failed = await ended(server, done.id, 2);
      assert.equal(failed.state, "failed");
      assert.match(failed.message!, /[Bb]ackup|folder/);
      await Deno.rename(`${folder}-away`, folder);

      const changed = await call(server, "update_schedule", {
        scheduleId: done.id,
        action: "start",
        targets: { vmIds: [vm.uuid] },
      });
      assert.deepEqual([changed.action, changed.backupId], ["start", undefined]);
      await call(server, "delete_backup", { backupId });
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
