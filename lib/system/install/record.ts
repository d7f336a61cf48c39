/**
 * Record of the installed build: the note that `install` leaves next to the program, and its consequences for an
 * upgrade.
 */
import { parseJson } from "../../text/json.ts";
import { message, render } from "../../i18n/message.ts";

/** One build of the program. */
export interface Build {
  readonly version: string;
  /** Version of the database it writes. */
  readonly database: number;
  /** SHA-256 of the binary, in hex. */
  readonly sha256: string;
}

/** The note. */
export interface InstallRecord extends Build {
  /** Former build, kept for a rollback. */
  readonly previous?: Build;
}

const isBuild = (value: unknown): value is Build => {
  const { version, database, sha256 } = (value ?? {}) as Record<string, unknown>;
  return typeof version === "string" && Number.isSafeInteger(database) && typeof sha256 === "string";
};

/** Reads the note; undefined for what is none. */
export function parseRecord(text: string): InstallRecord | undefined {
  let value: unknown;
  try {
    value = parseJson(text);
  } catch {
    return undefined; // cut short, or somebody else's
  }
  if (!isBuild(value)) return undefined;
  const { version, database, sha256 } = value;
  const { previous } = value as { previous?: unknown };
  return { version, database, sha256, ...(isBuild(previous) && { previous }) };
}

/** Order of two versions `1.2.3`: below, at or above 0. */
export function compareVersions(one: string, other: string): number {
  const [a, b] = [one, other].map((text) => text.split(/[.-]/).map(Number));
  for (let at = 0; at < 3; at++) {
    const difference = (a![at] || 0) - (b![at] || 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/**
 * Why a build must not replace what is there; null when it may.
 *
 * @param database version of the database in the data folder; undefined where there is none
 * @param copies copies of the database that were made before it was brought up to date, as file names
 */
export function replacementRefusal(
  build: Pick<Build, "version" | "database">,
  database: number | undefined,
  copies: readonly string[] = [],
): string | null {
  if (database === undefined || database <= build.database) return null;
  const copy = copies.find((name) => name === databaseCopyName(build.database)) ?? copies.at(-1);
  const advice = copy === undefined
    ? message`Install that version or a newer one, or put back a state that was saved with this one: kvm-manager restore-state FILE`
    : message`To go back all the same, and lose what happened since: systemctl stop kvm-manager, then kvm-manager restore-state /var/lib/kvm-manager/${copy}, then try again`;
  return render(
    message`the database (version ${database}) was written by a newer KVM Manager; ${build.version} knows versions up to ${build.database}. ${advice}. Nothing was changed`,
  );
}

/** Name of the copy of a database of this version, made before it is brought up to date. */
export function databaseCopyName(version: number): string {
  return `kvm-manager.before-upgrade-${version}.db`;
}
