/**
 * The database: SQLite through node:sqlite, in WAL mode with full sync, so that what was acknowledged survives a
 * power loss. A damaged, newer or lost one is refused with what to do about it: it is made in a new folder alone.
 */
import { DatabaseSync } from "node:sqlite";
import { dirname, join } from "node:path";
import { databaseCopyName } from "../../lib/system/install/record.ts";
import { type Message, message, render } from "../../lib/i18n/message.ts";
import { messageOf } from "../../lib/text/message.ts";
import { beginFirstStart, endFirstStart, type Remains, remainsIn } from "./first_start.ts";
import { type Migration, MIGRATIONS } from "./migrations.ts";

/** Name of the file in the data folder. */
export const DATABASE_FILE = "kvm-manager.db";
/** Version of the database that this program writes. */
export const KNOWN_VERSION: number = MIGRATIONS.length;
/** Milliseconds a statement waits for another process's lock. It holds up the whole process, so it is short. */
const BUSY_MS = 200;

/** The database cannot be used; the text says why and what to do. */
export class StoreError extends Error {
  override readonly name = "StoreError";
}

/** SQLite's texts for a damaged file, and what a person can do. */
function advice(path: string, error: unknown): string {
  // SQLite reports damage in several lines; the log and the pages have one.
  const text = messageOf(error).replaceAll(/\s+/g, " ");
  return render(adviceOn(path, text));
}

/** @param text what SQLite says */
function adviceOn(path: string, text: string): Message {
  if (/malformed|not a database|corrupt/i.test(text)) {
    return message`${path} is damaged (${text}). Stop KVM Manager, put a copy of it back in its place (or move it away to start with an empty one), then start again. Nothing was changed`;
  }
  if (/locked|busy/i.test(text)) return message`${path} is locked by another program (${text})`;
  if (/readonly|read-only/i.test(text)) {
    return message`${path} cannot be written (${text}). Make its folder and file system writable`;
  }
  if (/full|disk I\/O|no space/i.test(text)) {
    return message`${path} cannot be written (${text}). Make room on its file system`;
  }
  return message`${path} cannot be opened (${text})`;
}

/** The database is gone from a folder that was used before: what to put back. */
function lost(path: string, size: number | undefined, { names, copy }: Remains): StoreError {
  const folder = dirname(path), found = names.join(", "), saved = copy ?? "FILE";
  const what = size === undefined
    ? message`${path} is missing, and ${folder} is not new: an earlier run wrote ${found}.`
    : message`${path} is empty, and ${folder} is not new: an earlier run wrote ${found}.`;
  return new StoreError(
    render(
      message`${what} Users, schedules and backups were in that file. Stop KVM Manager, put a saved state back (kvm-manager restore-state ${saved}), then start again. To begin without any of it, move everything out of ${folder} first. Nothing was changed`,
    ),
  );
}

/**
 * Opens the database of a data folder and brings it up to date. It is made where the folder is new alone.
 *
 * @throws {StoreError} when it is lost, damaged, locked, not writable or newer than this program
 */
export function openDatabase(dataDir: string, nouns: readonly Tables[] = []): DatabaseSync {
  const path = join(dataDir, DATABASE_FILE);
  let database: DatabaseSync | undefined;
  try {
    Deno.mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    if (inspect(path, nouns) === 0) {
      const remains = remainsIn(dataDir);
      if (remains !== undefined) throw lost(path, sizeOf(path), remains);
      beginFirstStart(dataDir);
    }
    // Made with its mode: SQLite gives the files next to it (-wal, -shm) the same.
    Deno.openSync(path, { write: true, create: true, mode: 0o600 }).close();
    Deno.chmodSync(path, 0o600);
    database = new DatabaseSync(path);
    database.exec(`PRAGMA busy_timeout = ${BUSY_MS}; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL`);
    // What is deleted or replaced is overwritten: it may have been a secret
    database.exec("PRAGMA secure_delete = ON");
    migrate(database, dataDir, nouns);
    endFirstStart(dataDir);
    return database;
  } catch (error) {
    database?.close();
    if (error instanceof StoreError) throw error;
    throw new StoreError(advice(path, error), { cause: error });
  }
}

/**
 * Looks at the file before anything may be written to it: a connection that can write does so even when it is only
 * closed (it moves the -wal file's pages into the database).
 *
 * @returns its version: 0 where it is missing or has nothing yet
 * @throws when it is damaged, locked, or newer than this program
 */
function inspect(path: string, nouns: readonly Tables[]): number {
  if ((sizeOf(path) ?? 0) === 0) return 0;
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    database.exec(`PRAGMA busy_timeout = ${BUSY_MS}`);
    const check = database.prepare("PRAGMA quick_check(1)").get();
    if (check?.quick_check !== "ok") throw new Error(`corrupt: ${check?.quick_check}`);
    const version = versionOf(database);
    if (version > MIGRATIONS.length) throw tooNew(path, message`the database`, version, MIGRATIONS.length);
    const had = versionsOf(database);
    for (const { name, migrations } of nouns) {
      const own = had.get(name) ?? 0;
      if (own > migrations.length) throw tooNew(path, message`its tables of ${name}`, own, migrations.length);
    }
    return version;
  } finally {
    database.close();
  }
}

/** Bytes of a file; undefined where there is none. @throws {Deno.errors.IsADirectory} and others of the file system */
function sizeOf(path: string): number | undefined {
  try {
    const { size, isDirectory } = Deno.statSync(path);
    if (isDirectory) throw new Deno.errors.IsADirectory("it is a folder");
    return size;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** The tables of one noun, in addition to those that all share. */
export interface Tables {
  readonly name: string;
  /** Steps in order; a released one is never changed. */
  readonly migrations: readonly Migration[];
}

function tooNew(path: string, what: Message, version: number, known: number): StoreError {
  return new StoreError(
    render(
      message`${path} was written by a newer KVM Manager (version ${version} of ${what}, this program knows ${known}). Use that version, or put back the copy made before the upgrade. Nothing was changed`,
    ),
  );
}

/** How many of its own steps each noun has had. */
function versionsOf(database: DatabaseSync): ReadonlyMap<string, number> {
  const isThere = database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'noun_versions'").get();
  if (isThere === undefined) return new Map();
  const rows = database.prepare("SELECT noun, version FROM noun_versions").all();
  return new Map(rows.map(({ noun, version }) => [String(noun), Number(version)]));
}

/** How many migrations it has had. */
export function versionOf(database: DatabaseSync): number {
  return Number(database.prepare("PRAGMA user_version").get()?.user_version ?? 0);
}

/** Version of the database in a data folder; undefined where there is none, or what is there cannot be read. */
export function databaseVersion(dataDir: string): number | undefined {
  try {
    const path = join(dataDir, DATABASE_FILE);
    if (Deno.statSync(path).size === 0) return undefined;
    using database = new DatabaseSync(path, { readOnly: true });
    return versionOf(database);
  } catch (error) {
    // Whoever opens it tells what is wrong with it
    if (error instanceof Deno.errors.NotFound || /not a database|malformed/.test(String(error))) {
      return undefined;
    }
    throw error;
  }
}

/** Name of the file that gets the content of a database whose own file is gone. */
export function rescuedName(now: Date): string {
  return `kvm-manager.rescued-${now.toISOString().replaceAll(/[:.]/g, "-")}.db`;
}

/** Copies of the database that were made before it was brought up to date: names of files in the data folder. */
export async function savedCopies(dataDir: string): Promise<string[]> {
  try {
    const names = (await Array.fromAsync(Deno.readDir(dataDir))).map(({ name }) => name);
    return names.filter((name) => /^kvm-manager\.before-upgrade-\d+\.db$/.test(name)).sort();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/** Writes a copy of a database that is in use, for its owner's eyes alone. A file of that name is written again. */
export function copyInto(database: DatabaseSync, path: string): void {
  // VACUUM INTO takes an empty file, and leaves it its mode
  Deno.openSync(path, { write: true, create: true, truncate: true, mode: 0o600 }).close();
  database.prepare("VACUUM INTO ?").run(path);
}

/** Steps forward, each in a transaction of its own; before the first, what is there is copied. */
function migrate(database: DatabaseSync, dataDir: string, nouns: readonly Tables[]): void {
  const version = versionOf(database), had = versionsOf(database);
  const isBehind = version < MIGRATIONS.length ||
    nouns.some(({ name, migrations }) => (had.get(name) ?? 0) < migrations.length);
  if (version > 0 && isBehind) copyInto(database, join(dataDir, databaseCopyName(version)));
  for (let step = version; step < MIGRATIONS.length; step++) {
    carryOut(database, MIGRATIONS[step]!, () => database.exec(`PRAGMA user_version = ${step + 1}`));
  }
  for (const { name, migrations } of nouns) {
    for (let step = had.get(name) ?? 0; step < migrations.length; step++) {
      carryOut(
        database,
        migrations[step]!,
        () => void database.prepare("INSERT OR REPLACE INTO noun_versions VALUES (?, ?)").run(name, step + 1),
      );
    }
  }
}

/** One step, and the note that it was taken: both, or none. */
function carryOut(database: DatabaseSync, step: Migration, note: () => void): void {
  database.exec("BEGIN IMMEDIATE");
  try {
    database.exec(step);
    note();
    database.exec("COMMIT");
  } catch (error) {
    database.exec("ROLLBACK");
    throw error;
  }
}
