/** Stores of targets, and the keys that open their content. */
import { isDeepStrictEqual } from "node:util";
import { ContractError } from "../../lib/contract/mod.ts";
import { describePool } from "../../lib/formats/xml/pool.ts";
import type { Clock } from "../clock.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import { requireActive } from "../storage/shared.ts";
import { plainCodec, type StoreCodec } from "./codec.ts";
import type { StoredBackup } from "./records.ts";
import { Repository, type Unlock } from "./repository.ts";
import { WrongPassphrase } from "../sealing/passphrase.ts";
import { newEncryption, openDataKey, sealedCodec } from "./sealed_codec.ts";
import { FOLDER_POOLS } from "./spool.ts";
import { FolderStore } from "./store/folder.ts";
import { S3Store } from "./store/s3.ts";
import { SftpStore } from "./store/sftp.ts";
import { type BackupStore, targetUnusable } from "./store/store.ts";
import type { TargetRecord, TargetRecords } from "./target_records.ts";
import { message } from "../../lib/i18n/message.ts";

/** The fields that a target is reached with. */
export type TargetPlace = Omit<
  TargetRecord,
  "name" | "repository" | "createdAt" | "encryption" | "dataKey" | "unread"
>;

/** Services of stores. */
export interface StoreContext {
  readonly clock: Clock;
  readonly host: () => LibvirtHost;
}

/** The folder of a pool. @throws {ContractError} StoragePoolNotFound, StorageUnknown, BackupTargetUnusable */
function poolFolder(host: LibvirtHost, pool: string): string {
  let record;
  try {
    record = requireActive(host, pool);
  } catch (error) {
    if (!(error instanceof ContractError) || error.code !== "StoragePoolNotActive") throw error;
    throw targetUnusable(pool, "the storage pool is stopped. Start it first", error);
  }
  const { type, path } = describePool(record.xml);
  if (!FOLDER_POOLS.has(type) || path === undefined) {
    throw targetUnusable(
      pool,
      message`a storage pool of type ${type} keeps no files. Take one of type dir, fs or netfs`,
    );
  }
  return path;
}

const withoutSlash = (endpoint: string) => endpoint.replace(/\/+$/, "");

/** Kind → its store. */
const STORES: {
  readonly [K in TargetRecord["kind"]]: (place: TargetPlace, context: StoreContext) => BackupStore;
} = {
  folder: ({ folder = "" }) => new FolderStore(folder),
  pool: ({ pool = "" }, { host }) => new FolderStore(poolFolder(host(), pool)),
  s3: (place, { clock }) =>
    new S3Store({
      endpoint: withoutSlash(place.endpoint ?? ""),
      region: place.region ?? "us-east-1",
      bucket: place.bucket ?? "",
      prefix: place.prefix ?? "",
      accessKey: place.accessKey ?? "",
      secretKey: place.secretKey ?? "",
      pathStyle: place.pathStyle ?? true,
      ca: place.certificate,
      privateAddresses: place.privateAddresses ?? false,
    }, { owner: place.id, clock }),
  sftp: (place, { clock }) =>
    new SftpStore({
      host: place.server ?? "",
      port: place.port ?? 22,
      user: place.user ?? "",
      password: place.password,
      privateKey: place.privateKey,
      hostKey: place.hostKey,
      path: place.path ?? "",
      privateAddresses: place.privateAddresses ?? false,
    }, { owner: place.id, clock }),
};

/** The store of a target. @throws {ContractError} for a pool that cannot be one */
export const storeOf = (place: TargetPlace, context: StoreContext): BackupStore =>
  STORES[place.kind](place, context);

/** Address of a target, for people. */
export function addressOf(place: TargetPlace): string {
  if (place.kind === "folder") return place.folder ?? "";
  if (place.kind === "pool") return place.pool ?? "";
  const nothing: StoreContext = {
    clock: { now: () => 0 } as Clock,
    host: () => {
      throw new Error("no pool is asked for");
    },
  };
  return storeOf(place, nothing).label;
}

/** Identity and encryption of a target after the first connection. */
export type JoinedTarget = Pick<TargetRecord, "repository" | "encryption" | "dataKey">;

/**
 * Connects to a place, and makes it ready.
 *
 * @param passphrase for encryption; undefined: not encrypted
 * @throws {ContractError} BackupPassphraseNeeded, BackupPassphraseWrong, BackupTargetUnusable, …
 */
export async function join(store: BackupStore, passphrase: string | undefined): Promise<JoinedTarget> {
  let made: Awaited<ReturnType<typeof newEncryption>> | undefined, dataKey: string | undefined;
  const unlock: Unlock = async (description) => {
    const { id, encryption } = description;
    if (encryption === undefined) {
      if (passphrase === undefined) return plainCodec;
      throw targetUnusable(
        store.label,
        "it holds backups that are not encrypted. Leave the passphrase empty, or take another place",
      );
    }
    if (passphrase === undefined) throw new ContractError("BackupPassphraseNeeded", { target: store.label });
    dataKey = made !== undefined && isDeepStrictEqual(made.description, description)
      ? made.dataKey
      : await dataKeyOf({ name: store.label, repository: id, encryption }, passphrase);
    return sealedCodec(id, dataKey);
  };
  const { description: { id, encryption } } = passphrase === undefined
    ? await Repository.make(store)
    : await Repository.make(store, async () => (made = await newEncryption(passphrase)).description, unlock);
  return {
    repository: id,
    ...(encryption !== undefined && dataKey !== undefined && { encryption, dataKey }),
  };
}

/** Opens a store with the target's own key: a store whose encryption is not the recorded one is not written to. */
function unlockOf(store: BackupStore, { encryption, dataKey }: JoinedTarget): Unlock {
  return ({ id, encryption: now }): StoreCodec => {
    if (isDeepStrictEqual(encryption, now)) {
      return dataKey === undefined ? plainCodec : sealedCodec(id, dataKey);
    }
    if (encryption === undefined) throw new ContractError("BackupPassphraseNeeded", { target: store.label });
    throw targetUnusable(
      store.label,
      "its repository.json says another thing of its encryption than before. Nothing was sent to it",
    );
  };
}

/**
 * The key of an encrypted target, by its passphrase.
 *
 * @throws {ContractError} InvalidInput for one that is not encrypted, BackupPassphraseWrong
 */
export async function dataKeyOf(
  { name, repository, encryption }: Pick<TargetRecord, "name" | "repository" | "encryption">,
  passphrase: string,
): Promise<string> {
  if (encryption === undefined) {
    throw new ContractError("InvalidInput", {
      field: "passphrase",
      reason: "passphrase must be empty: the backups there are not encrypted",
    });
  }
  try {
    return await openDataKey({ id: repository, encryption }, passphrase);
  } catch (error) {
    if (!(error instanceof WrongPassphrase)) throw error;
    throw new ContractError("BackupPassphraseWrong", { target: name }, { cause: error });
  }
}

/** The backups of a target. @throws {ContractError} BackupTargetUnusable, BackupFolderUnusable, … */
export async function openTarget(
  target: TargetPlace & JoinedTarget,
  context: StoreContext,
): Promise<Repository> {
  const store = storeOf(target, context);
  try {
    return await Repository.open(store, target.repository, unlockOf(store, target));
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** The backups of where a backup goes. @throws {ContractError} BackupTargetNotFound, SecretUnreadable, and those of {@link openTarget} */
export async function openBackup(
  { folder, repository, targetId }: Pick<StoredBackup, "folder" | "repository" | "targetId">,
  targets: TargetRecords,
  context: StoreContext,
): Promise<Repository> {
  if (targetId !== undefined) return await openTarget(targets.readable(targetId), context);
  return await Repository.open(new FolderStore(folder), repository);
}
