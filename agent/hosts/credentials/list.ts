/** The credentials of this KVM Manager, and what uses them. */
import type { DatabaseSync } from "node:sqlite";
import {
  type AlertTarget,
  type BackupTarget,
  ContractError,
  type Credential,
  type CredentialUse,
  type HostFault,
  type MetricPush,
} from "../../../lib/contract/mod.ts";
import { secretsIn } from "../../sealing/sealed_values.ts";
import type { Store } from "../../store/store.ts";
import { DATABASE_FILE } from "../../store/database.ts";
import { undefinedIfMissing } from "../../machine/files.ts";
import { isLink } from "../linked/linked_host.ts";
import type { Peers } from "../linked/peers.ts";
import type { HostRecords } from "../records.ts";
import type { SshFiles } from "../ssh/files.ts";
import { sshHostsOf } from "../ssh/rotate_key.ts";

/** Sources of the list of credentials: the data folder, peers, hosts, SSH files, the database, and listeners. */
export interface CredentialSources {
  readonly settings: { readonly dataDir: string };
  readonly peers: Peers;
  readonly hostRecords: HostRecords;
  readonly ssh: SshFiles;
  readonly store: Store;
  /** Undefined until the listeners are open. */
  readonly doors: {
    readonly addresses: readonly string[];
    readonly certificates: ServedCertificate | undefined;
  } | undefined;
}

interface ServedCertificate {
  readonly about: { readonly subject: string; readonly fingerprint: string; readonly notBefore: number };
  readonly keyFile: string;
}

const used = (kind: CredentialUse["kind"], name: string, usedAt: number | null = null): CredentialUse => ({
  kind,
  name,
  usedAt,
});

/** When a file was written, in milliseconds since 1970; null where it is not there. */
const writtenAt = async (path: string): Promise<number | null> =>
  (await undefinedIfMissing(Deno.stat(path)))?.mtime?.getTime() ?? null;

export const storeUnavailable = ({ trouble }: Store, cause?: unknown) =>
  new ContractError("StoreUnavailable", { reason: trouble ?? "it is not open" }, { cause });

/** Credentials that cannot be read, each with its remedy. */
export const unreadFaults = ({ secrets }: Store, database: DatabaseSync): HostFault[] =>
  secrets.unread(database).map(({ what: host, remedy }) => ({
    host,
    reason: `${
      secrets.fault ?? "it is sealed with another key"
    }. Put the key back in ${secrets.keyFile} and restart KVM Manager, or ${remedy}`,
  }));

/** The key that all other secrets at rest are sealed with; none until there is a secret. @throws {ContractError} StoreUnavailable */
async function encryptionKey({ store }: CredentialSources): Promise<Credential[]> {
  const database = store.open(), { secrets } = store;
  if (database === undefined) throw storeUnavailable(store);
  if (secrets.keyId === undefined && secrets.fault === undefined) return [];
  return [{
    id: "encryption-key",
    kind: "encryption-key",
    name: "KVM Manager",
    rotatable: true,
    place: secrets.keyFile,
    publicKey: null,
    since: await writtenAt(secrets.keyFile),
    uses: secretsIn(database).map(({ what }) => used("secret", what)),
    faults: unreadFaults(store, database),
  }];
}

const UNREADABLE: ReadonlySet<string> = new Set(["SecretUnreadable", "EncryptionKeyMissing"]);

/** Result of a read, or undefined if the key for it is missing. */
async function readable<T>(look: Promise<T>): Promise<T | undefined> {
  try {
    return await look;
  } catch (error) {
    if (error instanceof ContractError && UNREADABLE.has(error.code)) return undefined;
    throw error;
  }
}

async function linkKey({ peers, hostRecords }: CredentialSources): Promise<Credential> {
  const { file } = peers.identity, publicKey = (await readable(peers.identity.ready()))?.publicKey ?? null;
  return {
    id: "link-key",
    kind: "link-key",
    name: "KVM Manager",
    place: file,
    publicKey,
    rotatable: true,
    since: await writtenAt(file),
    uses: [
      ...hostRecords.all().filter(isLink).map(({ label }) => used("host", label)),
      ...peers.records.all().map(({ id, name }) => used("peer", name, peers.lastUsed(id) ?? null)),
    ],
    faults: [],
  };
}

/** The key for hosts that are reached by SSH; none until it was made. */
async function sshKey(
  { ssh, hostRecords }: CredentialSources,
  faults: readonly HostFault[],
): Promise<Credential[]> {
  const since = await writtenAt(ssh.key);
  if (since === null) return [];
  return [{
    id: "ssh-key",
    kind: "ssh-key",
    name: "KVM Manager",
    place: ssh.key,
    since,
    rotatable: true,
    publicKey: await readable(ssh.publicKey()) ?? null,
    uses: sshHostsOf(hostRecords.all()).map(({ label }) => used("host", label)),
    faults: [...faults],
  }];
}

function certificate({ doors }: CredentialSources): Credential[] {
  if (doors?.certificates === undefined) return [];
  const { about: { subject, fingerprint, notBefore }, keyFile } = doors.certificates;
  return [{
    id: "tls-certificate",
    kind: "tls-certificate",
    name: subject,
    place: keyFile,
    rotatable: false,
    publicKey: fingerprint,
    since: notBefore,
    uses: doors.addresses.filter((address) => address.startsWith("https:")).map((address) =>
      used("address", address)
    ),
    faults: [],
  }];
}

/** The passwords that hosts' libvirts ask for. */
const hostPasswords = ({ hostRecords }: CredentialSources, place: string): Credential[] =>
  hostRecords.all().flatMap(({ id, label, unreadLogin, login = unreadLogin }) =>
    login === undefined ? [] : [{
      id: `host-password:${id}`,
      kind: "host-password" as const,
      name: login.username,
      place,
      since: login.since,
      publicKey: null,
      rotatable: false,
      uses: [used("host", label)],
      faults: [],
    }]
  );

/**
 * All of them; of targets those that have a secret.
 *
 * @param faults of hosts, of the last rotation of the SSH key
 */
export async function allCredentials(
  sources: CredentialSources,
  targets: {
    readonly alerts: readonly AlertTarget[];
    readonly backups: readonly BackupTarget[];
    readonly push: MetricPush;
  },
  faults: readonly HostFault[],
): Promise<Credential[]> {
  const place = `${sources.settings.dataDir}/${DATABASE_FILE}`;
  const ofTarget = (
    kind: "alert-target" | "backup-target",
    { id, name, address }: { readonly id: string; readonly name: string; readonly address: string },
    more: { readonly since: number | null; readonly usedAt: number | null },
  ): Credential => ({
    id: `${kind}:${id}`,
    kind,
    name,
    place,
    publicKey: null,
    rotatable: false,
    since: more.since,
    uses: [used("target", address, more.usedAt)],
    faults: [],
  });
  const { push } = targets;
  return [
    await linkKey(sources),
    ...await sshKey(sources, faults),
    ...certificate(sources),
    ...await encryptionKey(sources),
    ...hostPasswords(sources, place),
    ...targets.alerts.filter(({ hasSecret }) => hasSecret).map((target) =>
      ofTarget("alert-target", target, { since: null, usedAt: target.lastSentAt ?? null })
    ),
    ...targets.backups.filter(({ hasSecret, encrypted }) => hasSecret || encrypted).map((target) =>
      ofTarget("backup-target", target, { since: target.createdAt, usedAt: null })
    ),
    ...push.headers.length === 0 ? [] : [{
      id: "metrics-push",
      kind: "metrics-push" as const,
      name: push.headers.join(", "),
      place,
      publicKey: null,
      rotatable: false,
      since: null,
      faults: [],
      uses: [used("target", push.address ?? "", push.lastSentAt)],
    }],
  ];
}
