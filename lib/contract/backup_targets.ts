/** Backup targets: other places than a plain folder that backups go to, with what is needed to get there. */
import Type, { type Static } from "typebox";
import { command } from "./command.ts";
import { closed, NO_OUTER_BLANK, NOTHING_IN, NOTHING_OUT, oneOf, SECRET, Timestamp } from "./schema.ts";

/** Most targets there can be. */
export const MOST_BACKUP_TARGETS = 50;
/** Kinds of targets: a folder, a storage pool, a bucket of an S3-compatible service, a folder of another host. */
export const BACKUP_TARGET_KINDS = ["folder", "pool", "s3", "sftp"] as const;
export type BackupTargetKind = typeof BACKUP_TARGET_KINDS[number];

/** Characters of a passphrase at least. */
export const SHORTEST_PASSPHRASE = 12;

const text = (pattern: string, maxLength: number, description: string) =>
  Type.Optional(Type.String({ minLength: 1, maxLength, pattern, description }));
const LINE = `${NO_OUTER_BLANK}[^\\u0000-\\u001f\\u007f]+$`;

const TargetId = Type.String({
  minLength: 1,
  maxLength: 64,
  pattern: "^[0-9A-Za-z-]+$",
  description: "id of the backup target",
});
const TargetName = Type.String({
  minLength: 1,
  maxLength: 100,
  pattern: LINE,
  description: "without blanks at its ends",
});

/** Location of a target; the fields of each kind are in `lib/backup/target_fields.ts`. */
const PLACE = {
  folder: text(
    "^/[^\\u0000-\\u001f\\u007f]+$",
    1024,
    "folder: absolute path of a folder of the host that is there",
  ),
  pool: text(LINE, 255, "pool: a storage pool whose volumes are files"),
  endpoint: text(
    "^https?://[A-Za-z0-9.\\-\\[\\]:]+/?$",
    300,
    "s3: address of the service, as https://s3.example.org:9000",
  ),
  region: text("^[A-Za-z0-9-]+$", 64, "s3: us-east-1 when left out"),
  bucket: text("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", 63, "s3: a bucket that is there"),
  prefix: text(
    "^[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$",
    200,
    "s3: what the names of its objects begin with",
  ),
  accessKey: text("^[\\u0021-\\u007e]+$", 200, "s3: id of the access key"),
  pathStyle: Type.Optional(
    Type.Boolean({
      description: "s3: the bucket stands in the path, as own services have it; yes in a new one",
    }),
  ),
  certificate: text(
    "^-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\\s-]+$",
    65_536,
    "s3: PEM of the authority that signed its certificate, where the host does not trust it",
  ),
  server: text("^[A-Za-z0-9][A-Za-z0-9.:_-]*$", 253, "sftp: name or address of the other host"),
  port: Type.Optional(Type.Integer({ minimum: 1, maximum: 65535, description: "sftp: 22 when left out" })),
  user: text("^[^\\u0000-\\u0020\\u007f@:/]+$", 64, "sftp: user name there"),
  path: text(
    "^[^\\u0000-\\u001f\\u007f]+$",
    1024,
    "sftp: a folder that is there, from the root or from the user's own folder",
  ),
  hostKey: text(
    "^SHA256:[A-Za-z0-9+/]{43}$",
    60,
    "sftp: fingerprint of the host's key; left out, it is told, and nothing is sent",
  ),
  privateAddresses: Type.Optional(
    Type.Boolean({
      description: "s3, sftp: it may be on a private network, or this host; never at a link-local address",
    }),
  ),
};

const SECRETS = {
  secretKey: Type.Optional(Type.String({
    minLength: 1,
    maxLength: 200,
    pattern: "^[\\u0021-\\u007e]+$",
    ...SECRET,
    description: "s3: secret of the access key. Never shown again",
  })),
  password: Type.Optional(Type.String({
    minLength: 1,
    maxLength: 1024,
    pattern: "^[^\\u0000-\\u001f\\u007f]+$",
    ...SECRET,
    description: "sftp: password there; or a private key. Never shown again",
  })),
  privateKey: Type.Optional(Type.String({
    minLength: 1,
    maxLength: 16_384,
    pattern: "^-----BEGIN [A-Z ]*PRIVATE KEY-----[\\s\\S]+$",
    ...SECRET,
    description: "sftp: private key without a passphrase. Never shown again",
  })),
};
const Passphrase = Type.Optional(Type.String({
  minLength: SHORTEST_PASSPHRASE,
  maxLength: 16_384,
  ...SECRET,
  description:
    "encrypts what is kept there; the text of a key file is one, too. Without it nothing comes back, " +
    "and it cannot be recovered. Of a target that has encrypted backups: the one they were made with",
}));

export const BackupTarget = Type.Object({
  id: Type.String(),
  name: Type.String(),
  kind: oneOf(BACKUP_TARGET_KINDS),
  address: Type.String({ description: "where it is, without anything that is secret" }),
  encrypted: Type.Boolean(),
  ...PLACE,
  hasSecret: Type.Boolean({ description: "a secret key, a password or a private key is kept for it" }),
  backups: Type.Array(Type.String(), { description: "names of the backup jobs that use it" }),
  createdAt: Timestamp,
});
export type BackupTarget = Static<typeof BackupTarget>;

const ADMINISTER = { role: "administrator", readOnly: false } as const;
const CONNECTING = [
  "BackupTargetUnusable",
  "BackupFolderUnusable",
  "BackupPassphraseNeeded",
  "BackupPassphraseWrong",
  "BackupHostKeyUnknown",
  "BackupHostKeyChanged",
  "StoragePoolNotFound",
  "StorageUnknown",
  "StoreUnavailable",
  "EncryptionKeyMissing",
  "SecretUnreadable",
] as const;

export const backupTargetCommands = {
  list_backup_targets: command({
    ...ADMINISTER,
    readOnly: true,
    withoutLibvirt: true,
    summary: "List the places that backups go to, besides plain folders",
    input: NOTHING_IN,
    output: Type.Array(BackupTarget),
    errors: ["StoreUnavailable"],
    route: "GET /backup-targets",
    cli: ["backup", "targets"],
    lookup: { fields: ["backupTargetId"], by: "name", more: "address", missing: "BackupTargetNotFound" },
    columns: ["name", "kind", "address", "encrypted", "backups"],
    wide: ["id", "hasSecret", "createdAt"],
  }),
  create_backup_target: command({
    ...ADMINISTER,
    summary:
      "Create a backup target: a folder, a storage pool, an S3 bucket, or a folder of another host (SFTP)",
    description:
      "It is connected to, and made ready. What it already has of backups is kept, and can be restored; encrypted ones " +
      "with their passphrase. Of another host, the key is told first: give it as hostKey once it is compared.",
    input: closed({
      name: TargetName,
      kind: oneOf(BACKUP_TARGET_KINDS),
      ...PLACE,
      ...SECRETS,
      passphrase: Passphrase,
      passphraseAgain: Type.Optional(
        Type.String({ maxLength: 16_384, ...SECRET, description: "the same, where it is typed twice" }),
      ),
    }),
    output: BackupTarget,
    errors: ["BackupTargetExists", "TooManyBackupTargets", "PathRefused", ...CONNECTING],
    route: "POST /backup-targets",
    cli: ["backup", "add-target", "<name>", "<kind>"],
    examples: [
      "kvm-manager backup add-target offsite s3 --endpoint https://s3.example.org --bucket vms --access-key KEY",
    ],
    exampleFields: ["folder"],
  }),
  update_backup_target: command({
    ...ADMINISTER,
    summary: "Change a backup target",
    description:
      "What is left out stays; its kind and its encryption cannot be changed. With another server, its secrets must be " +
      "given again. It is connected to, and must hold the same backups. Of an encrypted one whose key was lost here, the " +
      "passphrase is taken once more.",
    input: closed({
      backupTargetId: TargetId,
      name: Type.Optional(TargetName),
      ...PLACE,
      ...SECRETS,
      passphrase: Passphrase,
    }),
    output: BackupTarget,
    errors: ["BackupTargetNotFound", "BackupTargetExists", "BackupRunning", "PathRefused", ...CONNECTING],
    route: "PATCH /backup-targets/{backupTargetId}",
    cli: ["backup", "update-target", "<backupTargetId>"],
  }),
  delete_backup_target: command({
    ...ADMINISTER,
    withoutLibvirt: true,
    summary: "Delete a backup target",
    description: "The copies in it stay: a new target of the same place has them.",
    input: closed({ backupTargetId: TargetId }),
    output: NOTHING_OUT,
    errors: ["BackupTargetNotFound", "BackupTargetInUse", "StoreUnavailable"],
    route: "DELETE /backup-targets/{backupTargetId}",
    cli: ["backup", "remove-target", "<backupTargetId>"],
    destroys: "the target with its secrets; its copies stay, and encrypted ones need the passphrase again",
  }),
  test_backup_target: command({
    ...ADMINISTER,
    summary: "Connect to a backup target, write something, read it and delete it",
    input: closed({ backupTargetId: TargetId }),
    output: Type.Object({
      freeBytes: Type.Union([Type.Integer(), Type.Null()], { description: "null: it does not tell" }),
      milliseconds: Type.Integer({ description: "how long that took" }),
    }),
    errors: ["BackupTargetNotFound", ...CONNECTING],
    route: "POST /backup-targets/{backupTargetId}/test",
    cli: ["backup", "test-target", "<backupTargetId>"],
  }),
};
