/**
 * The file of metrics: a database of its own next to that of the configuration, which it never touches. A damaged one is
 * moved aside and begun again: figures of the past are worth less than figures at all.
 */
import { DatabaseSync } from "node:sqlite";
import { basename, dirname, join } from "node:path";
import { messageOf } from "../../lib/text/message.ts";
import { SET_ASIDE } from "./earlier_rows.ts";

/** Name of the file in the data folder. */
export const METRICS_FILE = "metrics.db";
/** Version of the file; a newer one is not opened. Since 3 a row has a group of series; rows of before are taken over. */
const VERSION = 3;
/** Milliseconds a statement waits for another process's lock. */
const BUSY_MS = 2000;
/** Endings of the files of a database: itself, and its latest writes. */
const DATABASE_ENDINGS = ["", "-wal", "-shm"] as const;

/**
 * `ticks` is what was taken in the hour that goes on. `chunks` is what was before: an hour of 64 series in a row, later some
 * hours or days of them. Ids are made of what a row is of (`row_ids.ts`), so that a range of time is a range of rows and
 * there is no further index; and what is written together stands together, so that few pages are.
 */
const TABLES = `
  CREATE TABLE series (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,  -- never given twice
    host    TEXT NOT NULL,
    subject TEXT NOT NULL,                      -- id of the VM; empty: the host itself
    name    TEXT NOT NULL,
    label   TEXT NOT NULL,
    UNIQUE (host, subject, name, label)
  ) STRICT;
  CREATE TABLE totals (
    resolution INTEGER PRIMARY KEY,
    points     INTEGER NOT NULL,
    bytes      INTEGER NOT NULL,
    oldest     INTEGER NOT NULL  -- seconds since 1970
  ) STRICT;`;

/** Tables of version 3 that differ from those of earlier versions. */
const ROWS = `
  CREATE TABLE ticks (
    id      INTEGER PRIMARY KEY,  -- time and bucket
    points  INTEGER NOT NULL,
    figures BLOB NOT NULL         -- a chunk with places in the bucket for times
  ) STRICT;
  CREATE TABLE chunks (
    id     INTEGER PRIMARY KEY,   -- group of series, resolution and hour
    points INTEGER NOT NULL,
    places BLOB NOT NULL,         -- which series of the group have some: a bit each
    data   BLOB NOT NULL          -- \`packed_points.ts\`
  ) STRICT;
  PRAGMA user_version = ${VERSION};`;

/** Whether an error says that the file is damaged. */
export function isDamage(error: unknown): boolean {
  return /malformed|not a database|corrupt/i.test(messageOf(error));
}

/**
 * Opens the file, or creates it.
 *
 * @throws if it cannot be opened, is damaged ({@link isDamage}), or is of a newer program
 */
export function openMetrics(path: string): DatabaseSync {
  Deno.mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  Deno.openSync(path, { write: true, create: true, mode: 0o600 }).close();
  const database = new DatabaseSync(path);
  try {
    database.exec(`PRAGMA busy_timeout = ${BUSY_MS}`);
    const version = Number(database.prepare("PRAGMA user_version").get()!.user_version);
    if (version > VERSION) {
      throw new Error(`${path} was written by a newer KVM Manager. Move it away to begin a new one`);
    }
    if (version === 0) database.exec("PRAGMA auto_vacuum = INCREMENTAL");
    // What was written last may be lost with the power, never the file
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -4096");
    database.exec("PRAGMA journal_size_limit = 8388608");
    if (version < VERSION) database.exec(`BEGIN; ${version === 0 ? TABLES : SET_ASIDE} ${ROWS} COMMIT`);
    const check = database.prepare("PRAGMA quick_check(1)").get();
    if (check?.quick_check !== "ok") throw new Error(`corrupt: ${check?.quick_check}`);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Moves a damaged file out of the way; the one that was moved before is removed. @returns its new path */
export function moveAside(path: string): string {
  const folder = dirname(path), aside = join(folder, `${basename(path)}.damaged`);
  for (const end of DATABASE_ENDINGS) {
    try {
      Deno.renameSync(path + end, aside + end);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return aside;
}

/** Bytes of the file and of those next to it. */
export function fileBytes(path: string): number {
  let bytes = 0;
  for (const end of DATABASE_ENDINGS) {
    try {
      bytes += Deno.statSync(path + end).size;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return bytes;
}
