/** Schedules: what is done to VMs at set times. */
import Type, { type Static } from "typebox";
import { command } from "./command.ts";
import {
  BackupId,
  closed,
  NO_OUTER_BLANK,
  NOTHING_OUT,
  oneOf,
  SentenceText,
  Timestamp,
  VmId,
} from "./schema.ts";
import { NamedGroup, Tag } from "./vm.ts";

export const SCHEDULE_FREQUENCIES = ["once", "daily", "weekly", "monthly", "cron"] as const;
export type ScheduleFrequency = typeof SCHEDULE_FREQUENCIES[number];

/** Actions of schedules on VMs; `backup` has a backup copy its own. */
export const SCHEDULE_ACTIONS = ["start", "stop", "reboot", "snapshot", "backup"] as const;
export type ScheduleAction = typeof SCHEDULE_ACTIONS[number];

/** Policies for runs that were missed while KVM Manager did not run. */
export const MISSED_POLICIES = ["skip", "run-once"] as const;
export type MissedPolicy = typeof MISSED_POLICIES[number];

export const WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;
export type Weekday = typeof WEEKDAYS[number];

/** `skipped`: it was not begun, why says its message. `interrupted`: KVM Manager ended while it ran. */
export const SCHEDULE_RUN_STATES = [
  "running",
  "done",
  "failed",
  "cancelled",
  "interrupted",
  "skipped",
] as const;
export type ScheduleRunState = typeof SCHEDULE_RUN_STATES[number];

/** `unchanged`: nothing was to be done. `forced`: the guest did not shut down in time, and was forced off. */
export const VM_OUTCOMES = ["done", "unchanged", "forced", "failed"] as const;
export type VmOutcome = typeof VM_OUTCOMES[number];

/** Most schedules there can be. */
export const MOST_SCHEDULES = 100;
/** Runs of a schedule that its history keeps. */
export const SCHEDULE_RUNS_KEPT = 100;
/** Runs to come that are told. */
export const NEXT_RUNS = 5;

const SCHEDULE_ID = { minLength: 1, maxLength: 64, pattern: "^[0-9A-Za-z-]+$" } as const;
const ScheduleId = Type.String({ ...SCHEDULE_ID, description: "id of the schedule" });
const ScheduleName = Type.String({
  minLength: 1,
  maxLength: 100,
  pattern: `${NO_OUTER_BLANK}[^\\u0000-\\u001f\\u007f]+$`,
  description: "without blanks at its ends",
});

/** When it runs. Which of the fields other than `frequency` count depends on it; the others are ignored. */
export const scheduleTiming = {
  at: Type.Optional(
    Type.String({
      maxLength: 19,
      pattern: "^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}(:00)?$",
      description: "once: date and time in the time zone, as 2026-12-24T18:00",
    }),
  ),
  time: Type.Optional(
    Type.String({
      maxLength: 5,
      pattern: "^([01]\\d|2[0-3]):[0-5]\\d$",
      description: "daily, weekly, monthly: time of day, as 03:30",
    }),
  ),
  weekdays: Type.Optional(
    Type.Array(oneOf(WEEKDAYS), { maxItems: 7, uniqueItems: true, description: "weekly: on which days" }),
  ),
  monthDay: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 31,
      description: "monthly: day of the month; its last day where the month is shorter",
    }),
  ),
  cron: Type.Optional(
    Type.String({ maxLength: 100, description: "cron: minute, hour, day, month, weekday, as 30 3 * * 1-5" }),
  ),
  timeZone: Type.Optional(
    Type.String({ maxLength: 64, description: "IANA name, as Europe/Berlin; left out: that of the host" }),
  ),
};
const Frequency = oneOf(SCHEDULE_FREQUENCIES);

/** VMs of a schedule: all that are named, or have one of the tags, or are in one of the groups when it runs. */
const Targets = closed({
  vmIds: Type.Optional(Type.Array(VmId, { maxItems: 500, uniqueItems: true })),
  tags: Type.Optional(Type.Array(Tag, { maxItems: 32, uniqueItems: true })),
  groups: Type.Optional(Type.Array(NamedGroup, { maxItems: 32, uniqueItems: true })),
}, { description: "VMs by id, tag or group; looked up at each run" });

const settings = {
  action: oneOf(SCHEDULE_ACTIONS, {
    description: "stop asks the guest to shut down; backup runs a backup, which has VMs of its own",
  }),
  targets: Targets,
  frequency: Frequency,
};

const options = {
  ...scheduleTiming,
  deadlineSeconds: Type.Optional(
    Type.Integer({
      minimum: 10,
      maximum: 3600,
      description: "stop: seconds that guests have to shut down; 120 in a new one",
    }),
  ),
  force: Type.Optional(
    Type.Boolean({ description: "stop: forces off what still runs at the deadline; no in a new one" }),
  ),
  keep: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 100,
      description:
        "snapshot: how many of its snapshots each VM keeps, the oldest beyond are deleted; 7 in a new one",
    }),
  ),
  backupId: Type.Optional({ ...BackupId, description: "backup: id of the backup that runs" }),
  missed: Type.Optional(
    oneOf(MISSED_POLICIES, {
      description: "what becomes of missed runs; run-once makes up for all of them by one; skip in a new one",
    }),
  ),
  enabled: Type.Optional(Type.Boolean({ description: "yes in a new one" })),
};

export const ScheduleRun = Type.Object({
  id: Type.String(),
  slot: Type.Union([Timestamp, Type.Null()], {
    description: "the time it was due; null for one that somebody asked for",
  }),
  startedAt: Timestamp,
  endedAt: Type.Union([Timestamp, Type.Null()]),
  state: oneOf(SCHEDULE_RUN_STATES),
  actor: Type.String({ description: "as whom it ran" }),
  jobId: Type.Union([Type.String(), Type.Null()], { description: "its job, while that is kept" }),
  message: Type.Union([SentenceText(), Type.Null()], { description: "why it failed or was skipped" }),
  counts: Type.Object({
    done: Type.Integer(),
    unchanged: Type.Integer(),
    forced: Type.Integer(),
    failed: Type.Integer(),
  }, { description: "VMs by outcome" }),
  results: Type.Array(
    Type.Object({
      vmId: Type.String(),
      name: Type.String({ description: "as it was called then" }),
      outcome: oneOf(VM_OUTCOMES),
      message: Type.Optional(SentenceText()),
    }),
    { description: "failures first; of many VMs the first hundred" },
  ),
});
export type ScheduleRun = Static<typeof ScheduleRun>;

export const Schedule = Type.Object({
  id: Type.String(),
  name: Type.String(),
  enabled: Type.Boolean(),
  action: oneOf(SCHEDULE_ACTIONS),
  targets: Type.Object({
    vmIds: Type.Array(Type.String()),
    tags: Type.Array(Type.String()),
    groups: Type.Array(Type.String()),
    hidden: Type.Optional(Type.Boolean({
      description:
        "there are others: VMs that who asks may not see, and tags and groups of none that they see",
    })),
  }),
  frequency: Frequency,
  at: Type.Optional(Type.String()),
  time: Type.Optional(Type.String()),
  weekdays: Type.Optional(Type.Array(oneOf(WEEKDAYS))),
  monthDay: Type.Optional(Type.Integer()),
  cron: Type.Optional(Type.String()),
  timeZone: Type.String(),
  deadlineSeconds: Type.Integer(),
  force: Type.Boolean(),
  keep: Type.Integer(),
  backupId: Type.Optional(Type.String()),
  missed: oneOf(MISSED_POLICIES),
  runsAs: Type.String({
    description: "whose rights a run has: of who saved it last, or switched it on",
  }),
  createdAt: Timestamp,
  next: Type.Array(Timestamp, { description: "the next runs, at most five; none while it is switched off" }),
  running: Type.Boolean(),
  uncovered: Type.Optional(Type.Array(Type.String(), {
    description: "VMs, tags and groups that it goes by and that no VM is or has now",
  })),
  leftOut: Type.Optional(Type.Array(Type.Object({ vmId: Type.String(), name: Type.String() }), {
    description: "VMs that it had at its last run and no longer has, until its targets are saved once more",
  })),
  ownerLost: Type.Optional(
    Type.String({ description: "why it does not run by itself: who it runs as is gone" }),
  ),
  lastRun: Type.Union([ScheduleRun, Type.Null()]),
});
export type Schedule = Static<typeof Schedule>;

const FLAGS = {
  vm: "targets.vmIds",
  tag: "targets.tags",
  group: "targets.groups",
  backup: "backupId",
} as const;
const REFUSALS = ["ScheduleExists", "VmNotFound", "BackupNotFound", "NoAccount", "StoreUnavailable"] as const;

export const scheduleCommands = {
  list_schedules: command({
    summary: "List schedules",
    role: "viewer",
    input: closed({}),
    output: Type.Array(Schedule),
    errors: ["StoreUnavailable"],
    route: "GET /schedules",
    cli: ["schedule", "list"],
    lookup: {
      fields: ["scheduleId"],
      by: "name",
      more: "action",
      missing: "ScheduleNotFound",
    },
    columns: ["name", "enabled", "action", "frequency", "next", "running"],
    wide: ["id", "timeZone", "runsAs", "missed", "createdAt"],
    readOnly: true,
    withoutLibvirt: true,
  }),
  get_schedule: command({
    summary: "Show a schedule with its next runs and its last one",
    role: "viewer",
    input: closed({ scheduleId: ScheduleId }),
    output: Schedule,
    errors: ["ScheduleNotFound", "StoreUnavailable"],
    route: "GET /schedules/{scheduleId}",
    cli: ["schedule", "show", "<scheduleId>"],
    readOnly: true,
    withoutLibvirt: true,
  }),
  preview_schedule: command({
    summary: "Tell when a schedule would run next",
    role: "viewer",
    input: closed({ frequency: Frequency, ...scheduleTiming }),
    output: Type.Object({
      timeZone: Type.String(),
      next: Type.Array(Timestamp, { description: "the next runs, at most five" }),
    }),
    errors: [],
    route: "GET /schedule-preview/{frequency}",
    cli: ["schedule", "preview", "<frequency>"],
    examples: ["kvm-manager schedule preview cron --cron '30 3 * * 1-5' --time-zone Europe/Berlin"],
    exampleFields: ["time"],
    readOnly: true,
    withoutLibvirt: true,
  }),
  get_schedule_history: command({
    summary: "List the runs of a schedule, the newest first",
    role: "viewer",
    input: closed({
      scheduleId: ScheduleId,
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: SCHEDULE_RUNS_KEPT, default: 20 })),
    }),
    output: Type.Array(ScheduleRun),
    errors: ["ScheduleNotFound", "StoreUnavailable"],
    route: "GET /schedules/{scheduleId}/history",
    cli: ["schedule", "history", "<scheduleId>"],
    columns: ["startedAt", "slot", "state", "actor", "message"],
    wide: ["id", "endedAt", "jobId"],
    readOnly: true,
    withoutLibvirt: true,
  }),
  create_schedule: command({
    summary: "Create a schedule that starts, shuts down, reboots, snapshots or backs up VMs at set times",
    description:
      "Each run has the rights that who saved it last has then. The least time between two runs is " +
      "a minute; two runs of one schedule never overlap.",
    role: "operator",
    input: closed({ name: ScheduleName, ...settings, targets: Type.Optional(Targets), ...options }),
    output: Schedule,
    errors: [...REFUSALS, "TooManySchedules"],
    route: "POST /schedules",
    cli: ["schedule", "create", "<name>", "<action>", "<frequency>"],
    flags: FLAGS,
    examples: [
      "kvm-manager schedule create nightly stop daily --time 22:00 --tag lab --force",
      "kvm-manager schedule create weekend backup weekly --time 02:00 --weekdays sat --backup nightly",
      "kvm-manager schedule create office start cron --cron '0 7 * * 1-5' --group office",
    ],
    exampleFields: ["targets", "time", "timeZone"],
    readOnly: false,
    withoutLibvirt: true,
  }),
  update_schedule: command({
    summary: "Change a schedule",
    description: "What is left out stays. From then on it runs with the rights of who changed it.",
    role: "operator",
    input: closed({
      scheduleId: ScheduleId,
      name: Type.Optional(ScheduleName),
      action: Type.Optional(settings.action),
      targets: Type.Optional(settings.targets),
      frequency: Type.Optional(settings.frequency),
      ...options,
    }),
    output: Schedule,
    errors: ["ScheduleNotFound", ...REFUSALS],
    route: "PATCH /schedules/{scheduleId}",
    cli: ["schedule", "update", "<scheduleId>"],
    flags: FLAGS,
    readOnly: false,
    withoutLibvirt: true,
  }),
  enable_schedule: command({
    summary: "Switch a schedule on or off",
    description:
      "Switched on, it runs with the rights of who switched it on. What was due meanwhile is not made up for.",
    role: "operator",
    input: closed({ scheduleId: ScheduleId, enabled: Type.Boolean() }),
    output: Schedule,
    errors: ["ScheduleNotFound", "NoAccount", "StoreUnavailable"],
    route: "PUT /schedules/{scheduleId}/enabled",
    cli: ["schedule", "enable", "<scheduleId>", "<enabled>"],
    readOnly: false,
    withoutLibvirt: true,
  }),
  run_schedule_now: command({
    summary: "Run a schedule now",
    description: "With the rights of who asks. Answers at once; the run is a job.",
    role: "operator",
    input: closed({ scheduleId: ScheduleId }),
    output: ScheduleRun,
    errors: ["ScheduleNotFound", "StoreUnavailable"],
    route: "POST /schedules/{scheduleId}/run",
    cli: ["schedule", "run", "<scheduleId>"],
    endsIn: "get_schedule_history",
    onAnyHost: true,
    readOnly: false,
  }),
  delete_schedule: command({
    summary: "Delete a schedule and its history",
    role: "operator",
    input: closed({ scheduleId: ScheduleId }),
    output: NOTHING_OUT,
    errors: ["ScheduleNotFound", "StoreUnavailable"],
    route: "DELETE /schedules/{scheduleId}",
    cli: ["schedule", "delete", "<scheduleId>"],
    destroys: "the schedule and its history",
    readOnly: false,
    withoutLibvirt: true,
  }),
};
