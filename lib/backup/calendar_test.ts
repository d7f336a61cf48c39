import assert from "node:assert/strict";
import type { BackupCopy, BackupRun } from "../contract/backups.ts";
import { calendarOf, daysOf, dayText } from "./calendar.ts";

const copy = (ok: boolean | null) =>
  ({ state: "done", verified: ok === null ? null : { ok, at: 0, message: null } }) as unknown as BackupCopy;
const run = (at: string, state: BackupRun["state"] = "done", copies = [copy(null)]): BackupRun => ({
  id: at,
  startedAt: Date.parse(at),
  endedAt: null,
  state,
  actor: "",
  jobId: null,
  message: null,
  found: false,
  copies,
});
const NOW = Date.parse("2026-11-25T12:00:00Z");

Deno.test("calendarOf() has five weeks from Monday on, the last with today", () => {
  const weeks = calendarOf({ timeZone: "UTC", next: [] }, [], NOW);
  assert.deepEqual(weeks.map(([first]) => first!.date), [
    ...["2026-10-26", "2026-11-02", "2026-11-09", "2026-11-16", "2026-11-23"],
  ]);
  assert.deepEqual(weeks.flat().filter(({ today }) => today).map(({ date }) => date), ["2026-11-25"]);
  assert.equal(weeks.flat().length, 35);
  assert.equal(dayText("2026-11-23"), "Nov 23");
});

Deno.test("calendarOf() puts runs on the days of the backup's time zone, the newest of a day first", () => {
  const runs = [
    run("2026-11-24T23:40:00Z", "skipped", []),
    run("2026-11-24T23:30:00Z", "failed"),
    run("2026-11-24T12:00:00Z"),
    run("2026-11-23T12:00:00Z", "done", [copy(true), copy(true)]),
    run("2026-11-20T12:00:00Z", "done", [copy(true), copy(null)]),
    run("2026-11-19T12:00:00Z", "done", [copy(true), copy(false)]),
    run("2026-11-18T12:00:00Z", "skipped", []),
  ];
  const found = (timeZone: string) =>
    calendarOf({ timeZone, next: [] }, daysOf(runs, timeZone, NOW), NOW).flat().flatMap(({ date, run }) =>
      run === undefined ? [] : [[date.slice(5), run.state, run.verified]]
    );
  assert.deepEqual(found("UTC"), [
    ["11-18", "skipped", "none"],
    ["11-19", "done", "bad"],
    ["11-20", "done", "never"],
    ["11-23", "done", "ok"],
    ["11-24", "failed", "never"],
  ]);
  assert.deepEqual(found("Europe/Berlin"), [
    ["11-18", "skipped", "none"],
    ["11-19", "done", "bad"],
    ["11-20", "done", "never"],
    ["11-23", "done", "ok"],
    ["11-24", "done", "never"],
    ["11-25", "failed", "never"],
  ]);
});

Deno.test("daysOf() has a row a day, however often it ran, and nothing of before the calendar", () => {
  const hourly = Array.from(
    { length: 60 * 24 },
    (_, hour) => run(new Date(NOW - hour * 3_600_000).toISOString()),
  );
  const days = daysOf(hourly, "UTC", NOW);
  assert.deepEqual([days.length, days[0]!.date, days.at(-1)!.date], [31, "2026-11-25", "2026-10-26"]);
  assert.equal(days[0]!.runId, hourly[0]!.id);
});

Deno.test("calendarOf() tells when it runs next, the first time of each day", () => {
  const next = [
    "2026-11-26T02:00:00Z",
    "2026-11-26T14:00:00Z",
    "2026-11-29T02:00:00Z",
    "2026-12-09T02:00:00Z",
  ];
  const weeks = calendarOf({ timeZone: "UTC", next: next.map((at) => Date.parse(at)) }, [], NOW);
  assert.deepEqual(
    weeks.flat().flatMap(({ date, planned }) => planned === undefined ? [] : [[date, planned]]),
    [
      ["2026-11-26", Date.parse(next[0]!)],
      ["2026-11-29", Date.parse(next[2]!)],
    ],
  );
});
