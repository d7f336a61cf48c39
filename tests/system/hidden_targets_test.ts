/**
 * Schedules, backups, alerts and silences for VMs out of somebody's sight: their own role opens the lists, and they learn
 * nothing of those VMs, and take nothing away from them (threat 23).
 */
import assert from "node:assert/strict";
import { HIDDEN_MESSAGE } from "../../lib/access/redact.ts";
import type { CommandName } from "../../lib/contract/mod.ts";
import { testMachine } from "../testbed/machine.ts";
import { filesOf } from "../testbed/names.ts";
import { asRoot, type Person, personWith } from "../testbed/people.ts";
import { testPool } from "../testbed/pool.ts";
import { known, ownServer, readyServer } from "../testbed/product.ts";
import { CallError } from "../testbed/server.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("qemu") !== null;
const EVERYTHING = { kind: "everything" } as const;
const DAILY = { frequency: "daily", time: "03:30", timeZone: "UTC" } as const;

/** The code of a refusal. */
async function codeOf(person: Person, name: CommandName, input: unknown): Promise<string> {
  try {
    await person.raw(name, input);
    return "done";
  } catch (error) {
    if (!(error instanceof CallError)) throw error;
    return (error.body as { code: string }).code;
  }
}

Deno.test({
  name: "Who sees some VMs learns nothing of the others that schedules, backups, alerts and silences are for",
  ignore,
  fn: async () => {
    await using own = await testMachine({ purpose: "seen", guest: false });
    await using other = await testMachine({ purpose: "unseen", guest: false });
    await using server = await readyServer();
    for (const { uuid } of [own, other]) await known(server, uuid);
    await asRoot(server, "set_tags", { vmId: own.uuid, tags: ["lab", "both"] });
    await asRoot(server, "set_tags", { vmId: other.uuid, tags: ["payroll", "both"] });
    await asRoot(server, "update_vm", { vmId: other.uuid, group: "board" });
    const permissions = [
      "schedules.view",
      "schedules.operate",
      "alerts.view",
      "alerts.operate",
      "backups.view",
    ];
    await asRoot(server, "create_role", { role: "planner", permissions });
    const planner = await personWith(server, "pia", [
      { role: "planner", on: EVERYTHING },
      { role: "viewer", on: { kind: "vm", vmId: own.uuid } },
    ]);
    const targets = {
      vmIds: [own.uuid, other.uuid],
      tags: ["lab", "payroll", "both", "of-nobody"],
      groups: ["board"],
    };
    const seen = { vmIds: [own.uuid], tags: ["lab", "both"], groups: [] };
    const secrets = [other.uuid, other.name, "payroll", "board", "of-nobody"];
    const told = async (name: CommandName, input: unknown = {}) => {
      const answer = await planner.raw(name, input);
      for (const secret of secrets) {
        assert.ok(
          !JSON.stringify(answer).includes(secret),
          `${name} tells ${secret}: ${JSON.stringify(answer)}`,
        );
      }
      return answer as never;
    };

    const schedule = await asRoot(server, "create_schedule", {
      name: "nightly",
      action: "start",
      targets,
      ...DAILY,
    });
    const folder = `${filesOf(own.name)}/copies`;
    await Deno.mkdir(folder, { recursive: true });
    const backup = await asRoot(server, "create_backup", { name: "copies", folder, targets });
    const scheduleId = schedule.id, backupId = backup.id;

    const shown = [
      (await told("list_schedules") as { targets: unknown }[])[0],
      await told("get_schedule", { scheduleId }),
      (await told("list_backups") as { targets: unknown }[])[0],
      await told("get_backup", { backupId }),
    ] as { targets: Record<string, unknown> }[];
    for (const { targets: { all: _all, ...rest } } of shown) {
      assert.deepEqual(rest, { ...seen, hidden: true });
    }
    assert.deepEqual((await asRoot(server, "get_schedule", { scheduleId })).targets, targets);

    // Its runs, with their counts and their task's log, and what the activity has of it.
    const { jobId } = await asRoot(server, "run_schedule_now", { scheduleId });
    const run = await until("the run to end", async () => {
      const [last] = await asRoot(server, "get_schedule_history", { scheduleId });
      return last!.state !== "running" && last!;
    });
    assert.equal(run.counts.done, 2, JSON.stringify(run));
    const [history] = await told("get_schedule_history", { scheduleId }) as { counts: { done: number } }[];
    assert.equal(history!.counts.done, 1);
    await told("list_schedules");
    await told("get_activity");
    await told("list_jobs");
    if (jobId !== null) {
      // A task without a VM is visible to users who may see storage.
      assert.equal(await codeOf(planner, "get_job", { jobId }), "JobNotFound");
    }

    // What they change keeps what they do not see; and what they do not see cannot be named.
    await told("update_schedule", { scheduleId, targets: { vmIds: [], tags: ["lab"], groups: [] } });
    assert.deepEqual((await asRoot(server, "get_schedule", { scheduleId })).targets, {
      vmIds: [other.uuid],
      tags: ["lab", "payroll", "of-nobody"],
      groups: ["board"],
    });
    await told("update_schedule", { scheduleId, name: "renamed", targets: {} });
    assert.deepEqual((await asRoot(server, "get_schedule", { scheduleId })).targets, {
      vmIds: [other.uuid],
      tags: ["payroll", "of-nobody"],
      groups: ["board"],
    });
    const naming = { scheduleId, targets: { vmIds: [other.uuid] } };
    assert.equal(await codeOf(planner, "update_schedule", naming), "VmNotFound");
    // Now as who may see one of the two: the run tells nothing of the other, though it is among its targets.
    await told("run_schedule_now", { scheduleId });
    await until("the second run to end", async () => {
      const [last, ...before] = await told("get_schedule_history", { scheduleId }) as { state: string }[];
      return before.length === 1 && last!.state !== "running";
    });
    const jobs = await told("list_jobs") as { id: string }[];
    assert.equal(jobs.length, 1, "their own run is a task of theirs");
    await told("get_job", { jobId: jobs[0]!.id });

    const alert = { name: "it crashed", watches: "vm_crashed", scope: "vm" } as const;
    const theirs = await asRoot(server, "create_alert", { ...alert, vmId: other.uuid });
    const board = await asRoot(server, "create_alert", { ...alert, scope: "group", group: "board" });
    const mine = await asRoot(server, "create_alert", { ...alert, vmId: own.uuid });
    assert.deepEqual((await told("list_alerts") as { id: string }[]).map(({ id }) => id), [mine.id]);
    const silence = (input: object) => asRoot(server, "silence_alert", { minutes: 60, ...input });
    const hidden = [
      await silence({ scope: "vm", vmId: other.uuid }),
      await silence({ scope: "group", group: "board" }),
      await silence({ alertId: theirs.id }),
      await silence({ alertId: mine.id, scope: "group", group: "board" }),
      await silence({ scope: "everything", reason: "payroll" }),
    ];
    const visible = [await silence({ scope: "vm", vmId: own.uuid }), await silence({ alertId: mine.id })];
    const listed = (await told("list_silences") as { id: string }[]).map(({ id }) => id);
    assert.deepEqual(listed.sort(), visible.map(({ id }) => id).sort());
    for (const { id: silenceId } of hidden) {
      assert.equal(await codeOf(planner, "end_silence", { silenceId }), "SilenceNotFound");
    }
    for (const { id: alertId } of [theirs, board]) {
      for (const name of ["get_alert", "update_alert", "delete_alert"] as const) {
        assert.equal(await codeOf(planner, name, { alertId }), "AlertNotFound", name);
      }
      assert.equal(await codeOf(planner, "enable_alert", { alertId, enabled: false }), "AlertNotFound");
      assert.equal(await codeOf(planner, "silence_alert", { alertId, minutes: 5 }), "AlertNotFound");
    }
    const on = (more: object) => ({ ...alert, name: "new", ...more });
    assert.equal(await codeOf(planner, "create_alert", on({ vmId: other.uuid })), "VmNotFound");
    assert.equal(await codeOf(planner, "create_alert", on({ scope: "everything" })), "Forbidden");
    const onOther = { scope: "vm", vmId: other.uuid };
    assert.equal(await codeOf(planner, "update_alert", { alertId: mine.id, ...onOther }), "VmNotFound");
    assert.equal(await codeOf(planner, "silence_alert", { minutes: 5, ...onOther }), "VmNotFound");
    assert.equal(await codeOf(planner, "silence_alert", { minutes: 5 }), "Forbidden");
    assert.equal(await codeOf(planner, "create_alert", on({ vmId: own.uuid })), "done");
    assert.equal(await codeOf(planner, "silence_alert", { alertId: mine.id, minutes: 5 }), "done");
    assert.equal(await codeOf(planner, "end_silence", { silenceId: visible[0]!.id }), "done");
    assert.equal((await asRoot(server, "list_silences", {})).length, hidden.length + 2);
    assert.ok((await asRoot(server, "list_alerts", {})).some(({ id }) => id === theirs.id));
  },
});

Deno.test({
  name: "Who sees some VMs does not learn from tasks' logs and failures how many others there are",
  ignore,
  fn: async () => {
    await using pool = await testPool("seen");
    await using own = await testMachine({ purpose: "seen", guest: false, disks: [{ pool }] });
    await using other = await testMachine({ purpose: "unseen", guest: false });
    await using third = await testMachine({ purpose: "unseen", guest: false });
    await using server = await ownServer();
    const vmIds = [own, other, third].map(({ uuid }) => uuid);
    for (const uuid of vmIds) await known(server, uuid);
    const permissions = ["storage.view", "backups.view", "schedules.view"];
    await asRoot(server, "create_role", { role: "keeper", permissions });
    // Tasks that are about no VM are for who sees storage.
    const keeper = await personWith(server, "kim", [
      { role: "keeper", on: EVERYTHING },
      { role: "viewer", on: { kind: "vm", vmId: own.uuid } },
    ]);
    const folder = `${filesOf(own.name)}/copies`;
    await Deno.mkdir(folder, { recursive: true });
    const { id: backupId } = await asRoot(server, "create_backup", {
      name: "copies",
      folder,
      targets: { vmIds },
    });
    const { id: scheduleId } = await asRoot(server, "create_schedule", {
      name: "nightly",
      action: "start",
      targets: { vmIds },
      ...DAILY,
    });
    // The one that is seen cannot be copied, nor be started. With another file next to it, its image is known to be deleted:
    // else nothing could be deleted anywhere on this libvirtd
    await Deno.writeTextFile(`${pool.path}/another`, "");
    await Deno.remove(own.disks[0]!);
    const ended = async (name: "list_backup_runs" | "get_schedule_history", input: object) =>
      await until("the run to end", async () => {
        const [last] = await asRoot(server, name, input as never);
        return last!.state !== "running" && last!.jobId !== null && { ...last!, jobId: last!.jobId };
      }, { seconds: 60 });
    await asRoot(server, "run_backup_now", { backupId });
    const copied = await ended("list_backup_runs", { backupId });
    await asRoot(server, "run_schedule_now", { scheduleId });
    const started = await ended("get_schedule_history", { scheduleId });
    for (const { message } of [copied, started]) {
      assert.equal(message?.startsWith(`It failed for 1 of 3 VMs. ${own.name}: `), true, message ?? "");
    }
    for (const { jobId } of [copied, started]) {
      const texts = ({ log }: { log: readonly { text: string }[] }) => log.map(({ text }) => text);
      const all = texts(await asRoot(server, "get_job", { jobId }));
      assert.equal(all[0], "3 VMs are meant");
      const told = await keeper.call("get_job", { jobId }), lines = texts(told);
      assert.ok(lines.some((text) => text.startsWith(`${own.name}: `)), lines.join("\n"));
      assert.doesNotMatch(JSON.stringify(told), /\d+ (?:of \d+ )?VMs/);
      assert.equal(told.job.error!.message.startsWith(`${own.name}: `), true, told.job.error!.message);
      assert.equal(lines.filter((text) => text === HIDDEN_MESSAGE).length, 1, lines.join("\n"));
    }
    for (
      const answer of [
        await keeper.call("list_jobs"),
        await keeper.call("list_backup_runs", { backupId }),
        await keeper.call("get_backup", { backupId }),
        await keeper.call("get_schedule_history", { scheduleId }),
        await keeper.call("get_activity"),
      ]
    ) assert.doesNotMatch(JSON.stringify(answer), /\d+ (?:of \d+ )?VMs/);
  },
});
