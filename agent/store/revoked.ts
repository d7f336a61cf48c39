/**
 * Revocations since a state was saved: they hold when that state is restored. They are known if the present
 * database continues the saved one, which its activity shows; any other one, as that of a new setup, has
 * none.
 */
import type { DatabaseSync } from "node:sqlite";

/** Parts of a saved state that stay revoked, by names. */
export interface Revoked {
  /** Whether the present database could tell. */
  readonly isKnown: boolean;
  readonly users: readonly string[];
  readonly tokens: readonly string[];
  readonly forwards: readonly string[];
}

const NOTHING = { users: [], tokens: [], forwards: [] } as const;

const hasTable = (database: DatabaseSync, name: string): boolean =>
  database.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?").get(name) !== undefined;

/** Whether a database has what was the newest activity of a saved one. */
function goesOnFrom(saved: DatabaseSync, present: DatabaseSync): boolean {
  const newest = "SELECT id, timestamp, actor, action FROM activity";
  const last = saved.prepare(`${newest} ORDER BY id DESC LIMIT 1`).get();
  if (last === undefined) return false;
  const same = present.prepare(`${newest} WHERE id = ?`).get(last.id!);
  return same !== undefined && JSON.stringify(same) === JSON.stringify(last);
}

/** Kinds of records of who may do what. Taken as they are now: a password, a passkey or a right that went does not come back. */
const ACCESS = ["user", "token", "role"] as const;

/** @returns the names of users and tokens that stay away */
function keepAccess(saved: DatabaseSync, present: DatabaseSync): Pick<Revoked, "users" | "tokens"> {
  const gone: Record<string, string[]> = { user: [], token: [], role: [] };
  for (const kind of ACCESS) {
    const now = new Map(
      present.prepare("SELECT key, record FROM access WHERE kind = ?").all(kind)
        .map(({ key, record }) => [String(key), String(record)]),
    );
    for (const { key, record } of saved.prepare("SELECT key, record FROM access WHERE kind = ?").all(kind)) {
      const kept = now.get(String(key));
      if (kept !== undefined) {
        saved.prepare("UPDATE access SET record = ? WHERE kind = ? AND key = ?").run(kept, kind, key!);
        continue;
      }
      saved.prepare("DELETE FROM access WHERE kind = ? AND key = ?").run(kind, key!);
      const { name } = JSON.parse(String(record)) as { readonly name?: string };
      gone[kind]!.push(name ?? String(key));
    }
  }
  return { users: gone.user!, tokens: gone.token! };
}

/** @returns the forwards that stay away, as `tcp 2222 of default` */
function keepForwards(saved: DatabaseSync, present: DatabaseSync): string[] {
  const all = "SELECT id, protocol, host_port, network, enabled FROM port_forwards";
  const now = new Map(present.prepare(all).all().map((each) => [String(each.id), each]));
  return saved.prepare(all).all().flatMap(({ id, protocol, host_port, network, enabled }) => {
    const kept = now.get(String(id));
    if (kept === undefined) {
      saved.prepare("DELETE FROM port_forwards WHERE id = ?").run(id!);
      return [`${protocol} ${host_port} of ${network}`];
    }
    if (kept.enabled !== enabled) {
      saved.prepare("UPDATE port_forwards SET enabled = ? WHERE id = ?").run(kept.enabled!, id!);
    }
    return [];
  });
}

/** Tables of what the tools of profiles may do. Taken as they are now: what was narrowed, or made an agent, stays so. */
const PROFILES = ["profiles", "project_tools", "tools"] as const;

function keepProfiles(saved: DatabaseSync, present: DatabaseSync): void {
  // A state of before there were profiles gets the tables when it is opened, without a row
  if (!PROFILES.every((name) => hasTable(saved, name) && hasTable(present, name))) return;
  for (const table of PROFILES) {
    saved.exec(`DELETE FROM ${table}`);
    const insert = saved.prepare(`INSERT INTO ${table} (id, record) VALUES (?, ?)`);
    for (const { id, record } of present.prepare(`SELECT id, record FROM ${table}`).all()) {
      insert.run(id!, record!);
    }
  }
}

/**
 * Takes out of a saved database what was revoked since, and every session: who was signed in signs in again.
 *
 * @param present the database in whose place it goes; undefined where that cannot be read
 */
export function keepRevoked(saved: DatabaseSync, present: DatabaseSync | undefined): Revoked {
  if (!hasTable(saved, "access")) return { isKnown: false, ...NOTHING };
  saved.exec("DELETE FROM access WHERE kind = 'session'");
  const tables = ["access", "activity", "port_forwards"];
  const isWhole = present !== undefined &&
    tables.every((name) => hasTable(saved, name) && hasTable(present, name));
  if (!isWhole || !goesOnFrom(saved, present)) return { isKnown: false, ...NOTHING };
  keepProfiles(saved, present);
  return { isKnown: true, ...keepAccess(saved, present), forwards: keepForwards(saved, present) };
}
