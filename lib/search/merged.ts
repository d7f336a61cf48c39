/**
 * Lists of several hosts as one, newest first, page by page. Each host's list keeps its own order, which is by its own numbers;
 * hosts are merged by the time of what comes next of each. So no row is left out or comes twice, however clocks are set and
 * whichever host is missing on a page. Pure.
 */

/** Place of a row in its host's list: the larger is the newer; the text decides between equal numbers. */
export interface ListPlace {
  readonly number: number;
  readonly text: string;
}

/** A row of a host's list. */
export interface ListedRow<T> {
  readonly row: T;
  /** Milliseconds since 1970, by the clock here. */
  readonly at: number;
  readonly place: ListPlace;
}

/** Answer of a host: entries older than the position that it was asked for, newest first. */
export interface ListPart<T> {
  readonly rows: readonly ListedRow<T>[];
  /** Nothing is behind these rows. */
  readonly isEnd: boolean;
}

/** Host → behind which place of its list its next rows are; null: it has no more. A host that has not answered has none. */
export type Positions = Readonly<Record<string, ListPlace | null>>;

/** Whether a place is behind another one: older. */
export const isBehind = (place: ListPlace, than: ListPlace): boolean =>
  place.number < than.number || place.number === than.number && place.text < than.text;

/** Whether rows are in the order of a list, and all behind a place. */
export function isInOrder(
  rows: readonly { readonly place: ListPlace }[],
  before: ListPlace | undefined,
): boolean {
  return rows.every(({ place }, index) => {
    const ahead = index === 0 ? before : rows[index - 1]!.place;
    return ahead === undefined || isBehind(place, ahead);
  });
}

/** One page of the merged list. */
export interface MergedPage<T> {
  readonly rows: readonly T[];
  /** Positions of the next page; undefined on the last one. */
  readonly next: Positions | undefined;
}

/**
 * Merges what hosts have answered.
 *
 * @param parts host → what it has given for its position
 * @param missing hosts that have not answered: the next page asks them again, unless this one has nothing
 * @param positions where this page begins
 * @param limit most rows of the page, which each part has if its list is that long
 */
export function mergedPage<T>(
  parts: ReadonlyMap<string, ListPart<T>>,
  missing: readonly string[],
  positions: Positions,
  limit: number,
): MergedPage<T> {
  const heads = new Map([...parts.keys()].map((host) => [host, 0]));
  const rows: T[] = [];
  while (rows.length < limit) {
    let newest: { readonly host: string; readonly listed: ListedRow<T> } | undefined;
    for (const [host, { rows: own }] of parts) {
      const listed = own[heads.get(host)!];
      if (listed !== undefined && (newest === undefined || listed.at > newest.listed.at)) {
        newest = { host, listed };
      }
    }
    if (newest === undefined) break;
    rows.push(newest.listed.row);
    heads.set(newest.host, heads.get(newest.host)! + 1);
  }
  const after: Record<string, ListPlace | null> = { ...positions };
  let hasMore = rows.length > 0 && missing.some((host) => positions[host] !== null);
  for (const [host, { rows: own, isEnd }] of parts) {
    const taken = heads.get(host)!, last = own[taken - 1], isOver = isEnd && taken === own.length;
    hasMore ||= !isOver;
    // What comes to the head of the list meanwhile is not of the pages that follow
    const [first] = own, ahead = first && { number: first.place.number + 1, text: "" };
    after[host] = isOver ? null : last?.place ?? positions[host] ?? ahead ?? null;
  }
  return { rows, next: hasMore ? after : undefined };
}
