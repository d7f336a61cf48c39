import assert from "node:assert/strict";
import type { Activity, Job, VM } from "../contract/mod.ts";
import { message, render, rendered, type Sentence, type Unrendered, vmName } from "../i18n/message.ts";
import { HIDDEN_MESSAGE } from "./redact.ts";
import { needOf, permissionsOf } from "./permissions.ts";
import { ALL_RIGHTS } from "./rights.ts";
import { EventView, filterOutput, seesJob, type Viewer } from "./filter_output.ts";

const VMS = [{ id: "mine", name: "web" }, { id: "theirs", name: "secret" }] as VM[];
/** Somebody with rights to one machine. */
const EVE: Viewer = {
  name: "eve",
  rights: [[{ permissions: permissionsOf("operator"), on: { kind: "vm", vmId: "mine" } }]],
  groupOf: () => undefined,
};
const entry = (more: Partial<Unrendered<Activity>>): Unrendered<Activity> => ({
  ...{ id: 1, timestamp: 0, actor: "ann", action: "attach_disk", vmId: "mine", vmName: "web" },
  result: "error",
  ...more,
});
/** VMs as messages name them. */
const WEB = vmName({ id: "mine", name: "web" }), SECRET = vmName({ id: "theirs", name: "secret" });
const job = (message: Sentence) =>
  ({
    id: "1",
    actor: "eve",
    startedAt: 0,
    vmId: "mine",
    title: "Copy",
    error: { code: "VolumeInUse", message },
  }) as Unrendered<Job>;

Deno.test("filterOutput() and EventView.shown() tell no message that names a machine out of sight (threat 23)", () => {
  const view = new EventView(EVE, ["mine"], () => VMS);
  const messages = (each: Unrendered<Activity>) => {
    const [listed] = filterOutput("get_activity", [each], EVE, () => VMS) as Unrendered<Activity>[];
    const [, told] = view.shown(["activity", each])! as ["activity", Unrendered<Activity>];
    assert.deepEqual(told, listed);
    assert.ok(!JSON.stringify(told).includes("theirs"));
    return render(told.message);
  };
  assert.equal(
    messages(entry({ message: "Volume is used by secret: disk", mentions: ["theirs"] })),
    HIDDEN_MESSAGE,
  );
  assert.equal(messages(entry({ message: "used by gone", mentions: ["gone"] })), HIDDEN_MESSAGE);
  assert.equal(messages(entry({ message: "VM is already running" })), "VM is already running");
  assert.equal(messages(entry({ message: "used by web", mentions: ["mine"] })), "used by web");

  const cases: readonly [Sentence, string][] = [
    [message`used by ${SECRET}`, HIDDEN_MESSAGE],
    [{ $foreign: "domain secret is there", vmIds: ["theirs"] }, HIDDEN_MESSAGE],
    [message`used by ${WEB}`, "used by web"],
    ["no space", "no space"],
  ];
  for (const [told, shown] of cases) {
    const [listed] = filterOutput("list_jobs", [job(told)], EVE, () => VMS) as Job[];
    assert.equal(render(listed!.error!.message), shown);
    const [, event] = view.shown(["job-changed", { job: job(told) }]) as ["job-changed", { job: Job }];
    assert.equal(render(event.job.error!.message), shown);
    const log = [{ at: 0, text: told }];
    assert.deepEqual(rendered(filterOutput("get_job", { job: job(told), log }, EVE, () => VMS)), {
      job: job(shown),
      log: [{ at: 0, text: shown }],
    });
  }
});

const seeing = (name: string, ...permissions: string[]): Viewer => ({
  ...EVE,
  name,
  rights: [[{ permissions: new Set(permissions), on: { kind: "everything" } }]] as Viewer["rights"],
});

Deno.test("a task whose log has what takes a permission is seen by who has that alone, its owner's tokens included", () => {
  const task = { ...job("it failed"), command: "guest_exec_task" } as Job;
  const listed = (viewer: Viewer) => (filterOutput("list_jobs", [task], viewer, () => VMS) as Job[]).length;
  assert.equal(listed(EVE), 0, "an operator has no hand inside the guest, or has it no more");
  assert.equal(listed(seeing("eve", "metrics.scrape")), 0, "a token of hers");
  assert.equal(listed(seeing("mallory", "vms.view", "storage.view")), 0);
  assert.equal(listed(seeing("mallory", "vms.view", "guest.exec")), 1);
  assert.equal(listed(seeing("eve", "vms.view", "guest.exec")), 1);
});

Deno.test("what a task is called tells no machine out of sight", () => {
  const { vmId: _none, ...task } = { ...job("it failed"), command: "restore_backup_disk" };
  const named = { ...task, title: message`Restore disk vda of ${SECRET}`, subject: "images/other.qcow2" };
  const [listed] = filterOutput(
    "list_jobs",
    [named],
    seeing("eve", "storage.view"),
    () => VMS,
  ) as Job[];
  assert.deepEqual([render(listed!.title), listed!.subject], [HIDDEN_MESSAGE, "images/other.qcow2"]);
});

Deno.test("a task that makes VMs names none of them to others who do not see every VM", () => {
  const made = { ...job("new: it failed"), title: "Create new", subject: "new" };
  const { vmId: _none, ...free } = made;
  const log = [{ at: 0, text: "Copying the disks of new" }];
  const seenBy = (viewer: Viewer, task: unknown) => {
    const [listed] = filterOutput("list_jobs", [task], viewer, () => VMS) as Job[];
    const event = new EventView(viewer, ["mine"], () => VMS).shown(["job-changed", { job: task as Job }]);
    assert.deepEqual(event, listed === undefined ? null : ["job-changed", { job: listed }]);
    return listed;
  };
  const mallory = seeing("mallory", "storage.view"), all = seeing("mallory", "vms.view");
  for (const command of ["create_vm", "create_vm_from_template", "import_ova", "restore_backup"]) {
    const task = { ...free, command };
    assert.equal(seenBy(mallory, task), undefined, command);
    assert.deepEqual(seenBy(all, task), task);
  }
  const clone = { ...made, command: "clone_vm" } as Job;
  assert.deepEqual(seenBy(EVE, clone), clone, "her own");
  const other = { ...EVE, name: "mallory" };
  const told = JSON.stringify([
    seenBy(other, clone),
    filterOutput("get_job", { job: clone, log }, other, () => VMS),
  ]);
  assert.ok(!/\bnew\b/.test(told), told);
  assert.match(told, /"command":"clone_vm"/);
});

Deno.test("one's own task is seen as far as one may still do what it does", () => {
  const { vmId: _none, ...upload } = { ...job("it failed"), command: "upload_volume" };
  const listed = (viewer: Viewer, task: unknown) =>
    (filterOutput("list_jobs", [task as Job], viewer, () => VMS) as Job[]).length;
  assert.equal(listed(seeing("eve", "storage.operate"), upload), 1);
  assert.equal(listed(seeing("eve", "metrics.scrape"), upload), 0);
  assert.equal(listed(seeing("mallory", "storage.operate"), upload), 0);
  const ofVm = { ...job("it failed"), command: "clone_vm" };
  assert.equal(listed(seeing("eve", "metrics.scrape"), ofVm), 0);
  assert.equal(listed(seeing("mallory", "vms.view"), ofVm), 1);
});

Deno.test("a task that shows what takes a permission is seen by who has that on the VM", () => {
  const seeing = (vmId: string, ...permissions: string[]): Viewer => ({
    ...EVE,
    name: "mallory",
    rights: [[{ permissions: new Set(permissions), on: { kind: "vm", vmId } }]] as Viewer["rights"],
  });
  const needed = {
    guest_exec_task: "guest.exec",
    guest_copy_to: "guest.files",
    guest_copy_from: "guest.files",
    guest_copy_folder_to: "guest.files",
    guest_copy_folder_from: "guest.files",
  };
  for (const [command, permission] of Object.entries(needed)) {
    const task = { ...job("it failed"), command } as Job;
    const listed = (viewer: Viewer) => {
      const { length } = filterOutput("list_jobs", [task], viewer, () => VMS) as Job[];
      const told = new EventView(viewer, ["mine"], () => VMS).shown(["job-changed", { job: task }]);
      assert.equal(told === null, length === 0, "events tell of no other tasks than the list");
      return length;
    };
    assert.equal(listed(EVE), 0, "her own, without the permission");
    const other = permission === "guest.exec" ? "guest.files" : "guest.exec";
    assert.equal(listed(seeing("mine", "vms.view", "storage.view", other)), 0, command);
    assert.equal(listed(seeing("mine", "vms.view", permission)), 1, command);
    assert.equal(listed(seeing("theirs", "vms.view", permission)), 0, command);
  }
});

Deno.test("what was done to another VM that had the id before is not told to who sees the VM that has it now", () => {
  const permissions = permissionsOf("viewer");
  const idSince = () => 100, groupOf = () => undefined;
  const some: Viewer = {
    ...{ name: "ann", groupOf, idSince },
    rights: [[{ permissions, on: { kind: "vm", vmId: "mine" } }]] as Viewer["rights"],
  };
  const all: Viewer = {
    ...some,
    rights: [[{ permissions, on: { kind: "everything" } }]] as Viewer["rights"],
  };
  const entries = [99, 100].map((timestamp) =>
    ({ id: timestamp, timestamp, actor: "eve", action: "start_vm", vmId: "mine", result: "ok" }) as Activity
  );
  assert.deepEqual(filterOutput("get_activity", entries, some, () => VMS), [entries[1]]);
  assert.deepEqual(filterOutput("get_activity", entries, all, () => VMS), entries);
});

Deno.test("what happens to accounts by itself is told to administrators alone", () => {
  const entry = { id: 1, timestamp: 1, actor: "kvm-manager", action: "account-replaced", result: "event" };
  const told = (viewer: Viewer) => filterOutput("get_activity", [entry as Activity], viewer, () => VMS);
  const all = [[{ permissions: permissionsOf("operator"), on: { kind: "everything" } }]] as Viewer["rights"];
  assert.deepEqual(told({ name: "ann", groupOf: () => undefined, rights: all }), []);
  assert.equal(
    (told({ name: "root", groupOf: () => undefined, rights: ALL_RIGHTS }) as Activity[]).length,
    1,
  );
});

Deno.test("what an account did under one's name before one's own was made, is somebody else's", () => {
  const permissions = new Set([needOf("clone_volume").permission]);
  const ann: Viewer = {
    ...{ name: "ann", since: 100, groupOf: () => undefined },
    rights: [[{ permissions, on: { kind: "vm", vmId: "mine" } }]] as Viewer["rights"],
  };
  const copy = { id: "1", actor: "ann", command: "clone_volume", title: "Copy", error: null };
  const jobs = [99, 100].map((startedAt) => ({ ...copy, startedAt }) as Job);
  assert.deepEqual(jobs.map((each) => seesJob(ann, each)), [false, true]);
  const entries = [99, 100].map((timestamp) =>
    ({ id: timestamp, timestamp, actor: "ann", action: "clone_volume", result: "ok" }) as Activity
  );
  assert.deepEqual(filterOutput("get_activity", entries, ann, () => VMS), [entries[1]]);
});

Deno.test("EventView.shown() gives the host's load to who may see the host", () => {
  const event = ["host-stats-updated", { cpuPercent: 7 }] as unknown as Parameters<EventView["shown"]>[0];
  const shown = (viewer: Viewer) => new EventView(viewer, [], () => VMS).shown(event);
  assert.equal(shown(EVE), null);
  assert.equal(shown({ ...EVE, rights: [] }), null);
  assert.equal(shown(seeing("ann", "vms.view")), null);
  assert.equal(shown(seeing("ann", "host.view")), event);
});
