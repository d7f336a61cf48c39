/**
 * An empty file for each operation that is not over. On a full disk no row of the database can be removed, but a file can:
 * without that, the next run of the process would take back what was finished, and told as done.
 */
import { join } from "node:path";
import { HOUR_MS } from "../../lib/duration.ts";
import { onDisk } from "../heartbeat.ts";

/** Milliseconds after which a file without an operation is what a kill left, and no operation is about to record it. */
const LEFT_MS = HOUR_MS;

export class OpenMarks {
  readonly #folder: string;

  /** @param dataDir the folder of the database */
  constructor(dataDir: string) {
    this.#folder = join(dataDir, "operations");
  }

  /** @throws {Error} of the file system */
  add(id: string): void {
    onDisk("noting an operation", () => {
      Deno.mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
      Deno.writeTextFileSync(join(this.#folder, id), "", { mode: 0o600 });
    });
  }

  /** Does nothing where there is none. @throws {Error} of the file system */
  remove(id: string): void {
    try {
      onDisk("noting an operation", () => Deno.removeSync(join(this.#folder, id)));
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }

  /** Ids of operations. @throws {Error} of the file system: what is over cannot be told then */
  all(): Set<string> {
    try {
      return new Set([...Deno.readDirSync(this.#folder)].map(({ name }) => name));
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return new Set();
      throw error;
    }
  }

  /** Removes what a kill left between a file and its operation. @param known ids of operations that are written down */
  tidy(known: ReadonlySet<string>): void {
    for (const id of this.all()) {
      if (known.has(id)) continue;
      const { mtime } = Deno.statSync(join(this.#folder, id));
      if (Date.now() - (mtime?.getTime() ?? Date.now()) > LEFT_MS) this.remove(id);
    }
  }
}
