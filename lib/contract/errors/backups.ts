/** Errors: backups. */
import type { ErrorKind } from "./kind.ts";

export const BACKUP_ERRORS = {
  BackupNotFound: { text: "Backup job not found: {backupId}", status: 404, exit: 4 },
  BackupExists: { text: "Backup job name already exists: {name}", status: 409, exit: 5 },
  BackupRunning: {
    text: "{name} is running already. Wait for the task to end, or cancel it.",
    status: 409,
    exit: 5,
  },
  BackupInUse: {
    text:
      "The backup job {name} is run by {users}. Delete what runs it, or have it run another backup job, first.",
    status: 409,
    exit: 5,
  },
  BackupElsewhere: {
    text:
      "{vm} is on host {host}, and backup jobs copy the VMs of the host that KVM Manager runs on only. Leave it out here, " +
      "and have it backed up by KVM Manager on its own host.",
    status: 409,
    exit: 5,
  },
  TooManyBackups: {
    text: "There are {limit} backup jobs already. Delete one that is not needed any more first.",
    status: 409,
    exit: 5,
  },
  BackupOwnerLost: {
    text: "It runs as {name}, and {reason}. Somebody who may do this must save the backup job again.",
    status: 403,
    exit: 6,
  },
  BackupRunNotFound: { text: "No such run in this backup job: {runId}", status: 404, exit: 4 },
  BackupFolderUnusable: { text: "The folder {folder} cannot be used: {reason}", status: 409, exit: 5 },
  BackupTargetUnusable: {
    text: "The backup target {target} cannot be used: {reason}",
    status: 409,
    exit: 5,
  },
  BackupPassphraseNeeded: {
    text: "The backups at {target} are encrypted: their passphrase is needed.",
    status: 409,
    exit: 5,
  },
  BackupPassphraseWrong: {
    text: "The passphrase does not open the backups at {target}.",
    status: 409,
    exit: 5,
  },
  BackupHostKeyUnknown: {
    text:
      "{host} shows the key {key}. Compare it with the host's own, and give it as the host key if it is the same.",
    status: 409,
    exit: 5,
  },
  BackupHostKeyChanged: {
    text:
      "{host} shows the key {key}, and not {before}: it is another host, or somebody is in between. Nothing was sent to it.",
    status: 409,
    exit: 5,
  },
  BackupTargetNotFound: { text: "Backup target not found: {backupTargetId}", status: 404, exit: 4 },
  BackupTargetExists: { text: "Backup target name already exists: {name}", status: 409, exit: 5 },
  BackupTargetInUse: {
    text: "{name} is the target of the backup job {backup}. Delete that first.",
    status: 409,
    exit: 5,
  },
  TooManyBackupTargets: {
    text: "There are {limit} backup targets already. Delete one that is not needed any more first.",
    status: 409,
    exit: 5,
  },
  BackupFolderBusy: {
    text: "Another backup job is writing to {folder}. Try again when it has ended.",
    status: 409,
    exit: 5,
  },
  BackupFailed: { text: "Failed to back up: {error}", status: 502, exit: 1 },
  BackupRunFailed: { text: "It failed for {failed} of {all} VMs. {first}", status: 502, exit: 1 },
  BackupNotPossible: { text: "This VM cannot be backed up: {reason}", status: 409, exit: 5 },
  BackupDamaged: {
    text:
      "The copy is damaged, and cannot be restored: {reason}. Verify other copies, and restore one that is whole.",
    status: 409,
    exit: 5,
  },
  BootTestNotPossible: { text: "It cannot be booted as a test: {reason}", status: 409, exit: 5 },
  BackupFilesNotPossible: { text: "Its files cannot be shown: {reason}", status: 409, exit: 5 },
  BackupFilesFailed: { text: "Its files cannot be read: {reason}", status: 502, exit: 1 },
  NoBootScreen: { text: "No boot test of this copy has a picture of its screen.", status: 404, exit: 4 },
  RestoreNotPossible: { text: "It cannot be restored so: {reason}", status: 409, exit: 5 },
  RestoredNotMoved: {
    text:
      "The VM was restored here as {name}, and not moved to {host}: {error} Once that is mended, move it there, or delete it.",
    status: 502,
    exit: 1,
  },
  RestoreFailed: { text: "Failed to restore: {error}", status: 502, exit: 1 },
} as const satisfies Record<string, ErrorKind>;
