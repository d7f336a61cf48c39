/** Fields of the kinds of backup targets: one table for the server and the form. Pure. */
import type { BackupTargetKind } from "../contract/backup_targets.ts";
import { message, type Sentence } from "../i18n/message.ts";

/** A kind's fields. */
export interface TargetFieldsOf {
  readonly needs: readonly string[];
  readonly may: readonly string[];
  /** Those that say which server gets the secrets. */
  readonly server: readonly string[];
  /** Its secrets. */
  readonly secrets: readonly string[];
}

export const TARGET_FIELDS: Readonly<Record<BackupTargetKind, TargetFieldsOf>> = {
  folder: { needs: ["folder"], may: [], server: [], secrets: [] },
  pool: { needs: ["pool"], may: [], server: [], secrets: [] },
  s3: {
    needs: ["endpoint", "bucket", "accessKey", "secretKey"],
    may: ["region", "prefix", "pathStyle", "certificate", "privateAddresses"],
    server: ["endpoint"],
    secrets: ["secretKey"],
  },
  sftp: {
    needs: ["server", "user", "path"],
    may: ["port", "hostKey", "privateAddresses"],
    server: ["server", "port", "hostKey"],
    secrets: ["password", "privateKey"],
  },
};

/** Reason why a target is refused as a whole. */
export interface TargetRefusal {
  readonly field: string;
  readonly reason: Sentence;
}

const OTHERS = ["name", "kind", "passphrase", "passphraseAgain", "id"];

/** Looks whether a target has the fields of its kind, and no others. @param given its fields that are not empty */
export function targetRefusal(
  kind: BackupTargetKind,
  given: Readonly<Record<string, unknown>>,
): TargetRefusal | undefined {
  const { needs, may, secrets } = TARGET_FIELDS[kind];
  const missing = needs.find((field) => given[field] === undefined);
  if (missing !== undefined) return { field: missing, reason: message`is needed for ${kind}` };
  const known = new Set([...needs, ...may, ...secrets, ...OTHERS]);
  const foreign = Object.keys(given).find((field) => given[field] !== undefined && !known.has(field));
  if (foreign !== undefined) return { field: foreign, reason: message`must be empty for ${kind}` };
  if (kind === "sftp" && given.password === undefined && given.privateKey === undefined) {
    return { field: "password", reason: "or a private key is needed for sftp" };
  }
  return undefined;
}
