/** Selects the entries to delete from the bin for good. Pure. */
import { bytesIn, type StoredEntry } from "./entry.ts";

type Dated = Pick<StoredEntry, "files" | "deletedAt" | "until" | "state">;

/** The entries whose time is over. What is on its way in or out is left. @param now milliseconds since 1970 */
export function expired<E extends Dated>(entries: readonly E[], now: number): E[] {
  return entries.filter(({ until, state }) => state === "kept" && until <= now);
}

/**
 * The entries that make room in a pool: the oldest first, no more than it takes, and none that has nothing there.
 *
 * @param bytes how much more the pool has to have free
 */
export function makeRoom<E extends Dated>(entries: readonly E[], pool: string, bytes: number): E[] {
  const going: E[] = [];
  let freed = 0;
  for (const entry of entries.toSorted((a, b) => a.deletedAt - b.deletedAt)) {
    if (freed >= bytes) break;
    const own = bytesIn(entry, pool);
    if (own === 0 || entry.state !== "kept") continue;
    going.push(entry);
    freed += own;
  }
  return going;
}

/** How many bytes a pool lacks until so much of it is free. */
export function lacking(
  { capacity, available }: { readonly capacity: number; readonly available: number },
  freePercent: number,
): number {
  return Math.max(0, Math.ceil(capacity * freePercent / 100) - available);
}
