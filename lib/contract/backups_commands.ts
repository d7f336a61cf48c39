/** Every command on backup jobs. */
import Type from "typebox";
import { command } from "./command.ts";
import { MISSED_POLICIES, SCHEDULE_FREQUENCIES, scheduleTiming } from "./schedules.ts";
import {
  BackupId,
  closed,
  Instant,
  NO_OUTER_BLANK,
  NOTHING_OUT,
  oneOf,
  SentenceText,
  VmId,
} from "./schema.ts";
import { NamedGroup, Tag } from "./vm.ts";
import {
  Backup,
  BACKUP_RUNS_LISTED,
  BackupDayRun,
  BackupRun,
  BOOT_TEST_POLICIES,
  MOST_PARALLEL,
  VmBackups,
} from "./backups.ts";

export const RUN_ID = { minLength: 1, maxLength: 64, pattern: "^[0-9A-Za-z-]+$" } as const;
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

export const keptRuns = (what: string, least: number) =>
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
  keep: keptRuns("backups of each VM that are kept, the newest ones; 7 in a new one", 1),
  keepDaily: keptRuns("also the last backup of so many days; 0 in a new one", 0),
  keepWeekly: keptRuns("also the last backup of so many weeks; 0 in a new one", 0),
  keepMonthly: keptRuns("also the last backup of so many months; 0 in a new one", 0),
  keepYearly: keptRuns("also the last backup of so many years; 0 in a new one", 0),
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
export const TARGET_ERRORS = [
  "BackupFolderUnusable",
  "BackupTargetUnusable",
  "BackupTargetNotFound",
  "BackupPassphraseNeeded",
  "BackupHostKeyUnknown",
  "BackupHostKeyChanged",
  "StoragePoolNotFound",
  "StorageUnknown",
] as const;

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
  ...TARGET_ERRORS,
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
    errors: ["BackupNotFound", "BackupRunning", ...TARGET_ERRORS, "StoreUnavailable"],
    route: "POST /backups/{backupId}/run",
    cli: ["backup", "run", "<backupId>"],
    endsIn: "list_backup_runs",
    readOnly: false,
  }),
};
