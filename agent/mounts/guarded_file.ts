/** An open file on a mount that can hang: each access to it goes through the gate, as the one that opened it did. */

/** Carries an access out, through the gate. */
export type GatedRun = <T>(run: () => Promise<T>) => Promise<T>;

/** Methods of an open file that wait for its mount. `readable` and `writable` do so on their own. */
const WAITING = ["read", "write", "stat", "sync", "syncData", "truncate", "lock", "tryLock"] as const;

/** The same file, with its accesses going through the gate. */
export function guardFile(file: Deno.FsFile, run: GatedRun): Deno.FsFile {
  for (const name of WAITING) {
    const own = file[name].bind(file) as (...args: unknown[]) => Promise<unknown>;
    Object.defineProperty(file, name, { value: (...args: unknown[]) => run(() => own(...args)) });
  }
  return file;
}
