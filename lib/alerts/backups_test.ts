import assert from "node:assert/strict";
import type {
  AlertRule,
  Backup,
  BackupCopy,
  BackupRunState,
  Schedule,
  ScheduleRunState,
} from "../contract/mod.ts";
import { seenOfCopies, seenOfRun, seenOfSchedule, seenOfTests } from "./backups.ts";
import { render } from "../i18n/message.ts";
import { defaultAlertRules } from "./defaults.ts";
import { incidentMessage } from "./words.ts";

const DAY_MS = 86_400_000, NOW = 100 * DAY_MS;

const copy = (vmId: string, state: BackupCopy["state"], days: number): BackupCopy => ({
  vmId,
  name: vmId,
  state,
  message: null,
  consistency: null,
  bytes: 0,
  storedBytes: 0,
  readBytes: null,
  disks: [],
  takenAt: state === "done" ? NOW - days * DAY_MS : null,
  verified: null,
  bootTest: null,
});

const backup = (state: BackupRunState | undefined, copies: BackupCopy[] = [], change: Partial<Backup> = {}) =>
  ({
    id: "b",
    name: "nightly",
    enabled: true,
    frequency: "daily",
    targets: { vmIds: [], tags: ["gold"], groups: [] },
    lastRun: state === undefined ? null : { id: "r", state, startedAt: NOW, copies },
    ...change,
  }) as Backup;

const rule = (change: Partial<AlertRule>): AlertRule => ({
  id: "r",
  name: "R",
  severity: "warning",
  watches: "backup_old",
  comparison: "above",
  threshold: 7,
  checks: 1,
  scope: "everything",
  enabled: true,
  createdAt: 0,
  ...change,
});

const RUNS: readonly [of: Backup, seen: string, value: number][] = [
  [backup(undefined), "gone", 0],
  [backup("done", [copy("a", "done", 0)]), "good", 0],
  [backup("done", [copy("a", "done", 0), copy("b", "failed", 0)]), "bad", 1],
  [backup("failed"), "bad", 0],
  [backup("interrupted"), "bad", 0],
  [backup("cancelled"), "unknown", 0],
  [backup("running", [copy("a", "failed", 0)]), "unknown", 1],
  [backup("failed", [], { enabled: false }), "gone", 0],
];

Deno.test("seenOfRun() judges the last run that is over, of backups that are switched on", () => {
  for (const [of, seen, value] of RUNS) {
    assert.deepEqual(seenOfRun(of), { seen, value }, String(of.lastRun?.state));
  }
});

const tested = (ok: boolean | null, booted: boolean | null): BackupCopy => ({
  ...copy("a", "done", 0),
  verified: ok === null ? null : { at: NOW, ok, message: null },
  bootTest: booted === null
    ? null
    : { at: NOW, ok: booted, by: null, message: null, seconds: 1, screen: false },
});

const TESTS: readonly [of: Backup, seen: string, value: number][] = [
  [backup(undefined), "gone", 0],
  [backup("done", [tested(null, null)]), "unknown", 0],
  [backup("done", [tested(true, null), tested(null, null)]), "good", 0],
  [backup("done", [tested(null, true)]), "good", 0],
  [backup("done", [tested(true, false), tested(true, true)]), "bad", 1],
  [backup("done", [tested(false, true), tested(false, false)]), "bad", 2],
  [backup("done", [tested(false, null)], { enabled: false }), "gone", 0],
];

Deno.test("seenOfTests() counts copies that did not pass; those that were not tested say nothing", () => {
  for (const [index, [of, seen, value]] of TESTS.entries()) {
    assert.deepEqual(seenOfTests(of), { seen, value }, String(index));
  }
});

const vm = (id: string, tags: string[] = []) => ({ id, tags });
const none = () => undefined;

const COPIES: readonly [backups: Backup[], change: Partial<AlertRule>, seen: string][] = [
  [[backup("done", [copy("a", "done", 3)])], {}, "good"],
  [[backup("done", [copy("a", "done", 9)])], {}, "bad"],
  [[backup("done", [copy("a", "done", 9)]), backup("done", [copy("a", "done", 1)])], {}, "good"],
  [[backup("done", [copy("a", "done", 9)], { frequency: "by-hand" })], {}, "gone"],
  [[backup("done", [copy("a", "done", 9)], { frequency: "by-hand" })], { scope: "vm", vmId: "a" }, "bad"],
  [[], {}, "gone"],
  [[], { scope: "group", group: "prod" }, "bad"],
  [[backup("done", [copy("a", "failed", 0)])], { scope: "vm", vmId: "a" }, "unknown"],
];

Deno.test("seenOfCopies() takes no copy at all for a fault only where a VM is meant", () => {
  for (const [index, [backups, change, seen]] of COPIES.entries()) {
    assert.equal(seenOfCopies(backups, [], NOW, none)(rule(change), vm("a")).seen, seen, `row ${index}`);
  }
});

Deno.test("seenOfCopies() goes on for a VM that a backup has copies of and left out, and during runs", () => {
  const newest = (_backupId: string, vmId: string) => vmId === "a" ? NOW - 9 * DAY_MS : undefined;
  const seen = (of: Backup, tags: string[] = []) =>
    seenOfCopies([of], [], NOW, newest)(rule({}), vm("a", tags)).seen;
  const leftOut = [{ vmId: "a", name: "a" }];
  assert.equal(seen(backup("done", [], { leftOut })), "bad");
  assert.equal(seen(backup("failed", [], { leftOut })), "bad");
  assert.equal(seen(backup("running", []), ["gold"]), "bad", "it is not copied yet");
  assert.equal(seen(backup("done", [])), "gone", "its backup was changed not to take it");
  assert.equal(seen(backup("done", [], { leftOut, enabled: false })), "gone");
});

Deno.test("seenOfCopies() takes a backup that a schedule runs for one that has times of its own", () => {
  const of = backup("done", [copy("a", "done", 9)], { frequency: "by-hand" });
  const seen = (frequency: Schedule["frequency"], change: Partial<Backup> = {}, backupId = "b") =>
    seenOfCopies([{ ...of, ...change }], [{ backupId, frequency }], NOW, none)(rule({}), vm("a")).seen;
  assert.equal(seen("daily"), "bad");
  assert.equal(seen("daily", {}, "other"), "gone");
  assert.equal(seen("once"), "gone");
  assert.equal(seen("daily", { enabled: false }), "gone");
});

Deno.test("seenOfSchedule() judges the last run that is over", () => {
  const of = (state: ScheduleRunState, failed = 0, enabled = true) =>
    seenOfSchedule({ enabled, lastRun: { state, counts: { failed } } as Schedule["lastRun"] }).seen;
  const rows = [
    of("failed"),
    of("interrupted"),
    of("done", 1),
    of("done"),
    of("skipped"),
    of("failed", 0, false),
  ];
  assert.deepEqual(rows, ["bad", "bad", "bad", "good", "unknown", "gone"]);
});

Deno.test("incidentMessage() names backups with their figures", () => {
  const failed = rule({ watches: "backup_failed" });
  assert.equal(
    render(incidentMessage(failed, 2, "nightly")),
    "The last run of the backup job nightly failed for 2 VMs",
  );
  assert.equal(
    render(incidentMessage(failed, 0, "nightly")),
    "The last run of the backup job nightly failed",
  );
  assert.equal(render(incidentMessage(rule({}), 9.04, "")), "The newest backup of the VM is 9 days old");
  assert.equal(render(incidentMessage(rule({}), NaN, "")), "There is no backup of the VM");
  const untrusted = rule({ watches: "backup_test_failed" });
  const says = "of the last run of the backup job nightly did not pass verification or the boot test";
  assert.equal(render(incidentMessage(untrusted, 1, "nightly")), `1 backup ${says}`);
  assert.equal(render(incidentMessage(untrusted, 2, "nightly")), `2 backups ${says}`);
});

Deno.test("incidentMessage() shows tenths where whole percents would look like the threshold", () => {
  const rule = defaultAlertRules("first", 0).find(({ id }) => id === "pool-nearly-full")!;
  const said = (value: number) => render(incidentMessage({ ...rule, threshold: 90 }, value, ""));
  assert.match(said(90.04), /is 90\.1 %, above 90 %$/);
  assert.match(said(93.2), /is 93 %, above 90 %$/);
  assert.match(
    render(incidentMessage({ ...rule, comparison: "below", threshold: 90 }, 89.96, "")),
    /is 89\.9 %, below 90 %$/,
  );
});
