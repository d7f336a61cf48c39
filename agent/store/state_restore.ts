/** Restores a saved state: the files of the data folder and the settings, each of which is kept aside. */
import { basename, dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { clauseOf, messageOf } from "../../lib/text/message.ts";
import { state } from "../../lib/i18n/en/state.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { log } from "../log.ts";
import { type NotTakenBack, Rollback } from "../rollback.ts";
import type { Bytes } from "../sealing/aes_gcm.ts";
import { givenCredential, KeyFile, KeyFileError } from "../sealing/key_file.ts";
import { openByPassphrase, WrongPassphrase } from "../sealing/passphrase.ts";
import { Secrets } from "../sealing/secrets.ts";
import type { UnreadSecret } from "../sealing/sealed_values.ts";
import { asOwner } from "./as_owner.ts";
import { DATABASE_FILE } from "./database.ts";
import { keepRevoked, type Revoked } from "./revoked.ts";
import {
  ABOUT_KEY,
  isClosedKey,
  KEY_PART,
  readSafely,
  SETTINGS_PART,
  StateError,
  type StateKey,
  type StatePlace,
} from "./state.ts";

const { t } = textsOf(state);

/**
 * Puts a saved state in the place of the present one, which is kept aside in the data folder. The server must
 * not run.
 *
 * @param revive whether revocations since then are dropped
 * @param key opens the key in the file; without it, secrets are read with the key that is here
 * @returns the folder that the present state was moved to, the names that stay revoked, and the secrets that
 *   cannot be read
 * @throws {StateError} when the file is damaged or too new, or the passphrase is wrong: nothing was changed
 *   then
 */
export async function putBack(
  { dataDir, config }: StatePlace,
  file: string,
  revive = false,
  key: StateKey = {},
): Promise<PutBack> {
  const { parts } = await readSafely(dataDir, file);
  await Deno.mkdir(dataDir, { recursive: true, mode: 0o700 });
  const settings = parts.get(SETTINGS_PART), closed = parts.get(KEY_PART);
  parts.delete(SETTINGS_PART);
  parts.delete(KEY_PART);
  const { passphrase } = key;
  const putKeyBack = closed === undefined || passphrase === undefined
    ? () => {}
    : await takeKey(dataDir, closed, { ...key, passphrase });
  const stamp = new Date().toISOString().replaceAll(/[:.]/g, "-");
  try {
    const { aside, rollback, revoked } = await asOwner(
      dataDir,
      () => exchange(dataDir, parts, stamp, revive),
    );
    try {
      if (settings !== undefined) await putSettings(config, settings, stamp);
    } catch (error) {
      throw withLeft(error, await asOwner(dataDir, () => rollback.run()));
    }
    return { aside, revoked, unread: await asOwner(dataDir, () => unreadIn(dataDir, key)) };
  } catch (error) {
    await asOwner(dataDir, putKeyBack);
    if (error instanceof StateError) throw error;
    throw new StateError(t("state.not_put_back", { reason: messageOf(error) }), {
      cause: error,
    });
  }
}

/** Result of a restore. */
interface PutBack {
  /** Folder of the state before it. */
  readonly aside: string;
  readonly revoked: Revoked | undefined;
  /** Secrets that the key here does not open. */
  readonly unread: readonly UnreadSecret[];
}

/** Has the key of a saved state open what is sealed here, too. @returns puts what was there before back @throws {StateError} */
async function takeKey(
  dataDir: string,
  part: Uint8Array,
  { passphrase, credential }: StateKey & { passphrase: string },
): Promise<() => void> {
  let closed: unknown;
  try {
    closed = JSON.parse(new TextDecoder().decode(part));
  } catch {
    closed = undefined; // said below
  }
  if (!isClosedKey(closed)) throw new StateError(t("state.part_wrong", { name: KEY_PART }));
  let key: Bytes;
  try {
    key = await openByPassphrase(passphrase, ABOUT_KEY, closed);
  } catch (error) {
    if (!(error instanceof WrongPassphrase)) throw error;
    throw new StateError(t("state.wrong_passphrase"), { cause: error });
  }
  const file = new KeyFile(dataDir, credential ?? (() => givenCredential()));
  try {
    return await asOwner(dataDir, () => withKey(file, key));
  } catch (error) {
    if (!(error instanceof KeyFileError)) throw error;
    throw new StateError(t("state.no_key", { reason: error.message }), { cause: error });
  }
}

/** Puts a key into the file. @returns puts what was there before back @throws {KeyFileError} */
function withKey(file: KeyFile, key: Bytes): () => void {
  let present: ReturnType<KeyFile["read"]>, aside: string | undefined;
  try {
    present = file.read();
  } catch (error) {
    if (!(error instanceof KeyFileError)) throw error;
    aside = file.putAside();
    log.warn("the encryption key that is here cannot be read: it is kept aside", {
      reason: error.message,
      kept: aside,
    });
  }
  const isHere = present?.some((each) => each.toHex() === key.toHex()) ?? false;
  if (isHere) return () => {};
  // The service seals it when it starts. It seals everything with the first one then, and forgets the other
  if (present === undefined) file.write([key], false);
  else file.write([...present, key], file.isSealed);
  const kept = present, { path } = file;
  return () => {
    if (kept !== undefined) return file.write(kept, file.isSealed);
    if (aside === undefined) Deno.removeSync(path);
    else Deno.renameSync(aside, path);
  };
}

/** Secrets in the database of a data folder that its key does not open. */
function unreadIn(dataDir: string, { credential = () => givenCredential() }: StateKey): UnreadSecret[] {
  const secrets = new Secrets(dataDir, credential).readKey();
  const database = new DatabaseSync(join(dataDir, DATABASE_FILE), { readOnly: true });
  // Not by `using`: the bundler would put the database into the statement that reads it once
  try {
    return secrets.unread(database);
  } finally {
    database.close();
  }
}

/** The error of a restore; it says so when something is not as it was before. */
function withLeft(error: unknown, left: readonly NotTakenBack[]): unknown {
  if (left.length === 0) return error;
  const parts = left.map(({ what, error }) => `${what} (${messageOf(error)})`).join(", ");
  return new Error(`${messageOf(error)}. Not as before: ${parts}`, { cause: error });
}

/**
 * Puts files in the place of those of the data folder, which are moved aside. @throws the error, after the
 * files were moved back
 */
async function exchange(
  dataDir: string,
  parts: ReadonlyMap<string, Uint8Array>,
  stamp: string,
  revive: boolean,
): Promise<{ aside: string; rollback: Rollback; revoked: Revoked | undefined }> {
  const aside = join(dataDir, `replaced-${stamp}`);
  const staging = await Deno.makeTempDir({ dir: dataDir, prefix: ".restore-" });
  const rollback = new Rollback();
  try {
    for (const [name, bytes] of parts) {
      const path = join(staging, name);
      await Deno.mkdir(dirname(path), { recursive: true, mode: 0o700 });
      await Deno.writeFile(path, bytes, { mode: 0o600 });
    }
    check(join(staging, "data", DATABASE_FILE));
    forgetOperations(join(staging, "data", DATABASE_FILE));
    const revoked = revive ? undefined : withoutRevoked(join(staging, "data", DATABASE_FILE), dataDir);
    await Deno.mkdir(aside, { mode: 0o700 });
    // The -wal file holds the newest of the old state: it goes along, and must not meet the new one
    const old = [DATABASE_FILE, `${DATABASE_FILE}-wal`, `${DATABASE_FILE}-shm`];
    const tops = [...new Set([...parts.keys()].map((name) => name.split("/")[1]!).filter(Boolean))];
    for (const name of new Set([...old, ...tops])) {
      if (await move(join(dataDir, name), join(aside, name))) {
        rollback.add(`${name}, moved aside`, () => move(join(aside, name), join(dataDir, name)));
      }
    }
    for (const name of tops) {
      const to = join(dataDir, name);
      await Deno.rename(join(staging, "data", name), to);
      rollback.add(`${name}, put in its place`, () => Deno.remove(to, { recursive: true }));
    }
    return { aside, rollback, revoked };
  } catch (error) {
    throw withLeft(error, await rollback.run());
  } finally {
    await Deno.remove(staging, { recursive: true });
  }
}

/**
 * Deletes operations that were under way when a state was saved: the VMs they were making may be in use for
 * long.
 */
function forgetOperations(path: string): void {
  using database = new DatabaseSync(path);
  const has = database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'operations'").get() !== undefined;
  if (has) database.exec("DELETE FROM operations");
}

/** Takes out of a saved database what was revoked since, as far as the present one can tell. */
function withoutRevoked(path: string, dataDir: string): Revoked {
  using saved = new DatabaseSync(path);
  let present: DatabaseSync | undefined;
  try {
    present = new DatabaseSync(join(dataDir, DATABASE_FILE), { readOnly: true });
    return keepRevoked(saved, present);
  } catch (error) {
    // A present one that is missing or damaged is why most are put back
    log.debug("what was revoked since cannot be read", { error });
    return keepRevoked(saved, undefined);
  } finally {
    present?.close();
  }
}

/** Settings that say the same stay; others are kept next to the new ones. */
async function putSettings(config: string, settings: Uint8Array, stamp: string): Promise<void> {
  const text = new TextDecoder().decode(settings);
  let mode = 0o640, gid: number | null = null;
  try {
    if (await Deno.readTextFile(config) === text) return;
    ({ mode, gid } = await Deno.stat(config) as { mode: number; gid: number });
    await Deno.rename(config, `${config}.replaced-${stamp}`);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    await Deno.mkdir(dirname(config), { recursive: true, mode: 0o750 });
  }
  await Deno.writeTextFile(config, text, { mode: mode & 0o777 });
  if (gid !== null && Deno.uid() === 0) await Deno.chown(config, 0, gid);
}

async function move(from: string, to: string): Promise<boolean> {
  try {
    await Deno.rename(from, to);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** @throws {StateError} when SQLite finds anything wrong with it */
function check(path: string): void {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    const found = database.prepare("PRAGMA integrity_check(1)").get()?.integrity_check;
    if (found !== "ok") {
      throw new StateError(t("state.part_damaged", { part: basename(path), found: String(found) }));
    }
  } catch (error) {
    if (error instanceof StateError) throw error;
    throw new StateError(t("state.database_unreadable", { reason: clauseOf(error) }), {
      cause: error,
    });
  } finally {
    database.close();
  }
}
