/**
 * The database: SQLite through node:sqlite, in WAL mode with full sync, so that what was acknowledged survives a
 * power loss. It is never made anew by itself: a damaged or newer file is refused with what to do about it.
 */
import { DatabaseSync } from "node:sqlite";
import { join } from "node:path";
import { MIGRATIONS } from "./migrations.ts";

/** Name of the file in the data folder. */
export const DATABASE_FILE = "kvm-manager.db";
/** Milliseconds a statement waits for another process's lock. It holds up the whole process, so it is short. */
const BUSY_MS = 200;

/** The database cannot be used; the text says why and what to do. */
export class StoreError extends Error {
  override readonly name = "StoreError";
}

/** SQLite's texts for a damaged file, and what a person can do. */
function advice(path: string, error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  if (/malformed|not a database|corrupt/i.test(text)) {
    return `${path} is damaged (${text}). Stop KVM Manager, put a copy of it back in its place (or move it away to start ` +
      "with an empty one), then start again. Nothing was changed";
  }
  if (/locked|busy/i.test(text)) return `${path} is locked by another program (${text})`;
  if (/full|disk I\/O/i.test(text)) {
    return `${path} cannot be written (${text}). Make room on its file system`;
  }
  return `${path} cannot be opened (${text})`;
}

/**
 * Opens the database of a data folder and brings it up to date.
 *
 * @throws {StoreError} when it is damaged, locked, not writable or newer than this program
 */
export function openDatabase(dataDir: string): DatabaseSync {
  const path = join(dataDir, DATABASE_FILE);
  let database: DatabaseSync | undefined;
  try {
    Deno.mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    database = new DatabaseSync(path);
    database.exec(`PRAGMA busy_timeout = ${BUSY_MS}; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL`);
    Deno.chmodSync(path, 0o600);
    const check = database.prepare("PRAGMA quick_check(1)").get();
    if (check?.quick_check !== "ok") throw new Error(`corrupt: ${check?.quick_check}`);
    migrate(database, path);
    return database;
  } catch (error) {
    database?.close();
    if (error instanceof StoreError) throw error;
    throw new StoreError(advice(path, error), { cause: error });
  }
}

function migrate(database: DatabaseSync, path: string): void {
  const version = Number(database.prepare("PRAGMA user_version").get()?.user_version ?? 0);
  if (version > MIGRATIONS.length) {
    throw new StoreError(
      `${path} was written by a newer KVM Manager (version ${version} of the database, this program knows ` +
        `${MIGRATIONS.length}). Use that version, or put back the copy made before the upgrade. Nothing was changed`,
    );
  }
  for (let step = version; step < MIGRATIONS.length; step++) {
    database.exec("BEGIN IMMEDIATE");
    try {
      database.exec(MIGRATIONS[step]!);
      database.exec(`PRAGMA user_version = ${step + 1}`);
      database.exec("COMMIT");
    } catch (error) {
      database.exec("ROLLBACK");
      throw error;
    }
  }
}
