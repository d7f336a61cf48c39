/** All places in the database with secrets that KVM Manager must be able to use again. Hashes are none. */

/** Rows of a table with JSON in which some fields are sealed. */
export interface SealedPlace {
  readonly table: string;
  /** Column that tells a row from the others. */
  readonly key: string;
  /** Column of the JSON. */
  readonly column: string;
  /** SQL condition that selects rows. */
  readonly where?: string;
  /** Fields, with a dot where they are inside another. */
  readonly fields: readonly string[];
  /** Owner of the secrets, for people. */
  readonly noun: string;
  /** SQL that names a row for people. */
  readonly title: string;
  /** Advice where its secrets cannot be read. */
  readonly remedy: string;
}

const records = { key: "id", column: "record", title: "record ->> '$.name'" } as const;

export const SEALED = {
  hosts: {
    table: "hosts",
    key: "id",
    column: "login",
    title: "label",
    fields: ["password"],
    noun: "password of the host",
    remedy: "give it again: kvm-manager host update HOST --user-password -",
  },
  alertTargets: {
    ...records,
    table: "alert_targets",
    fields: ["secret", "url"],
    noun: "secrets of the alert target",
    remedy: "give its address and secret again: kvm-manager alert update-target TARGET",
  },
  backupTargets: {
    ...records,
    table: "backup_targets",
    fields: ["secretKey", "password", "privateKey", "dataKey"],
    noun: "secrets of the backup target",
    remedy: "give its secret, and its passphrase where it is encrypted, again: " +
      "kvm-manager backup update-target TARGET",
  },
  tools: {
    ...records,
    table: "tools",
    fields: ["secret", "url"],
    noun: "secrets of the tool",
    remedy: "give its address and secret again: kvm-manager tool set TYPE NAME --url URL --secret -",
  },
  metricsPush: {
    ...records,
    table: "metrics_push",
    title: "'metrics'",
    fields: ["url", "headers"],
    noun: "address and headers for sending",
    remedy: "give them again: kvm-manager metrics set-push",
  },
  users: {
    ...records,
    table: "access",
    key: "key",
    where: "kind = 'user'",
    fields: ["totp.secret"],
    noun: "one-time codes of the user",
    remedy: "sign in with a recovery code or a passkey, and set codes up again; an administrator resets them",
  },
} as const satisfies Record<string, SealedPlace>;

export const SEALED_PLACES: readonly SealedPlace[] = Object.values(SEALED);

/** Files of the data folder in which private keys are sealed. */
export const SEALED_FILES: readonly {
  readonly name: string;
  readonly noun: string;
  readonly remedy: string;
}[] = [
  {
    name: "link.key",
    noun: "key for linked hosts",
    remedy: "remove the file for a new key, and link the hosts again",
  },
  {
    name: "ssh/id_ed25519",
    noun: "SSH key for hosts",
    remedy: "remove the file for a new key, and add it to the hosts (host ssh-key)",
  },
  { name: "tls.pem", noun: "TLS key", remedy: "a new certificate was made" },
];
