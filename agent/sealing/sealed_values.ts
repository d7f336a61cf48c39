/** Sealed values: their form in a record, and the fields of a database that hold them. */
import type { DatabaseSync } from "node:sqlite";
import { SEALED_PLACES, type SealedPlace } from "./places.ts";

/** A secret as it is kept: an object, so that no text that somebody gives is taken for one. */
export interface Sealed {
  /** `1.<id of the key>.<base64>`. */
  readonly sealed: string;
}

/** Secrets of a record that cannot be read now, by field: they are kept as they are. */
export type Unread = Readonly<Record<string, Sealed>>;

/** A record with secrets that cannot be read. */
export interface UnreadSecret {
  /** `secrets of the alert target Ops`. */
  readonly what: string;
  readonly remedy: string;
}

export type SecretRecord = Record<string, unknown>;

export const isSealed = (value: unknown): value is Sealed =>
  typeof value === "object" && value !== null && typeof (value as Sealed).sealed === "string";

/** A record without what could not be read of it and has been given since. */
export function withoutGiven<T extends object>(record: T): T {
  const { unread, ...rest } = record as { readonly unread?: Unread };
  if (unread === undefined) return record;
  const left = Object.entries(unread).filter(([field]) => (rest as SecretRecord)[field] === undefined);
  return (left.length === 0 ? rest : { ...rest, unread: Object.fromEntries(left) }) as T;
}

/** The object that has a field, and the field's name in it. */
export function fieldHolder(
  record: SecretRecord,
  field: string,
): { holder: SecretRecord; name: string } | undefined {
  const path = field.split("."), name = path.pop()!;
  let holder = record;
  for (const part of path) {
    const next = holder[part];
    if (typeof next !== "object" || next === null) return undefined;
    holder = next as SecretRecord;
  }
  return { holder, name };
}

/** A field that is to be sealed, as the database has it. */
interface StoredValue {
  readonly place: SealedPlace;
  readonly id: string;
  readonly title: string;
  readonly record: SecretRecord;
  readonly field: string;
  readonly value: unknown;
}

/** Every secret in a database. */
export function* valuesIn(database: DatabaseSync): Generator<StoredValue> {
  for (const place of SEALED_PLACES) {
    const isTable = database.prepare("SELECT 1 FROM sqlite_schema WHERE name = ?").get(place.table);
    if (isTable === undefined) continue;
    const where = [`${place.column} IS NOT NULL`, ...(place.where === undefined ? [] : [place.where])];
    const rows = database.prepare(
      `SELECT ${place.key} AS id, ${place.column} AS record, ${place.title} AS title FROM ${place.table} ` +
        `WHERE ${where.join(" AND ")}`,
    ).all();
    for (const { id, record, title } of rows) {
      // Rows are ours alone: the database is checked when it is opened, and no other program writes it.
      const parsed = JSON.parse(String(record)) as SecretRecord;
      for (const field of place.fields) {
        const found = fieldHolder(parsed, field), value = found?.holder[found.name];
        if (value === undefined) continue;
        yield { place, id: String(id), title: String(title), record: parsed, field, value };
      }
    }
  }
}

/** Records with secrets in a database, whether they can be read or not: `secrets of the alert target Ops`. */
export const secretsIn = (database: DatabaseSync): UnreadSecret[] => [
  ...new Map([...valuesIn(database)].map(({ place: { noun, remedy }, title }) => {
    const what = `${noun} ${title}`;
    return [what, { what, remedy }] as const;
  })).values(),
];
