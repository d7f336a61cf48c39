/** Every command on the copies that backups have made. */
import Type from "typebox";
import { HostName } from "./on_host.ts";
import { command } from "./command.ts";
import { BackupId, closed, oneOf, SentenceText, Timestamp, VmId } from "./schema.ts";
import { NewVolumeName } from "./volumes.ts";
import { BackupFile, BackupFilesystem, BackupRun, BOOT_TEST_SECONDS, VERIFY_KINDS } from "./backups.ts";
import { RUN_ID, TARGET_ERRORS } from "./backups_commands.ts";

const FILE_ERRORS = [
  "BackupNotFound",
  "BackupRunNotFound",
  "BackupFolderBusy",
  ...TARGET_ERRORS,
  "BackupDamaged",
  "BackupFilesNotPossible",
  "BackupFilesFailed",
  "StoreUnavailable",
] as const;
const PathInCopy = Type.String({
  minLength: 1,
  maxLength: 4096,
  pattern: "^/[^\\u0000]*$",
  description: "absolute path in that file system",
});
const Device = Type.String({
  minLength: 6,
  maxLength: 255,
  pattern: "^/dev/[A-Za-z0-9_.+/-]+$",
  description: "a file system, as list_backup_files tells it",
});
const RunId = Type.String({ ...RUN_ID, description: "id of the run" });
export const backupCopyCommands = {
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
      ...TARGET_ERRORS,
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
      ...TARGET_ERRORS,
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
      ...TARGET_ERRORS,
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
    errors: FILE_ERRORS,
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
    errors: [...FILE_ERRORS, "ContentExpected"],
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
      ...TARGET_ERRORS,
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
