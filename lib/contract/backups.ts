/** Backups: which VMs are kept in which folder, how often and how long; what there is, and how it comes back. */
import Type, { type Static } from "typebox";
import { BACKUP_TARGET_KINDS } from "./backup_targets.ts";
import { HostName } from "./on_host.ts";
import { command } from "./command.ts";
import { MISSED_POLICIES, SCHEDULE_FREQUENCIES, scheduleTiming, WEEKDAYS } from "./schedules.ts";
import {
  BackupId,
  closed,
  Instant,
  NO_OUTER_BLANK,
  NOTHING_OUT,
  oneOf,
  SentenceText,
  Timestamp,
  VmId,
} from "./schema.ts";
import { NamedGroup, Tag } from "./vm.ts";
import { NewVolumeName } from "./volumes.ts";

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
/** What a check looks at: every chunk, or whether the VM comes up with it. */
export const VERIFY_KINDS = ["checksums", "boot"] as const;

const RUN_ID = { minLength: 1, maxLength: 64, pattern: "^[0-9A-Za-z-]+$" } as const;
const RunId = Type.String({ ...RUN_ID, description: "id of the run" });
const BackupName = Type.String({
  minLength: 1,
  maxLength: 100,
  pattern: `${NO_OUTER_BLANK}[^\\u0000-\\u001f\\u007f]+$`,
  description: "without blanks at its ends",
});
const Folder = Type.String({
  minLength: 2,
  maxLength: 1024,
  pattern: "^/[^\\u0000-\\u001f\\u007f]+$",
  description:
    "absolute path of a folder of the host that is there: a disk or a network share that is mounted",
});

const TargetId = Type.String({
  minLength: 1,
  maxLength: 64,
  pattern: "^[0-9A-Za-z-]+$",
  description:
    "a backup target that it goes to, in the place of a folder: a folder that is given as well is ignored",
});

const Targets = closed({
  all: Type.Optional(Type.Boolean({ description: "every VM, also those to come" })),
  vmIds: Type.Optional(Type.Array(VmId, { maxItems: 500, uniqueItems: true })),
  tags: Type.Optional(Type.Array(Tag, { maxItems: 32, uniqueItems: true })),
  groups: Type.Optional(Type.Array(NamedGroup, { maxItems: 32, uniqueItems: true })),
}, { description: "all VMs, or VMs by id, tag or group; looked up at each run" });

const kept = (what: string, least: number) =>
  Type.Optional(Type.Integer({ minimum: least, maximum: 1000, description: what }));

const options = {
  frequency: Type.Optional(
    oneOf([...SCHEDULE_FREQUENCIES, "by-hand"], {
      description: "when it runs by itself; by-hand, as in a new one: never",
    }),
  ),
  ...scheduleTiming,
  missed: Type.Optional(
    oneOf(MISSED_POLICIES, {
      description: "what becomes of missed runs; run-once, as in a new one, makes up for all of them by one",
    }),
  ),
  keep: kept("backups of each VM that are kept, the newest ones; 7 in a new one", 1),
  keepDaily: kept("also the last backup of so many days; 0 in a new one", 0),
  keepWeekly: kept("also the last backup of so many weeks; 0 in a new one", 0),
  keepMonthly: kept("also the last backup of so many months; 0 in a new one", 0),
  keepYearly: kept("also the last backup of so many years; 0 in a new one", 0),
  maxMibPerSecond: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 1_000_000,
      description: "reads no faster, in MiB a second; 0, as in a new one: no limit",
    }),
  ),
  parallel: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: MOST_PARALLEL,
      description: "how many VMs of a run are copied at once; 1 in a new one",
    }),
  ),
  bootTest: Type.Optional(oneOf(BOOT_TEST_POLICIES, {
    description:
      "boots its backups as a test after a run, each VM once a week or after each run; never in a new one",
  })),
  enabled: Type.Optional(Type.Boolean({ description: "runs by itself; yes in a new one" })),
};

/** What a check of every chunk of a copy said. */
export const BackupVerified = Type.Object({
  at: Timestamp,
  ok: Type.Boolean(),
  message: Type.Union([SentenceText(), Type.Null()], { description: "what is wrong with it" }),
});
export type BackupVerified = Static<typeof BackupVerified>;

/** What booting a copy as a test said. */
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

const Device = Type.String({
  minLength: 6,
  maxLength: 255,
  pattern: "^/dev/[A-Za-z0-9_.+/-]+$",
  description: "a file system, as list_backup_files tells it",
});
const PathInCopy = Type.String({
  minLength: 1,
  maxLength: 4096,
  pattern: "^/[^\\u0000]*$",
  description: "absolute path in that file system",
});
const REACHING = [
  "BackupFolderUnusable",
  "BackupTargetUnusable",
  "BackupTargetNotFound",
  "BackupPassphraseNeeded",
  "BackupHostKeyUnknown",
  "BackupHostKeyChanged",
  "StoragePoolNotFound",
  "StorageUnknown",
] as const;
const FILES = [
  "BackupNotFound",
  "BackupRunNotFound",
  "BackupFolderBusy",
  ...REACHING,
  "BackupDamaged",
  "BackupFilesNotPossible",
  "BackupFilesFailed",
  "StoreUnavailable",
] as const;

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

const FLAGS = {
  all: "targets.all",
  target: "backupTargetId",
  vm: "targets.vmIds",
  tag: "targets.tags",
  group: "targets.groups",
} as const;
const SAVING = [
  "PathRefused",
  "BackupExists",
  ...REACHING,
  "VmNotFound",
  "BackupElsewhere",
  "NoAccount",
  "StoreUnavailable",
] as const;

export const backupCommands = {
  list_backups: command({
    summary: "List backup jobs",
    role: "viewer",
    input: closed({}),
    output: Type.Array(Backup),
    errors: ["StoreUnavailable"],
    route: "GET /backups",
    cli: ["backup", "list"],
    lookup: { fields: ["backupId"], by: "name", more: "folder", missing: "BackupNotFound" },
    columns: ["name", "enabled", "folder", "frequency", "keep", "next", "running"],
    wide: ["id", "timeZone", "runsAs", "createdAt"],
    readOnly: true,
    withoutLibvirt: true,
  }),
  get_backup: command({
    summary: "Show a backup job with its next runs and its last one",
    role: "viewer",
    input: closed({ backupId: BackupId }),
    output: Backup,
    errors: ["BackupNotFound", "StoreUnavailable"],
    route: "GET /backups/{backupId}",
    cli: ["backup", "show", "<backupId>"],
    readOnly: true,
    withoutLibvirt: true,
  }),
  list_backup_runs: command({
    summary: "List the runs of a backup job, the newest first",
    description:
      "With what is in its folder: runs that another KVM Manager made there are listed as found, and can be restored. " +
      "Those before the last one of an answer are asked for with until: the moment that one began.",
    role: "viewer",
    input: closed({
      backupId: BackupId,
      runId: Type.Optional(Type.String({ ...RUN_ID, description: "this run alone" })),
      until: Type.Optional(Instant),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: BACKUP_RUNS_LISTED, default: 50 })),
    }),
    output: Type.Array(BackupRun),
    errors: ["BackupNotFound", "StoreUnavailable"],
    route: "GET /backups/{backupId}/runs",
    cli: ["backup", "runs", "<backupId>"],
    columns: ["id", "startedAt", "state", "actor", "message"],
    wide: ["endedAt", "jobId", "found"],
    examples: ["kvm-manager backup runs nightly --until 2026-10-01T00:00:00Z"],
    readOnly: true,
    withoutLibvirt: true,
  }),
  list_backup_days: command({
    summary: "List the days of a backup job's last five weeks on which it ran, and how that went",
    role: "viewer",
    input: closed({ backupId: BackupId }),
    output: Type.Array(BackupDayRun),
    errors: ["BackupNotFound", "StoreUnavailable"],
    route: "GET /backups/{backupId}/days",
    cli: ["backup", "days", "<backupId>"],
    columns: ["date", "state", "verified"],
    wide: ["runId", "startedAt"],
    readOnly: true,
    withoutLibvirt: true,
  }),
  list_vm_backups: command({
    summary: "List a VM's backup jobs and backups",
    role: "viewer",
    input: closed({ vmId: VmId }),
    output: VmBackups,
    errors: ["VmNotFound", "BackupElsewhere", "StoreUnavailable"],
    route: "GET /vms/{vmId}/backups",
    cli: ["backup", "of", "<vmId>"],
    readOnly: true,
  }),
  create_backup: command({
    summary: "Create a backup job: VMs that are copied to a folder or a backup target",
    description:
      "What the folder already has of backups is kept, and can be restored: so a new host takes over the backups of a lost one.",
    role: "administrator",
    input: closed({
      name: BackupName,
      folder: Type.Optional(Folder),
      backupTargetId: Type.Optional(TargetId),
      targets: Targets,
      ...options,
    }),
    output: Backup,
    errors: [...SAVING, "TooManyBackups"],
    route: "POST /backups",
    cli: ["backup", "create", "<name>"],
    places: ["<name>", "[folder]"],
    flags: FLAGS,
    examples: [
      "kvm-manager backup create nightly /mnt/backup --all --frequency daily --time 02:00 --keep 14",
    ],
    exampleFields: ["folder", "frequency", "time"],
    readOnly: false,
    withoutLibvirt: true,
  }),
  update_backup: command({
    summary: "Change a backup job",
    description:
      "What is left out stays. From then on it runs with the rights of who changed it. With another folder or target, " +
      "its backups stay where they are, which warnings tell.",
    role: "administrator",
    input: closed({
      backupId: BackupId,
      name: Type.Optional(BackupName),
      folder: Type.Optional(Folder),
      backupTargetId: Type.Optional(TargetId),
      targets: Type.Optional(Targets),
      ...options,
    }),
    output: Type.Object({
      ...Backup.properties,
      warnings: Type.Array(SentenceText(), { description: "what becomes of the backups that there are" }),
    }),
    errors: ["BackupNotFound", "BackupRunning", ...SAVING],
    route: "PATCH /backups/{backupId}",
    cli: ["backup", "update", "<backupId>"],
    flags: FLAGS,
    readOnly: false,
    withoutLibvirt: true,
  }),
  enable_backup: command({
    summary: "Switch a backup job on or off",
    description:
      "A job that is off runs by hand alone. Switched on, it runs with the rights of who did that.",
    role: "administrator",
    input: closed({ backupId: BackupId, enabled: Type.Boolean() }),
    output: Backup,
    errors: ["BackupNotFound", "NoAccount", "StoreUnavailable"],
    route: "PUT /backups/{backupId}/enabled",
    cli: ["backup", "enable", "<backupId>", "<enabled>"],
    readOnly: false,
    withoutLibvirt: true,
  }),
  delete_backup: command({
    summary: "Delete a backup job",
    description:
      "The backups in its folder stay: a new job with the same folder has them. One that a schedule runs is " +
      "not deleted.",
    role: "administrator",
    input: closed({ backupId: BackupId }),
    output: NOTHING_OUT,
    errors: ["BackupNotFound", "BackupRunning", "BackupInUse", "StoreUnavailable"],
    route: "DELETE /backups/{backupId}",
    cli: ["backup", "delete", "<backupId>"],
    destroys: "the backup job's settings; its backups stay in the folder",
    readOnly: false,
    withoutLibvirt: true,
  }),
  run_backup_now: command({
    summary: "Run a backup job at once",
    description:
      "Gives the run that has begun, and goes on as a task; the one that is under way, where it reads as much.",
    role: "operator",
    input: closed({
      backupId: BackupId,
      full: Type.Optional(
        Type.Boolean({ description: "reads disks in full, also where only what changed could be read" }),
      ),
    }),
    output: Type.Object({
      ...BackupRun.properties,
      joined: Type.Optional(Type.Literal(true, { description: "it was under way already" })),
    }),
    errors: ["BackupNotFound", "BackupRunning", ...REACHING, "StoreUnavailable"],
    route: "POST /backups/{backupId}/run",
    cli: ["backup", "run", "<backupId>"],
    endsIn: "list_backup_runs",
    readOnly: false,
  }),
  restore_backup: command({
    summary: "Restore a VM from a backup",
    description:
      "As a new VM of another name, or in place, where the VM is off: its disks go into the bin once the restored ones are " +
      "whole. Every chunk is checked while it is read.",
    role: "administrator",
    input: closed({
      backupId: BackupId,
      runId: RunId,
      vmId: VmId,
      name: Type.Optional(Type.String({ maxLength: 255, description: "of the new VM; not in place" })),
      inPlace: Type.Optional(
        Type.Boolean({ default: false, description: "what the VM has on its disks now is lost" }),
      ),
      pool: Type.Optional(
        Type.String({
          minLength: 1,
          maxLength: 255,
          description: "where its disks go; left out: the usual pool, in place the pools that they are in",
        }),
      ),
      toHost: Type.Optional({
        ...HostName,
        description: "linked host that the new VM moves to, off, once it is restored here; not in place",
      }),
    }),
    output: Type.Object({
      vmId: Type.String({ description: "id of the restored VM" }),
      name: Type.String(),
      warnings: Type.Array(SentenceText(), { description: "what is not as it was" }),
    }),
    errors: [
      "QuotaExceeded",
      "HostInMaintenance",
      "BackupNotFound",
      "BackupRunNotFound",
      "BackupFolderBusy",
      ...REACHING,
      "BackupDamaged",
      "InvalidName",
      "VmNameExists",
      "NvramLeft",
      "MemoryLeft",
      "VmNotFound",
      "MacInUse",
      "VmMustBeOff",
      "HostNotFound",
      "RestoredNotMoved",
      "VmBusy",
      "RestoreNotPossible",
      "RestoreFailed",
      "StoragePoolNotActive",
      "StoragePoolReadOnly",
      "DiskExceedsPool",
      "JobCancelled",
      "StoreUnavailable",
    ],
    route: "POST /backups/{backupId}/runs/{runId}/restore",
    cli: ["backup", "restore", "<backupId>", "<runId>", "<vmId>"],
    isJob: true,
    examples: ["kvm-manager backup restore nightly RUN VM --name web-restored"],
    makesVm: "vmId",
    mark: "change",
    readOnly: false,
  }),
  restore_backup_disk: command({
    summary: "Restore one disk of a VM from a backup, as a new volume",
    description:
      "No VM is changed: attach it to one with attach_disk. Every chunk is checked while it is read.",
    role: "administrator",
    input: closed({
      backupId: BackupId,
      runId: RunId,
      vmId: VmId,
      target: Type.String({
        maxLength: 8,
        pattern: "^[a-z]{2,8}$",
        description: "the disk, as the VM had it: vda",
      }),
      pool: Type.Optional(
        Type.String({ minLength: 1, maxLength: 255, description: "where it goes; left out: the usual pool" }),
      ),
      volume: Type.Optional(NewVolumeName),
    }),
    output: Type.Object({
      pool: Type.String(),
      volume: Type.String(),
      path: Type.String(),
      format: oneOf(["qcow2", "raw"]),
    }),
    errors: [
      "BackupNotFound",
      "BackupRunNotFound",
      "BackupFolderBusy",
      ...REACHING,
      "BackupDamaged",
      "RestoreNotPossible",
      "RestoreFailed",
      "VolumeExists",
      "VolumeInUse",
      "StoragePoolNotActive",
      "StoragePoolReadOnly",
      "DiskExceedsPool",
      "JobCancelled",
      "StoreUnavailable",
    ],
    route: "POST /backups/{backupId}/runs/{runId}/restore-disk",
    makesAt: "/storage/pools/{pool}/volumes/{volume}",
    cli: ["backup", "restore-disk", "<backupId>", "<runId>", "<vmId>", "<target>"],
    isJob: true,
    examples: ["kvm-manager backup restore-disk nightly RUN VM vda --pool default"],
    readOnly: false,
  }),
  verify_backup: command({
    summary: "Check a run: every chunk against its checksum, or whether its VMs boot",
    description:
      "checksums reads every chunk. boot restores each VM for a while and starts it as one that is thrown away: with " +
      "new MAC addresses and no link, without devices and folders of the host. It passes when a guest agent answers, " +
      "or, where none answered when the backup was made, when its screen comes to rest on something that is no " +
      "complaint; the last picture is kept (get_backup_screen).",
    role: "operator",
    input: closed({
      backupId: BackupId,
      runId: RunId,
      kind: Type.Optional(oneOf(VERIFY_KINDS, { description: "checksums when it is left out" })),
      vmId: Type.Optional(
        Type.String({
          minLength: 1,
          maxLength: 64,
          description: "that VM alone; left out: every VM of the run",
        }),
      ),
      seconds: Type.Optional(
        Type.Integer({
          minimum: BOOT_TEST_SECONDS.least,
          maximum: BOOT_TEST_SECONDS.most,
          default: BOOT_TEST_SECONDS.usual,
          description: "that a VM has to come up; boot alone",
        }),
      ),
      pool: Type.Optional(
        Type.String({
          minLength: 1,
          maxLength: 255,
          description: "where its disks go for that while; left out: the usual pool; boot alone",
        }),
      ),
    }),
    output: Type.Object({
      ok: Type.Boolean(),
      checkedBytes: Type.Integer({ description: "what was read of the VMs' disks" }),
      run: BackupRun,
    }),
    errors: [
      "BackupNotFound",
      "BackupRunNotFound",
      "BackupFolderBusy",
      ...REACHING,
      "BackupDamaged",
      "HostInMaintenance",
      "BootTestNotPossible",
      "RestoreNotPossible",
      "RestoreFailed",
      "StoragePoolNotActive",
      "StoragePoolReadOnly",
      "DiskExceedsPool",
      "JobCancelled",
      "StoreUnavailable",
    ],
    route: "POST /backups/{backupId}/runs/{runId}/verify",
    cli: ["backup", "verify", "<backupId>", "<runId>"],
    isJob: true,
    flags: { vm: "vmId" },
    examples: ["kvm-manager backup verify nightly RUN --kind boot"],
    readOnly: false,
    withoutLibvirt: true,
  }),
  list_backup_files: command({
    summary: "List the files in a backup of a VM",
    description:
      "Without filesystem: the file systems in it. They are read by libguestfs in a small VM of its own, which is " +
      "there for two minutes after the last question; its start may take a minute. Nothing is mounted on the host.",
    role: "administrator",
    input: closed({
      backupId: BackupId,
      runId: RunId,
      vmId: VmId,
      filesystem: Type.Optional(Device),
      path: Type.Optional(PathInCopy),
    }),
    output: Type.Object({
      filesystems: Type.Array(BackupFilesystem),
      files: Type.Array(BackupFile, { description: "of the folder, by name; empty without filesystem" }),
      truncated: Type.Boolean({ description: "the folder has more than 1,000 entries" }),
    }),
    errors: FILES,
    route: "GET /backups/{backupId}/runs/{runId}/vms/{vmId}/files",
    cli: ["backup", "files", "<backupId>", "<runId>", "<vmId>", "<path>"],
    places: ["<backupId>", "<runId>", "<vmId>", "[path]"],
    rows: "files",
    columns: ["name", "kind", "size", "modifiedAt"],
    examples: ["kvm-manager backup files nightly RUN VM /etc --filesystem /dev/sda1"],
    readOnly: true,
    audited: true,
  }),
  download_backup_file: command({
    summary: "Download a file from a backup of a VM, or a folder as a tar archive",
    description: "GET the content itself, with `?filesystem=` and `?path=`.",
    role: "administrator",
    input: closed({ backupId: BackupId, runId: RunId, vmId: VmId, filesystem: Device, path: PathInCopy }),
    output: Type.Object({
      name: Type.String(),
      size: Type.Union([Type.Integer(), Type.Null()], { description: "bytes; null for a folder" }),
    }),
    errors: [...FILES, "ContentExpected"],
    route: "GET /backups/{backupId}/runs/{runId}/vms/{vmId}/files/content",
    cli: ["backup", "cp", "<backupId>", "<runId>", "<vmId>", "<filesystem>", "<path>"],
    examples: ["kvm-manager backup cp nightly RUN VM /dev/sda1 /etc/fstab --out fstab"],
    readOnly: true,
    audited: true,
    content: "download",
    contentFields: ["filesystem", "path"],
  }),
  get_backup_screen: command({
    summary: "Show the last picture of a VM's screen in a boot test",
    role: "operator",
    input: closed({ backupId: BackupId, runId: RunId, vmId: VmId }),
    output: Type.Object({
      format: Type.Unsafe<"image/png">({ type: "string", const: "image/png" }),
      takenAt: Timestamp,
      data: Type.String({ description: "the picture in base64; GET …/screen.png gives it as it is" }),
    }),
    errors: [
      "BackupNotFound",
      "BackupRunNotFound",
      ...REACHING,
      "NoBootScreen",
      "StoreUnavailable",
    ],
    route: "GET /backups/{backupId}/runs/{runId}/vms/{vmId}/screen",
    cli: ["backup", "screen", "<backupId>", "<runId>", "<vmId>"],
    file: { field: "data", base64: true },
    examples: ["kvm-manager backup screen nightly RUN VM --out web1.png"],
    readOnly: true,
    withoutLibvirt: true,
  }),
};
