/**
 * The one open database of the process, which every repository uses. When it cannot be used, it says why and what to
 * do, and is tried again later; repositories keep what they must in memory meanwhile.
 */
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { messageOf } from "../../lib/text/message.ts";
import { log } from "../log.ts";
import { copyInto, DATABASE_FILE, openDatabase, rescuedName, StoreError, type Tables } from "./database.ts";
import { type FileLoss, FileWatch } from "./file_watch.ts";
import { onDisk } from "../heartbeat.ts";
import { Secrets } from "../sealing/secrets.ts";
import type { UnreadSecret } from "../sealing/sealed_values.ts";

/** Readies a repository for a database that was just opened: statements, what is stored. */
export type Prepare = (database: DatabaseSync) => void;

export class Store {
  /** Seals secrets in records. */
  readonly secrets: Secrets;
  readonly #dataDir: string;
  readonly #nouns: readonly Tables[];
  readonly #onTrouble: (trouble: string) => void;
  readonly #repositories: Prepare[] = [];
  #database: DatabaseSync | undefined;
  #watch: FileWatch | undefined;
  /** Path of the saved content of a database whose file is gone; null: it could not be saved. */
  #rescued: string | null | undefined;
  #trouble: string | null = null;
  /** Work that is retried once the database can be written. */
  readonly #waiting = new Map<string, () => void>();

  /**
   * @param onTrouble called once for each trouble, in the words of {@link trouble}
   * @param nouns tables of the features, which are migrated
   */
  constructor(
    dataDir: string,
    onTrouble: (trouble: string) => void = () => {},
    nouns: readonly Tables[] = [],
  ) {
    this.#dataDir = dataDir;
    this.secrets = new Secrets(dataDir);
    this.#nouns = nouns;
    this.#onTrouble = onTrouble;
  }

  /** Folder of the database. */
  get folder(): string {
    return this.#dataDir;
  }

  /** Why nothing is written at the moment, and what to do; null when all is well. */
  get trouble(): string | null {
    return this.#trouble;
  }

  /** Secrets that cannot be read now. */
  get unreadSecrets(): readonly UnreadSecret[] {
    return this.#database === undefined ? [] : this.secrets.attention(this.#database);
  }

  /** The database, where it is open. */
  get database(): DatabaseSync | undefined {
    return this.#database;
  }

  /**
   * Adds a repository: `prepare` runs now if the database can be opened, and each time it is opened again, until what this
   * gives is disposed of.
   */
  attach(prepare: Prepare): Disposable {
    this.#repositories.push(prepare);
    if (this.#database) this.#prepare(this.#database, [prepare]);
    else this.open();
    return {
      [Symbol.dispose]: () => {
        const at = this.#repositories.indexOf(prepare);
        if (at >= 0) this.#repositories.splice(at, 1);
      },
    };
  }

  /** The database; opened when it is not yet. Undefined when it cannot be: {@link trouble} says why. */
  open(): DatabaseSync | undefined {
    if (this.#database) return this.#database;
    try {
      onDisk("opening the database", () => {
        const database = openDatabase(this.#dataDir, this.#nouns);
        this.secrets.bringUpToDate(database);
        this.#prepare(database, this.#repositories);
      });
    } catch (error) {
      this.fail(error);
    }
    return this.#database;
  }

  /**
   * Runs statements as one transaction. Never throws.
   *
   * @returns whether they were carried out
   */
  write(run: () => void): boolean {
    const database = this.open();
    if (!database) return false;
    try {
      onDisk("writing to the database", () => {
        this.#requireFiles(database);
        database.exec("BEGIN IMMEDIATE");
        run();
        database.exec("COMMIT");
      });
      this.#trouble = null;
      return true;
    } catch (error) {
      if (database.isTransaction) database.exec("ROLLBACK");
      this.fail(error);
      return false;
    }
  }

  /**
   * Writes what is so already, whether it can be written or not: now, else as soon as that works. Of one key, the newest is
   * written.
   *
   * @param run its statements alone: they may be carried out several times, and undone by a disk that is full at the end
   * @param written called once they have lasted
   */
  keep(key: string, run: () => void, written: () => void = () => {}): void {
    this.#waiting.delete(key);
    if (this.write(run)) written();
    else this.again(key, () => this.keep(key, run, written));
  }

  /** Calls once the database may be written again; what then fails asks for it again. */
  again(key: string, run: () => void): void {
    this.#waiting.set(key, run);
  }

  /** Tries no more what was to be called again. */
  forget(key: string): void {
    this.#waiting.delete(key);
  }

  /** Tries what waits, in order, until something fails again. */
  #retry(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const [at, [, run]] of waiting.entries()) {
      run();
      if (this.#waiting.size === 0) continue;
      for (const [key, later] of waiting.slice(at + 1)) {
        if (!this.#waiting.has(key)) this.#waiting.set(key, later);
      }
      return;
    }
  }

  /**
   * Looks whether the files of the open database are still in their places: called again and again. Nothing is written
   * to ones that were removed or replaced, for it would be gone with this process. What could not be written is tried
   * again. Never throws.
   */
  check(): void {
    const database = this.#database;
    if (database !== undefined) {
      try {
        onDisk("looking at the database", () => this.#requireFiles(database));
      } catch (error) {
        return this.fail(error);
      }
    }
    if (this.#waiting.size > 0) this.#retry();
  }

  /** @throws {StoreError} when a file of the database was removed or replaced */
  #requireFiles(database: DatabaseSync): void {
    const loss = this.#watch?.lost();
    if (loss === undefined) {
      this.#rescued = undefined;
      return;
    }
    if (this.#rescued === undefined) this.#rescued = this.#rescue(database);
    throw new StoreError(this.#lossText(loss, this.#rescued));
  }

  /** Saves what the database held into a file in its folder. @returns its path, null when it cannot be saved */
  #rescue(database: DatabaseSync): string | null {
    const path = join(this.#dataDir, rescuedName(new Date()));
    try {
      copyInto(database, path);
      return path;
    } catch (error) {
      log.error("the content of the database whose file is gone cannot be saved", { error });
      return null;
    }
  }

  #lossText({ name, how }: FileLoss, rescued: string | null): string {
    const restore = rescued === null
      ? "put a saved state back (kvm-manager restore-state FILE)"
      : `put back what it held (kvm-manager restore-state ${rescued})`;
    return `${
      join(this.#dataDir, name)
    } was ${how} while KVM Manager was running, so nothing more is written. Stop KVM ` +
      `Manager, ${restore}, then start again`;
  }

  /** Message of SQLite, and a remedy. Of a file system that became read-only it reports "disk I/O error" alone. */
  #why(text: string): string {
    try {
      // Not the database itself: SQLite's locks would go with whatever of it is closed
      Deno.removeSync(Deno.makeTempDirSync({ dir: this.#dataDir, prefix: ".writable-" }));
    } catch (error) {
      if ((error as { code?: unknown }).code === "EROFS") {
        return `${text}; its file system is read-only). Look for the cause in the kernel's log, then mount it writable`;
      }
      log.debug("the folder of the database cannot be examined", { error });
    }
    return `${text}). Check its file system's space`;
  }

  /** Takes note of a statement that failed, and reports it unless it was reported last. */
  fail(error: unknown): void {
    const text = messageOf(error);
    const trouble = error instanceof StoreError
      ? text
      : `The database cannot be written (${this.#why(text)}.`;
    if (this.#trouble === trouble) return;
    this.#trouble = trouble;
    log.error("the database cannot be used", { error: text });
    this.#onTrouble(trouble);
  }

  close(): void {
    if (this.#waiting.size > 0) this.#retry();
    // SQLite removes the -wal file when it closes, by its path: that could be the one of a database put there meanwhile
    if (this.#isInPlace()) this.#database?.close();
    this.#database = undefined;
    this.#watch = undefined;
  }

  /** Whether the files of the database are there, as far as can be told. */
  #isInPlace(): boolean {
    try {
      return this.#watch?.lost() === undefined;
    } catch (error) {
      log.warn("the files of the database cannot be looked at", { error });
      return false;
    }
  }

  #prepare(database: DatabaseSync, repositories: readonly Prepare[]): void {
    try {
      if (this.#database !== database) this.#watch = new FileWatch(join(this.#dataDir, DATABASE_FILE));
      this.#database = database;
      for (const prepare of repositories) prepare(database);
      this.#trouble = null;
    } catch (error) {
      this.close(); // or a table that is not ours would be tried no more
      this.fail(error);
    }
  }
}
