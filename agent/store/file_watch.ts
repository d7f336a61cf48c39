/** Whether the files of an open database are still those at their paths: SQLite goes on with ones that are gone. */
import { basename } from "node:path";

/** Loss of a file. */
export interface FileLoss {
  readonly name: string;
  readonly how: "removed" | "replaced";
}

/** Device and inode; undefined where there is no file. */
function identityAt(path: string): string | undefined {
  try {
    const { dev, ino } = Deno.statSync(path);
    return `${dev}:${ino}`;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return undefined;
    throw error;
  }
}

export class FileWatch {
  readonly #paths: readonly string[];
  /** Identity of the file first seen at each path. */
  readonly #seen = new Map<string, string>();

  /** @param path of the database; what was written lately is in a file of its own, which is as dear */
  constructor(path: string) {
    this.#paths = [path, `${path}-wal`];
    this.lost();
  }

  /** The first file that is not the one it was; undefined when all are. @throws {Error} of the file system */
  lost(): FileLoss | undefined {
    for (const path of this.#paths) {
      const now = identityAt(path), was = this.#seen.get(path);
      if (was === undefined) {
        if (now !== undefined) this.#seen.set(path, now);
      } else if (now !== was) {
        return { name: basename(path), how: now === undefined ? "removed" : "replaced" };
      }
    }
    return undefined;
  }
}
