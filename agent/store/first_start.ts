/**
 * Whether a data folder without a database is that of a first start. One that was used before has lost its database:
 * to begin with an empty one would hide that users, schedules and backups are gone.
 */
import { join } from "node:path";

/** Written before the database is made, removed once it is: a first start that is cut short stays one. */
const MARK = ".first-start";
/** Names of what an earlier run alone can have left in the folder. The TLS certificate is made before the database. */
const OF_EARLIER_RUNS: readonly RegExp[] = [
  /^metrics\.db/,
  /^operations$/,
  /^kvm-manager\.(before-upgrade-\d+|rescued-.+)\.db$/,
  /^replaced-/,
  /^last-backup\.json$/,
];
/** Endings of files of the database itself; of these, the ones with content count. */
const WRITTEN_BESIDE = /^kvm-manager\.db-(wal|journal)$/;

/** Files found in a folder without a database. */
export interface Remains {
  /** Names, in order. */
  readonly names: readonly string[];
  /** The newest copy of the database in the folder, by its path; undefined where there is none. */
  readonly copy: string | undefined;
}

function isContent(path: string): boolean {
  return Deno.lstatSync(path).size > 0;
}

/** The number in the name of a copy: a later upgrade has a greater one. */
const upgradeOf = (name: string) => Number(/before-upgrade-(\d+)/.exec(name)?.[1] ?? -1);

/**
 * Files that earlier runs have left; undefined for a first start, also for one that was interrupted. Reads
 * only.
 */
export function remainsIn(dataDir: string): Remains | undefined {
  const all = [...Deno.readDirSync(dataDir)].map(({ name }) => name).sort();
  if (all.includes(MARK)) return undefined;
  const names = all.filter((name) =>
    OF_EARLIER_RUNS.some((pattern) => pattern.test(name)) ||
    (WRITTEN_BESIDE.test(name) && isContent(join(dataDir, name)))
  );
  if (names.length === 0) return undefined;
  const rescued = names.findLast((name) => name.startsWith("kvm-manager.rescued-"));
  const upgraded = names.filter((name) => upgradeOf(name) >= 0).sort((a, b) => upgradeOf(a) - upgradeOf(b))
    .at(-1);
  const copy = rescued ?? upgraded;
  return { names, copy: copy === undefined ? undefined : join(dataDir, copy) };
}

/** Notes that a first start has begun. */
export function beginFirstStart(dataDir: string): void {
  Deno.openSync(join(dataDir, MARK), { write: true, create: true, mode: 0o600 }).close();
}

/** Notes that the folder has a database. */
export function endFirstStart(dataDir: string): void {
  try {
    Deno.removeSync(join(dataDir, MARK));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
