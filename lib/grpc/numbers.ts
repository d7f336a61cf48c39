/**
 * Numbers of fields: the committed lock, to which fields are only added. A field that was removed, or got another type, keeps
 * its number for ever: programs of other versions still send it. Pure.
 */

/** Message → its fields in the order of their numbers, from 1: `name type`; with `-` in front of what it has no longer. */
export type NumberLock = Readonly<Record<string, readonly string[]>>;

/** A field as the lock knows it: what it is called, and what of its type the bytes depend on. */
export interface LockedField {
  readonly name: string;
  /** `repeated string`, `map Vm`, `int64`. */
  readonly wire: string;
}

/** Begins the entry of a field that is gone. */
const GONE = "-";

const entryOf = ({ name, wire }: LockedField) => `${name} ${wire}`;
const nameIn = (entry: string) => entry.slice(entry.startsWith(GONE) ? 1 : 0).split(" ", 1)[0]!;

/** Numbers of a message's fields, by name, and what is reserved. */
export interface Numbers {
  readonly of: ReadonlyMap<string, number>;
  readonly reserved: readonly { readonly number: number; readonly name: string }[];
}

/** Numbers for fields: those of the lock, and next ones for what it does not know. */
export function numbersFor(entries: readonly string[], fields: readonly LockedField[]): Numbers {
  const list = updatedEntries(entries, fields), known = new Set(fields.map(entryOf));
  const of = new Map<string, number>(), reserved: { number: number; name: string }[] = [];
  for (const [at, entry] of list.entries()) {
    if (known.has(entry)) of.set(nameIn(entry), at + 1);
    else reserved.push({ number: at + 1, name: nameIn(entry) });
  }
  return { of, reserved };
}

/** The entries of a message with these fields: none moves, what is gone is marked, what is new is at the end. */
export function updatedEntries(entries: readonly string[], fields: readonly LockedField[]): string[] {
  const wanted = fields.map(entryOf), isWanted = new Set(wanted);
  const kept = entries.map((entry) => entry.startsWith(GONE) || isWanted.has(entry) ? entry : GONE + entry);
  const isKept = new Set(kept);
  return [...kept, ...wanted.filter((entry) => !isKept.has(entry))];
}

/** The lock for messages with these fields. Messages that are gone keep their entries: one of that name may come back. */
export function updatedLock(
  lock: NumberLock,
  messages: ReadonlyMap<string, readonly LockedField[]>,
): Record<string, readonly string[]> {
  const names = [...new Set([...Object.keys(lock), ...messages.keys()])].sort();
  return Object.fromEntries(
    names.map((name) => [name, updatedEntries(lock[name] ?? [], messages.get(name) ?? [])]),
  );
}

/** Entries of a lock that another one has lost or moved: each would give a number a second meaning. */
export function lostNumbers(before: NumberLock, after: NumberLock): string[] {
  return Object.entries(before).flatMap(([message, entries]) =>
    entries.flatMap((entry, at) => {
      const now = after[message]?.[at];
      const stays = now === entry || now === GONE + entry;
      return stays ? [] : [`${message}: number ${at + 1} was ${entry}, and is ${now ?? "lost"}`];
    })
  );
}
