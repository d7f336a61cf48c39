/** Keys, certificates and passwords by which KVM Manager is known to others. Secrets are never shown. */
import Type, { type Static } from "typebox";
import { command } from "./command.ts";
import { closed, NOTHING_IN, oneOf, Timestamp } from "./schema.ts";

/** Credentials that KVM Manager makes itself, and replaces on command. */
export const ROTATED_CREDENTIALS = ["link-key", "ssh-key", "encryption-key"] as const;
export const CREDENTIAL_KINDS = [
  ...ROTATED_CREDENTIALS,
  "tls-certificate",
  "host-password",
  "alert-target",
  "backup-target",
  "metrics-push",
] as const;

const CredentialUse = Type.Object({
  kind: oneOf(["host", "peer", "address", "target", "secret"], {
    description:
      "peer: a KVM Manager that may act on this host; secret: what is sealed with the encryption key",
  }),
  name: Type.String(),
  usedAt: Type.Union([Timestamp, Type.Null()], {
    description: "when it was used there last, since the start; null where that is not known",
  }),
});
export type CredentialUse = Static<typeof CredentialUse>;

const HostFault = Type.Object({ host: Type.String(), reason: Type.String() });
export type HostFault = Static<typeof HostFault>;

export const Credential = Type.Object({
  id: Type.String(),
  kind: oneOf(CREDENTIAL_KINDS),
  name: Type.String({ description: "of what has it" }),
  place: Type.String({ description: "path of its file, readable by KVM Manager's user alone" }),
  publicKey: Type.Union([Type.String(), Type.Null()], {
    description: "what others know it by; of a certificate its SHA-256",
  }),
  since: Type.Union([Timestamp, Type.Null()]),
  rotatable: Type.Boolean({ description: "`rotate_credential` replaces it" }),
  uses: Type.Array(CredentialUse),
  faults: Type.Array(HostFault, {
    description:
      "hosts that the key does not open, or that the one before still opens, since the last rotation; of the encryption " +
      "key, what cannot be read",
  }),
});
export type Credential = Static<typeof Credential>;

const MANAGE = { role: "administrator", permission: "host.administer", withoutLibvirt: true } as const;

export const credentialCommands = {
  list_credentials: command({
    ...MANAGE,
    readOnly: true,
    summary: "List the keys, certificates and passwords of KVM Manager",
    description:
      "Where each is kept, since when, and what uses it. Secrets are not shown. What cannot be read is a fault of the " +
      "encryption key.",
    input: NOTHING_IN,
    output: Type.Array(Credential),
    errors: ["HostUnreachable", "StoreUnavailable"],
    route: "GET /credentials",
    cli: ["credential", "list"],
    columns: ["id", "name", "since", "uses", "place"],
    wide: ["publicKey", "rotatable"],
  }),
  rotate_credential: command({
    ...MANAGE,
    readOnly: false,
    activityFor: "administrators",
    confirms: true,
    summary: "Replace a key of KVM Manager",
    description:
      "The link key: linked hosts learn the new one when they connect next. The SSH key: each host gets the new one " +
      "before the one before is removed there. The encryption key: every secret is sealed with the new one; copies of the " +
      "database of before, which are not sealed by a passphrase, can no longer be read.",
    input: closed({
      credentialId: oneOf(ROTATED_CREDENTIALS),
      force: Type.Optional(Type.Boolean({
        default: false,
        description: "the SSH key: although it cannot be replaced on some hosts",
      })),
    }),
    output: Type.Object({
      publicKey: Type.String(),
      faults: Type.Array(HostFault, {
        description: "hosts that the new key does not open, or that the one before still opens",
      }),
    }),
    errors: [
      "SshKeyNotRotated",
      "HostUnreachable",
      "PasswordNeeded",
      "StoreUnavailable",
      "EncryptionKeyMissing",
      "SecretUnreadable",
    ],
    route: "POST /credentials/{credentialId}/rotate",
    cli: ["credential", "rotate", "<credentialId>"],
    examples: ["kvm-manager credential rotate ssh-key"],
    destroys: "the key before it, which opens nothing any more",
  }),
};
