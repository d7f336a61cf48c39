/** Disks that deleted VMs have left: a person who looks for an image to begin with does not look for them. */
import type { DatabaseSync } from "node:sqlite";
import type { Migration } from "../../store/migrations.ts";
import type { Store } from "../../store/store.ts";

/** Disks that are remembered, the newest. */
const MOST_DISKS = 10_000;

export const LEFT_DISK_MIGRATIONS: readonly Migration[] = [
  `CREATE TABLE left_disks (
     host  TEXT NOT NULL,
     path  TEXT NOT NULL,
     file  TEXT,              -- which file it is, where it is on this machine: another one of that name is no such disk
     vm    TEXT NOT NULL,     -- name of the VM that had it
     PRIMARY KEY (host, path)
   ) STRICT;`,
];

/** A disk that was left. */
export interface LeftDisk {
  readonly host: string;
  readonly path: string;
  /** As `fileAt` gives it; null where its file is not on this machine, or cannot be looked at. */
  readonly file: string | null;
  /** Name of the VM that had it. */
  readonly vm: string;
}

const keyOf = (host: string, path: string) => `${host}\n${path}`;

export class LeftDisks {
  /** The oldest first. */
  readonly #disks = new Map<string, LeftDisk>();

  constructor(private readonly store: Store) {
    store.attach((database) => this.#read(database));
  }

  /** The disk that was left at a path. */
  at(host: string, path: string): LeftDisk | undefined {
    return this.#disks.get(keyOf(host, path));
  }

  /** A VM is gone, and its disk is still there. */
  add(disk: LeftDisk): void {
    const { host, path, file, vm } = disk, key = keyOf(host, path);
    this.#disks.delete(key);
    this.#disks.set(key, disk);
    const oldest = this.#disks.size > MOST_DISKS ? this.#disks.values().next().value : undefined;
    if (oldest !== undefined) this.forget(oldest);
    this.store.keep(`left disk ${key}`, () => {
      this.store.database!.prepare(
        "INSERT OR REPLACE INTO left_disks (host, path, file, vm) VALUES (?, ?, ?, ?)",
      ).run(host, path, file, vm);
    });
  }

  /** Something else is at its path, or nothing. */
  forget({ host, path }: Pick<LeftDisk, "host" | "path">): void {
    const key = keyOf(host, path);
    if (!this.#disks.delete(key)) return;
    this.store.keep(`left disk ${key}`, () => {
      this.store.database!.prepare("DELETE FROM left_disks WHERE host = ? AND path = ?").run(host, path);
    });
  }

  /** Forgets those of a host that was removed. */
  forgetHost(host: string): void {
    for (const disk of [...this.#disks.values()]) if (disk.host === host) this.forget(disk);
  }

  #read(database: DatabaseSync): void {
    const rows = database.prepare("SELECT host, path, file, vm FROM left_disks ORDER BY rowid").all();
    for (const { host, path, file, vm } of rows) {
      const disk = {
        host: String(host),
        path: String(path),
        file: file === null ? null : String(file),
        vm: String(vm),
      };
      this.#disks.set(keyOf(disk.host, disk.path), disk);
    }
  }
}
