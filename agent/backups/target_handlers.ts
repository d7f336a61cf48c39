/** The commands on backup targets. Their secrets are taken, and never given. */
import { secretText } from "../../lib/text/secret_text.ts";
import { TARGET_FIELDS, type TargetRefusal, targetRefusal } from "../../lib/backup/target_fields.ts";
import {
  type BackupTarget,
  type backupTargetCommands,
  ContractError,
  type Input,
  MOST_BACKUP_TARGETS,
} from "../../lib/contract/mod.ts";
import type { Handlers } from "../dispatch.ts";
import { log } from "../log.ts";
import { requireUnshared } from "../storage/guest_folders.ts";
import { type Unread, withoutGiven } from "../sealing/sealed_values.ts";
import type { BackupRecords } from "./records.ts";
import { FolderStore } from "./store/folder.ts";
import type { BackupStore } from "./store/store.ts";
import type { TargetRecord, TargetRecords } from "./target_records.ts";
import { addressOf, dataKeyOf, join, openTarget, type StoreContext, storeOf } from "./targets.ts";
import { message } from "../../lib/i18n/message.ts";

/** Services for the commands on backup targets: stores, records of targets and backups, and whether a backup runs. */
export interface TargetContext extends StoreContext {
  readonly targets: TargetRecords;
  readonly backups: BackupRecords;
  /** Whether a backup runs. */
  readonly isRunning: (backupId: string) => boolean;
}

/** Bytes of what a test writes. */
const PROBE_BYTES = 64 * 1024;

const invalid = ({ field, reason }: TargetRefusal) =>
  new ContractError("InvalidInput", { field, reason: message`${field} ${reason}` });

/** A path without what is no part of it. @throws {ContractError} InvalidInput */
export function folderIn(path: string): string {
  const parts = path.split("/").filter((part) => part !== "");
  if (parts.length === 0 || parts.some((part) => part === "." || part === "..")) {
    throw new ContractError("InvalidInput", {
      reason: "folder must be an absolute path without . and ..",
      field: "folder",
    });
  }
  return `/${parts.join("/")}`;
}

/**
 * The folder of this host that a target's copies are in, as it is kept: the pool that it is given by may be called otherwise.
 *
 * @throws {ContractError} PathRefused where a guest writes to it
 */
async function keptIn(
  store: BackupStore,
  { host }: StoreContext,
): Promise<Pick<TargetRecord, "copiesFolder">> {
  if (!(store instanceof FolderStore)) return {};
  await requireUnshared(host(), store.folder);
  return { copiesFolder: store.folder };
}

type Fields = Omit<Input<"update_backup_target">, "backupTargetId" | "name" | "passphrase">;

/** The fields of a place as they are kept. @throws {ContractError} InvalidInput */
function plainFields({ folder, path, ...rest }: Fields): Fields {
  if (path?.split("/").includes("..")) throw invalid({ field: "path", reason: "must not hold .." });
  return {
    ...rest,
    ...(folder !== undefined && { folder: folderIn(folder) }),
    ...(path !== undefined && { path }),
  };
}

/** Secrets of a place that are there, although they cannot be read. */
const unreadFields = ({ dataKey: _key, ...place }: Unread = {}): Unread => place;

/** A secret that was taken for one server is not sent to another. */
function strangerRefusal(
  before: TargetRecord,
  after: TargetRecord,
  given: Fields,
): TargetRefusal | undefined {
  const { server, secrets } = TARGET_FIELDS[after.kind];
  const at = (target: TargetRecord, field: string) =>
    target[field as keyof TargetRecord] ?? target.unread?.[field];
  if (server.every((field) => at(before, field) === at(after, field))) return undefined;
  const kept = secrets.find((field) =>
    at(after, field) !== undefined && given[field as keyof Fields] === undefined
  );
  return kept === undefined
    ? undefined
    : { field: kept, reason: "must be given again: the server is another one" };
}

/** A handler for each of them. */
export function targetHandlers(
  { targets, backups, isRunning, ...context }: TargetContext,
): Pick<Handlers, keyof typeof backupTargetCommands> {
  const usedBy = (id: string) => backups.all().filter(({ targetId }) => targetId === id);
  const shown = (target: TargetRecord): BackupTarget => {
    const { secretKey, password, privateKey, dataKey: _key, encryption, unread, ...kept } = target;
    const { repository: _id, copiesFolder: _folder, ...rest } = kept;
    return {
      ...rest,
      address: addressOf(target),
      encrypted: encryption !== undefined,
      hasSecret: [secretKey, password, privateKey].some((secret) => secret !== undefined) ||
        Object.keys(unread ?? {}).some((field) => field !== "dataKey"),
      backups: usedBy(target.id).map(({ name }) => name),
    };
  };
  const requireFree = (name: string, but?: string) => {
    const isTaken = targets.all().some((each) => each.name === name && each.id !== but);
    if (isTaken) throw new ContractError("BackupTargetExists", { name });
  };
  return {
    list_backup_targets: () => targets.require().all().map(shown),
    create_backup_target: async ({ passphrase, passphraseAgain, name, kind, ...given }) => {
      const fields = plainFields(given);
      const refusal = targetRefusal(kind, fields);
      if (refusal !== undefined) throw invalid(refusal);
      if (passphraseAgain !== undefined && secretText(passphraseAgain) !== secretText(passphrase ?? "")) {
        throw invalid({ field: "passphraseAgain", reason: "is not the same passphrase" });
      }
      targets.require();
      requireFree(name);
      if (targets.all().length >= MOST_BACKUP_TARGETS) {
        throw new ContractError("TooManyBackupTargets", { limit: MOST_BACKUP_TARGETS });
      }
      const place = { id: crypto.randomUUID(), kind, ...fields };
      const store = storeOf(place, context), kept = await keptIn(store, context);
      let joined;
      try {
        joined = await join(store, passphrase);
      } finally {
        await store.close();
      }
      requireFree(name);
      const target: TargetRecord = { ...place, name, ...kept, ...joined, createdAt: context.clock.now() };
      targets.put(target);
      return shown(target);
    },
    update_backup_target: async ({ backupTargetId, name, passphrase, ...given }) => {
      const before = targets.find(backupTargetId);
      const running = usedBy(backupTargetId).find(({ id }) => isRunning(id));
      if (running !== undefined) throw new ContractError("BackupRunning", { name: running.name });
      const changed: TargetRecord = withoutGiven({
        ...before,
        ...plainFields(given),
        ...(name !== undefined && { name }),
        ...(passphrase !== undefined && { dataKey: await dataKeyOf(before, passphrase) }),
      });
      const { repository: _id, encryption: _encryption, dataKey: _key, createdAt: _at, ...place } = changed;
      const { copiesFolder: _folder, unread, ...fields } = place;
      const refusal = targetRefusal(changed.kind, { ...unreadFields(unread), ...fields }) ??
        strangerRefusal(before, changed, given);
      if (refusal !== undefined) throw invalid(refusal);
      if (name !== undefined) requireFree(name, backupTargetId);
      const isMoved = Object.keys(given).length > 0 || passphrase !== undefined;
      if (isMoved && unread !== undefined) throw targets.unreadable(changed);
      const kept = isMoved ? await keptIn(storeOf(changed, context), context) : {};
      const after = { ...changed, ...kept };
      if (isMoved) await (await openTarget(after, context)).store.close();
      targets.find(backupTargetId);
      targets.put(after);
      return shown(after);
    },
    delete_backup_target: ({ backupTargetId }) => {
      const { name } = targets.find(backupTargetId), [user] = usedBy(backupTargetId);
      if (user !== undefined) throw new ContractError("BackupTargetInUse", { name, backup: user.name });
      targets.remove(backupTargetId);
      return null;
    },
    test_backup_target: async ({ backupTargetId }) => {
      const start = context.clock.monotonic();
      const { store, codec } = await openTarget(targets.readable(backupTargetId), context);
      try {
        const name = `locks/test-${crypto.randomUUID()}`;
        const content = crypto.getRandomValues(new Uint8Array(PROBE_BYTES));
        await store.write(name, await codec.seal(name, content));
        try {
          const back = await codec.unseal(name, await store.read(name, PROBE_BYTES + codec.overhead));
          if (back.some((byte, index) => byte !== content[index]) || back.length !== content.length) {
            throw new ContractError("BackupTargetUnusable", {
              target: store.label,
              reason: "it gives back something else than was written",
            });
          }
        } finally {
          await store.remove(name).catch((error) => log.debug("what a test wrote is left", { error }));
        }
        return {
          freeBytes: await store.freeBytes() ?? null,
          milliseconds: Math.round(context.clock.monotonic() - start),
        };
      } finally {
        await store.close();
      }
    },
  };
}
