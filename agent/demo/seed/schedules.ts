/** Schedules of the demo, with the runs of a month. */
import { DAY_MS, MINUTE_MS } from "../../../lib/duration.ts";
import { WEEKDAYS } from "../../../lib/contract/schedules.ts";
import type { Timing } from "../../../lib/schedules/timing.ts";
import { hostZone } from "../../clock.ts";
import { ScheduleRecords, type StoredSchedule, type StoredScheduleRun } from "../../schedules/records.ts";
import { daysAgo, idFor, type Seeding, vmNamed, vmsTagged } from "./moment.ts";

/** Owner of the schedules: they may do what visitors may. */
export const OWNER = { kind: "demo", name: "demo" } as const;

type Row = Pick<StoredSchedule, "name" | "action" | "targets" | "keep"> & {
  readonly timing: (timeZone: string) => Timing;
  readonly hour: number;
  /** Whether it ran on the day so many days ago. */
  readonly ran: (date: Date) => boolean;
  /** VMs that its runs are about. */
  readonly vms: readonly string[];
  /** Days ago of a run that failed for a VM, and why. */
  readonly failed?: { readonly daysAgo: number; readonly vm: string; readonly message: string };
};

const isWorkday = (date: Date) => date.getDay() >= 1 && date.getDay() <= 5;
const names = (tag: string) => vmsTagged(tag).map(({ name }) => name);

const rows = (): readonly Row[] => [
  {
    name: "Desktops on in the morning",
    action: "start",
    targets: { vmIds: [], tags: ["desktop"], groups: [] },
    keep: 1,
    timing: (timeZone) => ({ frequency: "weekly", time: "07:30", weekdays: WEEKDAYS.slice(0, 5), timeZone }),
    hour: 7.5,
    ran: isWorkday,
    vms: names("desktop"),
  },
  {
    name: "Desktops off at night",
    action: "stop",
    targets: { vmIds: [], tags: ["desktop"], groups: [] },
    keep: 1,
    timing: (timeZone) => ({ frequency: "daily", time: "21:00", timeZone }),
    hour: 21,
    ran: () => true,
    vms: names("desktop"),
  },
  {
    name: "Snapshot before the nightly deployment",
    action: "snapshot",
    targets: { vmIds: [vmNamed("staging-web").id], tags: [], groups: [] },
    keep: 3,
    timing: (timeZone) => ({ frequency: "daily", time: "23:15", timeZone }),
    hour: 23.25,
    ran: () => true,
    vms: ["staging-web"],
    failed: { daysAgo: 9, vm: "staging-web", message: "The VM was being changed by another operation" },
  },
  {
    name: "Restart CI runners",
    action: "reboot",
    targets: { vmIds: [], tags: ["ci"], groups: [] },
    keep: 1,
    timing: (timeZone) => ({ frequency: "weekly", time: "04:00", weekdays: WEEKDAYS.slice(6), timeZone }),
    hour: 4,
    ran: (date) => date.getDay() === 0,
    vms: ["ci-runner-01", "ci-runner-02"],
  },
];

function runOf(row: Row, days: number, now: number): StoredScheduleRun {
  const slot = daysAgo(now, days, Math.floor(row.hour), row.hour % 1 * 60), { failed } = row;
  const isFailed = failed?.daysAgo === days;
  return {
    id: idFor("schedule run", `${row.name} ${days}`),
    slot,
    startedAt: slot + 1200,
    endedAt: slot + 41_000,
    state: isFailed ? "failed" : "done",
    actor: "demo",
    jobId: null,
    message: null,
    counts: { done: row.vms.length - (isFailed ? 1 : 0), unchanged: 0, forced: 0, failed: isFailed ? 1 : 0 },
    results: row.vms.map((name) => ({
      vmId: vmNamed(name).id,
      name,
      outcome: isFailed && failed.vm === name ? "failed" : "done",
      ...(isFailed && failed.vm === name && { message: failed.message }),
    })),
  };
}

/** Days of the past that have runs. */
const DAYS = 30;

/** Writes them. */
export function seedSchedules({ store, now }: Seeding): void {
  const records = new ScheduleRecords(store), timeZone = hostZone();
  for (const row of rows()) {
    const { name, action, targets, keep, timing } = row;
    const schedule: StoredSchedule = {
      id: idFor("schedule", name),
      name,
      enabled: true,
      action,
      targets,
      timing: timing(timeZone),
      deadlineSeconds: 300,
      force: false,
      keep,
      missed: "skip",
      owner: OWNER,
      createdAt: now - 90 * DAY_MS,
      handled: now - MINUTE_MS,
    };
    records.put(schedule);
    for (let days = DAYS; days >= 0; days--) {
      const slot = daysAgo(now, days, Math.floor(row.hour), row.hour % 1 * 60);
      // Today's is over only where its time was
      if (!row.ran(new Date(slot)) || slot >= now - MINUTE_MS) continue;
      records.begin(schedule, runOf(row, days, now), now - MINUTE_MS);
    }
  }
}
