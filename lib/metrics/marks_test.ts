import assert from "node:assert/strict";
import type { Activity } from "../contract/host.ts";
import { activity as activityTexts } from "../i18n/en/activity.ts";
import type { AlertIncident } from "../contract/alerts.ts";
import { MARKED_COMMANDS } from "../contract/marked_commands.ts";
import { firedAsActivity, markKinds, marksOf } from "./marks.ts";

const KINDS = markKinds(MARKED_COMMANDS);

const entry = (action: string, timestamp: number, result: Activity["result"] = "ok"): Activity => ({
  id: timestamp,
  timestamp,
  actor: "ada",
  action,
  result,
});

Deno.test("marksOf() marks what changed something in the range, newest first", () => {
  const told = [
    entry("start_vm", 10),
    entry("crashed", 30, "event"),
    entry("batch_stop_vms", 20),
    entry("start_vm", 25, "error"),
    entry("open_console", 26),
    entry("constructor", 27),
    entry("update_vm", 99),
  ];
  assert.deepEqual(marksOf(told, KINDS, 10, 40).map(({ kind, entry: { timestamp } }) => [kind, timestamp]), [
    ["trouble", 30],
    ["power", 20],
    ["power", 10],
  ]);
});

Deno.test("marksOf() has a bound", () => {
  const told = Array.from({ length: 500 }, (_, at) => entry("start_vm", at));
  assert.equal(marksOf(told, KINDS, 0, 1000).length, 200);
});

Deno.test("markKinds() of all that is told as activity: a new command is thought of here", () => {
  const names = Object.keys(activityTexts).flatMap((key) =>
    /^activity\.(?:command|event)\.(.+)$/.exec(key)?.[1] ?? []
  );
  const marked = (kind: string) => names.filter((name) => KINDS.get(name) === kind).sort().join(" ");
  assert.equal(
    marked("power"),
    "discard_saved_memory force_stop_vm guest_reboot guest_shutdown migrate_vm pause_vm pmsuspended promote_replica reboot reboot_vm reset_vm resume_vm resumed start_vm started stop_vm " +
      "stopped suspend_vm suspended switch_over",
  );
  assert.equal(marked("snapshot"), "create_snapshot delete_snapshot revert_snapshot");
  assert.equal(marked("backup"), "vm-backed-up");
  assert.equal(marked("trouble"), "crashed io-error watchdog");
  assert.equal(marked("alert"), "alert-fired");
  assert.equal(
    marked("change"),
    "attach_disk attach_host_device attach_nic attach_share clone_vm create_project_vm create_vm delete_vm detach_disk detach_host_device " +
      "detach_nic detach_share import_vm move_disk resize_disk restore_backup set_vm_xml " +
      "start_network start_storage_pool stop_network stop_storage_pool update_disk update_nic update_vm",
  );
});

Deno.test("firedAsActivity(): alerts that fired are marked along with what else happened", () => {
  const incident: AlertIncident = {
    id: "i",
    alertId: "a",
    name: "CPU is busy",
    severity: "warning",
    watches: "vm_metric",
    state: "resolved",
    host: "local",
    vmId: "v",
    vmName: "web",
    message: "CPU usage is 97 %",
    value: 97,
    firedAt: 20,
    silenced: false,
  };
  const marks = marksOf(
    [entry("start_vm", 10), ...firedAsActivity([incident, { ...incident, firedAt: 99 }])],
    KINDS,
    0,
    50,
  );
  assert.deepEqual(marks.map(({ kind, entry: { message } }) => [kind, message]), [
    ["alert", "CPU is busy: CPU usage is 97 %"],
    ["power", undefined],
  ]);
});
