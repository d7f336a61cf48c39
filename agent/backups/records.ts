/** Backups, their runs, and what checks of copies have said, as they are kept. The folder itself says what copies there are. */
import type { DatabaseSync, SQLOutputValue, StatementSync } from "node:sqlite";
import {
  type Backup,
  type BackupCopy,
  type BackupRun,
  type BackupVerified,
  type BootTest,
  type BootTestPolicy,
  ContractError,
  type MissedPolicy,
} from "../../lib/contract/mod.ts";
import type { Unrendered } from "../../lib/i18n/message.ts";
import type { Retention } from "../../lib/backup/retention.ts";
import type { Timing } from "../../lib/schedules/timing.ts";
import type { Delegator } from "../access/delegation.ts";
import type { Store } from "../store/store.ts";
import { TARGET_MIGRATION } from "./target_records.ts";

/** Runs of each backup that are kept, whether there is anything of them or not; those with copies longer, as they are there. */
const RUNS_KEPT = 500;
/** More than there are of one backup. */
const EVERY_RUN = -1;

/** A backup as it is kept. */
export interface StoredBackup extends Retention {
  readonly id: string;
  readonly name: string;
  readonly enabled: boolean;
  readonly targets: Backup["targets"];
  /** The backup's folder, if it has no target. */
  readonly folder: string;
  /** The target that it goes to; its store is told there. */
  readonly targetId?: string | undefined;
  /** Id of what the folder holds: another disk may be mounted there one day. */
  readonly repository: string;
  /** When it runs by itself; null: never. */
  readonly timing: Timing | null;
  readonly missed: MissedPolicy;
  /** When its copies are booted as a test by themselves. */
  readonly bootTest: BootTestPolicy;
  /** How fast content may be read; 0: as fast as it goes. */
  readonly maxMibPerSecond: number;
  /** How many VMs of a run are copied at once. */
  readonly parallel: number;
  readonly owner: Delegator;
  readonly createdAt: number;
  /** Milliseconds since 1970: what was due up to then was run, or is never. */
  readonly handled: number;
  /** The last time that was run when it was due, in milliseconds since 1970. */
  readonly onTime?: number;
  /** Ids of the VMs that its last run had, since its targets were saved. */
  readonly covered?: readonly string[];
  /** Ids of VMs that an earlier one had, and that one had not. */
  readonly leftOut?: readonly string[];
}

/** A VM of a run, with the copy in the folder. */
export interface StoredCopy extends Omit<Unrendered<BackupCopy>, "verified" | "bootTest"> {
  readonly copyId: string | null;
}

/** A run as it is kept. */
export interface StoredBackupRun extends Omit<Unrendered<BackupRun>, "copies" | "found"> {
  readonly copies: readonly StoredCopy[];
}

export const BACKUP_MIGRATIONS = [
  `CREATE TABLE backups (
     id         TEXT PRIMARY KEY,
     created_at INTEGER NOT NULL,  -- ms since 1970
     handled    INTEGER NOT NULL,  -- ms since 1970: what was due up to then was run, or is never
     record     TEXT NOT NULL      -- JSON: the rest of it
   ) STRICT;
   CREATE TABLE backup_runs (
     id         TEXT PRIMARY KEY,
     backup_id  TEXT NOT NULL,
     started_at INTEGER NOT NULL,  -- ms since 1970
     state      TEXT NOT NULL,
     record     TEXT NOT NULL      -- JSON: the run
   ) STRICT;
   CREATE INDEX backup_runs_by_start ON backup_runs (backup_id, started_at);
   CREATE TABLE backup_checks (
     copy_id TEXT PRIMARY KEY,     -- of a copy in some folder
     record  TEXT NOT NULL         -- JSON: when it was verified, and what was found
   ) STRICT;`,
  `CREATE TABLE backup_boot_tests (
     copy_id TEXT PRIMARY KEY,     -- of a copy in some folder
     record  TEXT NOT NULL,        -- JSON: how booting it as a test went
     screen  BLOB                  -- PNG: its screen at the end
   ) STRICT;`,
  TARGET_MIGRATION,
  `CREATE TABLE backup_booted (
     backup_id TEXT NOT NULL,
     vm_id     TEXT NOT NULL,
     at        INTEGER NOT NULL,  -- ms since 1970: when a copy was booted last, which may be gone by now
     PRIMARY KEY (backup_id, vm_id)
   ) STRICT;
   INSERT INTO backup_booted
     SELECT run.backup_id, copy.value ->> 'vmId', max(test.record ->> 'at')
     FROM backup_runs run, json_each(run.record, '$.copies') copy
     JOIN backup_boot_tests test ON test.copy_id = copy.value ->> 'copyId'
     GROUP BY 1, 2;`,
  // Why runs failed before this names VMs, and counts them, in the text alone: it is told to who sees every VM.
  `UPDATE backup_runs SET record = json_set(record, '$.message',
       json_object('$foreign', json_extract(record, '$.message'), 'vmIds', json_array('')))
     WHERE json_type(record, '$.message') = 'text';`,
];

type Row = Record<string, SQLOutputValue>;

// Rows are ours alone: the database is checked when it is opened, and no other program writes it.
const backupOf = ({ record, handled }: Row): StoredBackup => ({
  // Backups of earlier versions have none.
  maxMibPerSecond: 0,
  parallel: 1,
  bootTest: "never",
  ...JSON.parse(String(record)),
  handled: Number(handled),
});
function runOf({ record }: Row): StoredBackupRun {
  // Runs of earlier versions have the VM that was just copied.
  const { vmId: _vmId, ...run }: StoredBackupRun & { readonly vmId?: unknown } = JSON.parse(String(record));
  return run;
}

/** The copies that a run has made. */
const copyIdsOf = ({ copies }: StoredBackupRun): string[] => copies.flatMap(({ copyId }) => copyId ?? []);

type Statements = Readonly<
  Record<
    | ("put" | "remove" | "forget" | "putRun" | "prune" | "runs" | "unfinished" | "check")
    | ("bootTest" | "screen" | "dropCheck" | "dropBootTest" | "dropRun")
    | ("booted" | "noteBooted" | "forgetBooted"),
    StatementSync
  >
>;

function putInto({ put }: Statements, { id, createdAt, handled, ...rest }: StoredBackup): void {
  put.run(id, createdAt, handled, JSON.stringify({ id, createdAt, ...rest }));
}

export class BackupRecords {
  readonly #store: Store;
  /** Every backup, the oldest first: there are few, and they are looked through often. */
  readonly #backups = new Map<string, StoredBackup>();
  readonly #checks = new Map<string, BackupVerified>();
  readonly #bootTests = new Map<string, BootTest>();
  /** When the newest copy of each VM was taken, by id of the backup and of the VM. */
  readonly #newest = new Map<string, Map<string, number>>();
  /** Runs whose newest state is not written yet, by id. */
  readonly #unwritten = new Map<string, StoredBackupRun>();
  #statements: Statements | undefined;
  readonly #users: ((backupId: string) => readonly string[])[] = [];

  constructor(store: Store) {
    this.#store = store;
    store.attach((database) => this.#prepare(database));
  }

  /** @throws {ContractError} StoreUnavailable while what is stored is not known */
  require(): void {
    if (this.#store.open() === undefined) throw this.#unavailable();
  }

  /** Every one, the oldest first. */
  all(): readonly StoredBackup[] {
    return [...this.#backups.values()];
  }

  /** Names, as sentences have them, what runs a backup besides its own times. */
  addUsers(usersOf: (backupId: string) => readonly string[]): void {
    this.#users.push(usersOf);
  }

  /** Users of a backup other than its own times, by name. */
  usersOf(backupId: string): string[] {
    return this.#users.flatMap((usersOf) => usersOf(backupId));
  }

  get(id: string): StoredBackup | undefined {
    return this.#backups.get(id);
  }

  /** Writes a backup. @throws {ContractError} StoreUnavailable */
  put(backup: StoredBackup): void {
    this.#write((statements) => putInto(statements, backup));
    this.#backups.set(backup.id, backup);
  }

  /**
   * Keeps which VMs the last run of a backup has, and writes it as soon as that works: a run is not failed by a disk that
   * became full after it began.
   */
  keepCovered(id: string, covered: Pick<StoredBackup, "covered" | "leftOut">): void {
    const backup = this.#backups.get(id);
    if (backup === undefined) return;
    this.#backups.set(id, { ...backup, ...covered });
    this.#store.keep(`VMs of a backup ${id}`, () => {
      const kept = this.#backups.get(id);
      if (kept !== undefined) putInto(this.#statements!, kept);
    });
  }

  /**
   * Removes a backup with its runs, and the boot tests of their copies. Which copies are damaged stays known: they stay in
   * their folder, and another backup may find them there.
   *
   * @throws {ContractError} StoreUnavailable
   */
  remove(id: string): void {
    const copyIds = this.runs(id).flatMap(copyIdsOf);
    this.#write((statements) => {
      statements.remove.run(id);
      statements.forget.run(id);
      statements.forgetBooted.run(id);
      for (const copyId of copyIds) statements.dropBootTest.run(copyId);
    });
    this.#backups.delete(id);
    this.#newest.delete(id);
    for (const copyId of copyIds) this.#bootTests.delete(copyId);
  }

  /** Writes a run that begins. @throws {ContractError} StoreUnavailable */
  putRun(backupId: string, run: StoredBackupRun): void {
    this.#write((statements) => this.#writeRun(statements, backupId, run));
  }

  /** Keeps how a run is now, and writes it as soon as that works; one of a deleted backup is gone with it. */
  keepRun(backupId: string, run: StoredBackupRun): void {
    if (!this.#backups.has(backupId)) return;
    this.#unwritten.set(run.id, run);
    this.#noteCopies(backupId, run);
    this.#store.keep(`run of a backup ${run.id}`, () => {
      if (this.#backups.has(backupId)) this.#writeRun(this.#statements!, backupId, run);
    }, () => void this.#unwritten.delete(run.id));
  }

  /** When the newest copy that a backup has made of a VM was taken, milliseconds since 1970; undefined where it made none. */
  newestCopy(backupId: string, vmId: string): number | undefined {
    return this.#newest.get(backupId)?.get(vmId);
  }

  #noteCopies(backupId: string, { copies }: StoredBackupRun): void {
    let newest = this.#newest.get(backupId);
    if (newest === undefined) this.#newest.set(backupId, newest = new Map());
    for (const { vmId, copyId, takenAt } of copies) {
      if (copyId === null || takenAt === null) continue;
      newest.set(vmId, Math.max(newest.get(vmId) ?? 0, takenAt));
    }
  }

  #writeRun({ putRun, prune }: Statements, backupId: string, run: StoredBackupRun): void {
    putRun.run(run.id, backupId, run.startedAt, run.state, JSON.stringify(run));
    prune.run(backupId, backupId, RUNS_KEPT);
  }

  #runOf(row: Row): StoredBackupRun {
    const run = runOf(row);
    return this.#unwritten.get(run.id) ?? run;
  }

  /**
   * Removes the runs of a backup of which there is no copy any more, but for the newest ones; what cannot be removed now is
   * removed by the next run.
   *
   * @param there ids of the copies that there are
   * @throws {ContractError} StoreUnavailable where they cannot be read
   */
  dropRuns(backupId: string, there: ReadonlySet<string>): void {
    const gone = this.runs(backupId).slice(RUNS_KEPT).filter((run) =>
      !copyIdsOf(run).some((copyId) => there.has(copyId))
    );
    if (gone.length === 0) return;
    this.#store.write(() => {
      for (const { id } of gone) this.#statements!.dropRun.run(id);
    });
  }

  /** The runs of a backup, the newest first. @throws {ContractError} StoreUnavailable */
  runs(backupId: string, limit: number = EVERY_RUN): StoredBackupRun[] {
    this.require();
    return this.#statements!.runs.all(backupId, limit).map((row) => this.#runOf(row));
  }

  /** Runs that are written down as under way. @throws {ContractError} StoreUnavailable */
  unfinished(): { readonly backupId: string; readonly run: StoredBackupRun }[] {
    this.require();
    return this.#statements!.unfinished.all().map((row) => ({
      backupId: String(row.backup_id),
      run: this.#runOf(row),
    })).filter(({ run }) => run.state === "running");
  }

  /** Result of the last check of a copy; null if it was never checked. */
  check(copyId: string): BackupVerified | null {
    return this.#checks.get(copyId) ?? null;
  }

  /** Keeps what a check of a copy said, and writes it as soon as that works. */
  keepCheck(copyId: string, verified: BackupVerified): void {
    this.#checks.set(copyId, verified);
    this.#store.keep(`check of a copy ${copyId}`, () => {
      const kept = this.#checks.get(copyId);
      if (kept !== undefined) this.#statements!.check.run(copyId, JSON.stringify(kept));
    });
  }

  /** How the last boot test of a copy went; null where there was none. */
  bootTest(copyId: string): BootTest | null {
    return this.#bootTests.get(copyId) ?? null;
  }

  /** When a copy of a VM was booted last by this backup; undefined where none was. @throws {ContractError} StoreUnavailable */
  lastBootTest(backupId: string, vmId: string): number | undefined {
    this.require();
    const at = this.#statements!.booted.get(backupId, vmId)?.at;
    return at === undefined ? undefined : Number(at);
  }

  /** The screen at the end of a copy's boot test; undefined where there is none. @throws {ContractError} StoreUnavailable */
  screen(copyId: string): Uint8Array<ArrayBuffer> | undefined {
    this.require();
    const png = this.#statements!.screen.get(copyId)?.screen;
    return png instanceof Uint8Array ? new Uint8Array(png) : undefined;
  }

  /**
   * Keeps the result of a copy's boot test, and writes it as soon as that works.
   *
   * @param of the VM that the copy is of: the time of its last test is known after the copy is deleted
   */
  keepBootTest(
    copyId: string,
    tested: BootTest,
    png: Uint8Array | undefined,
    of: { readonly backupId: string; readonly vmId: string | undefined },
  ): void {
    this.#bootTests.set(copyId, tested);
    this.#store.keep(`boot test of a copy ${copyId}`, () => {
      const { bootTest, noteBooted } = this.#statements!;
      if (this.#bootTests.has(copyId)) bootTest.run(copyId, JSON.stringify(tested), png ?? null);
      if (of.vmId !== undefined && this.#backups.has(of.backupId)) {
        noteBooted.run(of.backupId, of.vmId, tested.at);
      }
    });
  }

  /** Forgets what a check and a boot test of a copy that is gone have said; in the database, as soon as that works. */
  forgetCopy(copyId: string): void {
    if (!this.#checks.has(copyId) && !this.#bootTests.has(copyId)) return;
    this.#checks.delete(copyId);
    this.#bootTests.delete(copyId);
    this.#store.keep(`copy of a backup ${copyId}`, () => {
      this.#statements!.dropCheck.run(copyId);
      this.#statements!.dropBootTest.run(copyId);
    });
  }

  #write(run: (statements: Statements) => void): void {
    if (!this.#store.write(() => run(this.#statements!))) throw this.#unavailable();
  }

  #unavailable(): ContractError {
    return new ContractError("StoreUnavailable", { reason: this.#store.trouble ?? "it is not open" });
  }

  #prepare(database: DatabaseSync): void {
    this.#statements = {
      put: database.prepare(
        "INSERT INTO backups (id, created_at, handled, record) VALUES (?, ?, ?, ?) " +
          "ON CONFLICT (id) DO UPDATE SET handled = excluded.handled, record = excluded.record",
      ),
      remove: database.prepare("DELETE FROM backups WHERE id = ?"),
      forget: database.prepare("DELETE FROM backup_runs WHERE backup_id = ?"),
      putRun: database.prepare(
        "INSERT INTO backup_runs (id, backup_id, started_at, state, record) VALUES (?, ?, ?, ?, ?) " +
          "ON CONFLICT (id) DO UPDATE SET state = excluded.state, record = excluded.record",
      ),
      prune: database.prepare(
        "DELETE FROM backup_runs WHERE backup_id = ? AND rowid <= (SELECT rowid FROM backup_runs " +
          "WHERE backup_id = ? ORDER BY rowid DESC LIMIT 1 OFFSET ?) AND NOT EXISTS (SELECT 1 FROM " +
          "json_each(record, '$.copies') AS copy WHERE copy.value ->> 'copyId' IS NOT NULL)",
      ),
      dropRun: database.prepare("DELETE FROM backup_runs WHERE id = ?"),
      runs: database.prepare(
        "SELECT record FROM backup_runs WHERE backup_id = ? ORDER BY rowid DESC LIMIT ?",
      ),
      unfinished: database.prepare("SELECT backup_id, record FROM backup_runs WHERE state = 'running'"),
      check: database.prepare(
        "INSERT INTO backup_checks (copy_id, record) VALUES (?, ?) " +
          "ON CONFLICT (copy_id) DO UPDATE SET record = excluded.record",
      ),
      bootTest: database.prepare(
        "INSERT INTO backup_boot_tests (copy_id, record, screen) VALUES (?, ?, ?) " +
          "ON CONFLICT (copy_id) DO UPDATE SET record = excluded.record, screen = excluded.screen",
      ),
      screen: database.prepare("SELECT screen FROM backup_boot_tests WHERE copy_id = ?"),
      booted: database.prepare("SELECT at FROM backup_booted WHERE backup_id = ? AND vm_id = ?"),
      noteBooted: database.prepare(
        "INSERT INTO backup_booted (backup_id, vm_id, at) VALUES (?, ?, ?) " +
          "ON CONFLICT (backup_id, vm_id) DO UPDATE SET at = excluded.at",
      ),
      forgetBooted: database.prepare("DELETE FROM backup_booted WHERE backup_id = ?"),
      dropCheck: database.prepare("DELETE FROM backup_checks WHERE copy_id = ?"),
      dropBootTest: database.prepare("DELETE FROM backup_boot_tests WHERE copy_id = ?"),
    };
    this.#backups.clear();
    for (const row of database.prepare("SELECT * FROM backups ORDER BY created_at, rowid").all()) {
      const backup = backupOf(row);
      this.#backups.set(backup.id, backup);
    }
    this.#newest.clear();
    for (const row of database.prepare("SELECT backup_id, record FROM backup_runs").all()) {
      this.#noteCopies(String(row.backup_id), runOf(row));
    }
    this.#checks.clear();
    for (const row of database.prepare("SELECT * FROM backup_checks").all()) {
      this.#checks.set(String(row.copy_id), JSON.parse(String(row.record)));
    }
    this.#bootTests.clear();
    for (const row of database.prepare("SELECT copy_id, record FROM backup_boot_tests").all()) {
      this.#bootTests.set(String(row.copy_id), JSON.parse(String(row.record)));
    }
  }
}
