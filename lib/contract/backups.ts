/** Backups: which VMs are kept in which folder, how often and how long; what there is, and how it comes back. */
import Type, { type Static } from "typebox";
import { BACKUP_TARGET_KINDS } from "./backup_targets.ts";
import { MISSED_POLICIES, SCHEDULE_FREQUENCIES, WEEKDAYS } from "./schedules.ts";
import { oneOf, SentenceText, Timestamp } from "./schema.ts";

/** Most backups there can be. */
export const MOST_BACKUPS = 100;
/** Runs of a backup that its list gives at most. */
export const BACKUP_RUNS_LISTED = 200;

/** `interrupted`: KVM Manager ended while it ran. `skipped`: it was due, and was not begun; its message says why. */
export const BACKUP_RUN_STATES = [
  "running",
  "done",
  "failed",
  "cancelled",
  "interrupted",
  "skipped",
] as const;
export type BackupRunState = typeof BACKUP_RUN_STATES[number];

/**
 * How far what the guest wrote is in a copy. `stopped`: the VM was off. `frozen`: the guest agent had the guest write
 * everything first. `crash`: as after a power failure.
 */
export const BACKUP_CONSISTENCIES = ["stopped", "frozen", "crash"] as const;
export type BackupConsistency = typeof BACKUP_CONSISTENCIES[number];

/** VMs of a run that can be copied at once. */
export const MOST_PARALLEL = 4;
/** When copies are booted as a test by themselves. */
export const BOOT_TEST_POLICIES = ["never", "weekly", "each-run"] as const;
export type BootTestPolicy = typeof BOOT_TEST_POLICIES[number];
/** Seconds that a copy has to come up. */
export const BOOT_TEST_SECONDS = { least: 10, usual: 300, most: 3600 } as const;
/** Kinds of checks: every chunk is read, or the VM is booted. */
export const VERIFY_KINDS = ["checksums", "boot"] as const;

/** Result of a check of every chunk of a copy. */
export const BackupVerified = Type.Object({
  at: Timestamp,
  ok: Type.Boolean(),
  message: Type.Union([SentenceText(), Type.Null()], { description: "what is wrong with it" }),
});
export type BackupVerified = Static<typeof BackupVerified>;

/** Result of booting a copy as a test. */
export const BootTest = Type.Object({
  at: Timestamp,
  ok: Type.Boolean(),
  by: Type.Union([oneOf(["agent", "screen"]), Type.Null()], {
    description: "what showed that it came up: its guest agent's answer, or its screen",
  }),
  message: Type.Union([SentenceText(), Type.Null()], { description: "why it failed" }),
  seconds: Type.Integer({ description: "how long it took from the start of the VM" }),
  screen: Type.Boolean({ description: "get_backup_screen has its last picture" }),
});
export type BootTest = Static<typeof BootTest>;

export const BackupCopy = Type.Object({
  vmId: Type.String(),
  name: Type.String({ description: "as it was called then" }),
  state: oneOf(["done", "failed"]),
  message: Type.Union([SentenceText(), Type.Null()], {
    description: "why it failed; of one that is done, what is worth knowing",
  }),
  takenAt: Type.Union([Timestamp, Type.Null()], {
    description: "the moment it shows; null where there is none",
  }),
  consistency: Type.Union([oneOf(BACKUP_CONSISTENCIES), Type.Null()], {
    description:
      "stopped: it was off. frozen: the guest had written everything. crash: as after a power failure",
  }),
  bytes: Type.Integer({ description: "virtual size of its disks, as the guest sees them" }),
  storedBytes: Type.Integer({ description: "what it added to the folder: changed, compressed" }),
  readBytes: Type.Union([Type.Integer(), Type.Null()], {
    description:
      "what was read of its disks: not what they never had, nor what had not changed; null: not known",
  }),
  disks: Type.Array(Type.String(), { description: "targets of the disks in it" }),
  verified: Type.Union([BackupVerified, Type.Null()], { description: "null: it never was verified" }),
  bootTest: Type.Union([BootTest, Type.Null()], { description: "null: it never was booted as a test" }),
});
export type BackupCopy = Static<typeof BackupCopy>;

/** A file system in the disks of a copy. */
export const BackupFilesystem = Type.Object({
  device: Type.String({ description: "as libguestfs calls it: /dev/sda1, /dev/vg/root" }),
  type: Type.String({ description: "ext4, ntfs, …" }),
});
export type BackupFilesystem = Static<typeof BackupFilesystem>;

/** Kinds of entries of a folder. */
export const BACKUP_FILE_KINDS = ["file", "folder", "link", "other"] as const;
export const BackupFile = Type.Object({
  name: Type.String({
    description: "the guest's word; U+FFFD and two digits stand for a byte that is no UTF-8",
  }),
  kind: oneOf(BACKUP_FILE_KINDS),
  size: Type.Integer({ description: "bytes" }),
  modifiedAt: Timestamp,
});
export type BackupFile = Static<typeof BackupFile>;

export const BackupRun = Type.Object({
  id: Type.String(),
  startedAt: Timestamp,
  endedAt: Type.Union([Timestamp, Type.Null()]),
  state: oneOf(BACKUP_RUN_STATES),
  actor: Type.String({ description: "as whom it ran" }),
  jobId: Type.Union([Type.String(), Type.Null()], { description: "its job, while that is kept" }),
  message: Type.Union([SentenceText(), Type.Null()]),
  found: Type.Boolean({
    description: "found in the folder: another KVM Manager made it, or this one before",
  }),
  copies: Type.Array(BackupCopy, { description: "one a VM; those that were pruned are gone" }),
});
export type BackupRun = Static<typeof BackupRun>;

/** A day on which a backup ran. */
export const BackupDayRun = Type.Object({
  date: Type.String({ description: "2026-11-23, in the time zone of the backup job" }),
  runId: Type.String({ description: "its newest run; what was left out where there was no other" }),
  startedAt: Timestamp,
  state: oneOf(BACKUP_RUN_STATES),
  verified: oneOf(["ok", "bad", "never", "none"], {
    description: "what checks of all that was copied that day said: the worst; none: nothing was copied",
  }),
});
export type BackupDayRun = Static<typeof BackupDayRun>;

export const Backup = Type.Object({
  id: Type.String(),
  name: Type.String(),
  enabled: Type.Boolean(),
  targets: Type.Object({
    all: Type.Optional(Type.Boolean({ description: "every VM" })),
    vmIds: Type.Array(Type.String()),
    tags: Type.Array(Type.String()),
    groups: Type.Array(Type.String()),
    hidden: Type.Optional(Type.Boolean({
      description:
        "there are others: VMs that who asks may not see, and tags and groups of none that they see",
    })),
  }),
  folder: Type.String({
    description:
      "where it goes: a folder, or the address of its target; empty for who may see a VM of it alone",
  }),
  target: Type.Union([
    Type.Object({ id: Type.String(), name: Type.String(), kind: oneOf(BACKUP_TARGET_KINDS) }),
    Type.Null(),
  ], { description: "the backup target of the job; null: a plain folder" }),
  encrypted: Type.Boolean({ description: "nothing of it can be read without the target's passphrase" }),
  frequency: oneOf([...SCHEDULE_FREQUENCIES, "by-hand"]),
  at: Type.Optional(Type.String()),
  time: Type.Optional(Type.String()),
  weekdays: Type.Optional(Type.Array(oneOf(WEEKDAYS))),
  monthDay: Type.Optional(Type.Integer()),
  cron: Type.Optional(Type.String()),
  timeZone: Type.String(),
  missed: oneOf(MISSED_POLICIES),
  keep: Type.Integer(),
  keepDaily: Type.Integer(),
  keepWeekly: Type.Integer(),
  keepMonthly: Type.Integer(),
  keepYearly: Type.Integer(),
  maxMibPerSecond: Type.Integer({ description: "0: no limit" }),
  parallel: Type.Integer({ description: "how many VMs of a run are copied at once" }),
  bootTest: oneOf(BOOT_TEST_POLICIES),
  runsAs: Type.String({ description: "whose rights a run by itself has: of who saved it last" }),
  createdAt: Timestamp,
  next: Type.Array(Timestamp, { description: "the next runs, at most five" }),
  running: Type.Boolean(),
  uncovered: Type.Optional(Type.Array(Type.String(), {
    description: "VMs, tags and groups that it goes by and that no VM is or has now",
  })),
  leftOut: Type.Optional(Type.Array(Type.Object({ vmId: Type.String(), name: Type.String() }), {
    description: "VMs that it had at its last run and no longer has, until its targets are saved once more",
  })),
  ownerLost: Type.Optional(
    Type.String({
      description: "why it does not run by itself: who it runs as is gone, or may run none any more",
    }),
  ),
  lastRun: Type.Union([BackupRun, Type.Null()]),
});
export type Backup = Static<typeof Backup>;

export const VmBackups = Type.Object({
  backups: Type.Array(Backup, { description: "backup jobs that include the VM now" }),
  copies: Type.Array(
    Type.Object({
      backupId: Type.String(),
      backupName: Type.String(),
      runId: Type.String(),
      copy: BackupCopy,
    }),
    { description: "backups of the VM, the newest first, also of jobs that no longer include it" },
  ),
});
export type VmBackups = Static<typeof VmBackups>;
