import assert from "node:assert/strict";
import type { Activity, Job, VM } from "../contract/mod.ts";
import { message, render, rendered, type Sentence, type Unrendered, vmName } from "../i18n/message.ts";
import { HIDDEN_MESSAGE } from "./redact.ts";
import { needOf, permissionsOf } from "./permissions.ts";
import { ALL_RIGHTS } from "./rights.ts";
import { EventView, filterOutput, seesAlert, seesJob } from "./filter_output.ts";
import { seesHost, type Viewer } from "./viewer.ts";

const VMS = [{ id: "mine", name: "web" }, { id: "theirs", name: "secret" }] as VM[];
const NOWHERE = { placeOf: () => undefined, vmsOn: () => [] };
/** Somebody with rights to one machine. */
const EVE: Viewer = {
  name: "eve",
  rights: [[{ permissions: permissionsOf("operator"), on: { kind: "vm", vmId: "mine" } }]],
  ...NOWHERE,
};
const entry = (more: Partial<Unrendered<Activity>>): Unrendered<Activity> => ({
  id: 1,
  timestamp: 0,
  actor: "ann",
  action: "attach_disk",
  vmId: "mine",
  vmName: "web",
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
  const idSince = () => 100;
  const some: Viewer = {
    name: "ann",
    ...NOWHERE,
    idSince,
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
  assert.deepEqual(told({ name: "ann", ...NOWHERE, rights: all }), []);
  assert.equal(
    (told({ name: "root", ...NOWHERE, rights: ALL_RIGHTS }) as Activity[]).length,
    1,
  );
});

Deno.test("what an account did under one's name before one's own was made, is somebody else's", () => {
  const permissions = new Set([needOf("clone_volume").permission]);
  const ann: Viewer = {
    name: "ann",
    since: 100,
    ...NOWHERE,
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

/** Two hosts with a machine each, and somebody with rights to one of the hosts, or a part of them. */
const HOSTED: Readonly<Record<string, string>> = { mine: "lab", theirs: "local" };
const ofHost = (host: string, permissions: Iterable<string> = permissionsOf("operator")): Viewer => ({
  name: "eve",
  rights: [[{ permissions: new Set(permissions), on: { kind: "host", host } }]],
  placeOf: (vmId) => HOSTED[vmId] === undefined ? undefined : { hostId: HOSTED[vmId] },
  vmsOn: (hostId) =>
    Object.entries(HOSTED).filter(([, host]) => host === hostId).map(([vmId]) => ({
      vmId,
      group: undefined,
      hostId,
    })),
});

Deno.test("who has rights to one host sees that host, its machines, tasks, activity and alerts, and no others'", () => {
  const eve = ofHost("lab"), ofVm: Viewer = { ...eve, rights: EVE.rights };
  assert.deepEqual(["lab", "local", "attic"].filter((id) => seesHost(eve, id)), ["lab"]);
  assert.deepEqual(["lab", "local", "attic"].filter((id) => seesHost(ofVm, id)), ["lab", "local"]);
  const ids = (answer: unknown) => (answer as { id: unknown }[]).map(({ id }) => id);
  assert.deepEqual(ids(filterOutput("get_vms", VMS, eve, () => VMS)), ["mine"]);
  const deed = (id: number, more: Partial<Unrendered<Activity>>): Unrendered<Activity> => ({
    id,
    timestamp: 0,
    actor: "ann",
    action: "start_network",
    result: "ok" as const,
    ...more,
  });
  const deeds = [
    deed(1, { host: "lab" }),
    deed(2, {}),
    deed(3, { actor: "eve" }),
    deed(4, { actor: "eve", host: "attic" }),
    deed(5, { actor: "libvirt", action: "network-started", result: "event" }),
    deed(6, { actor: "libvirt", action: "network-started", result: "event", host: "lab" }),
    deed(7, { action: "create_schedule" }),
    deed(8, { vmId: "theirs" }),
    deed(9, { vmId: "mine", host: "lab" }),
    deed(10, { vmId: "gone", host: "lab" }),
    deed(11, { host: "lab", action: "create_user" }),
  ];
  assert.deepEqual(ids(filterOutput("get_activity", deeds, eve, () => VMS)), [1, 6, 9]);
  assert.deepEqual(ids(filterOutput("get_activity", deeds, ofHost("local"), () => VMS)), [2, 3, 5, 8]);
  const task = (id: string, more: Partial<Unrendered<Job>>) =>
    ({ ...job("x"), id, vmId: undefined, command: "clone_volume", actor: "ann", ...more }) as Unrendered<Job>;
  const tasks = [
    task("1", { host: "lab" }),
    task("2", {}),
    task("3", { actor: "eve" }),
    task("4", { actor: "eve", host: "lab" }),
    task("5", { command: "create_vm" }),
    task("6", { command: "create_vm", host: "lab" }),
    task("7", { vmId: "theirs" }),
    task("8", { command: "run_backup_now" }),
  ];
  const seen = (viewer: Viewer) => tasks.filter((each) => seesJob(viewer, each)).map(({ id }) => id);
  assert.deepEqual(seen(eve), ["1", "4", "6"]);
  assert.deepEqual(seen(ofHost("local")), ["2", "3", "5", "7"]);
  assert.equal(seesAlert(eve, { hostId: "lab", watches: "host_metric" }), true);
  assert.equal(seesAlert(eve, { host: "lab", watches: "host_connection_lost" }), true);
  assert.equal(seesAlert(eve, { host: "local", watches: "host_metric" }), false);
  assert.equal(seesAlert(ofHost("local"), { host: "local", watches: "backup_failed" }), false);
  assert.equal(seesAlert(eve, { vmId: "mine" }), true);
  assert.equal(seesAlert(eve, { vmId: "theirs" }), false);
  assert.equal(seesAlert(eve, { watches: "host_metric" }), false);
});

Deno.test("who has rights to one host is told of no event of another", () => {
  const view = new EventView(ofHost("lab"), [], () => VMS),
    status = { connected: true, uri: "", error: null };
  const events = (host?: string) => {
    const at = host === undefined ? {} : { host };
    return [
      ["network-changed", { name: "n", event: "started", ...at }],
      ["pool-changed", { name: "p", event: "started", ...at }],
      ["device-changed", { name: "d", event: "added", ...at }],
      ["host-stats-updated", { cpuUsagePercent: 1, ...at }],
      ["hangs-changed", at],
      ["connection-status-changed", { status, ...at }],
    ] as unknown as Parameters<EventView["shown"]>[0][];
  };
  assert.deepEqual(events("lab").filter((event) => view.shown(event) === null), []);
  for (const event of [...events(), ...events("attic")]) assert.equal(view.shown(event), null, event[0]);
  const local = new EventView(ofHost("local"), [], () => VMS);
  assert.deepEqual(events().filter((event) => local.shown(event) === null), []);
  const made = ([id, name]: [string, string]) =>
    ["vm-created", { vm: { id, name } }] as unknown as Parameters<EventView["shown"]>[0];
  assert.notEqual(view.shown(made(["mine", "web"])), null);
  assert.equal(view.shown(made(["theirs", "secret"])), null);
});

Deno.test("counts and hangs of a host are told to who sees all of that host", () => {
  const info = { activeVms: 7, totalVms: 9 }, hangs = [{ about: "pool", name: "p" }, { vmId: "theirs" }];
  const told = (viewer: Viewer, hostId: string) =>
    filterOutput("get_host_info", info, viewer, () => VMS, () => [], hostId) as typeof info;
  assert.equal(told(ofHost("lab"), "lab").totalVms, 9);
  assert.equal(told(ofHost("lab"), "local").totalVms, 0);
  const left = (viewer: Viewer, hostId: string) =>
    (filterOutput("list_hangs", hangs, viewer, () => VMS, () => [], hostId) as unknown[]).length;
  assert.deepEqual([left(ofHost("local"), "local"), left(ofHost("lab"), "local")], [2, 0]);
});
