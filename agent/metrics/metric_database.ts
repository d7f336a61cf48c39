/**
 * The store of metrics, as its worker has it: figures of a tick are written at once, and each hour that is over is
 * packed into chunks of every resolution. All calls are synchronous; each writes all or nothing.
 */
import type { DatabaseSync, SQLOutputValue, StatementSync } from "node:sqlite";
import type { MetricFigures } from "../../lib/contract/metrics.ts";
import { ChunkError, decodeChunk, encodeChunk } from "../../lib/metrics/chunk.ts";
import { between, mergePoints, NO_POINTS, type Points } from "../../lib/metrics/points.ts";
import { floorTo, HOUR_S, type Resolution, RESOLUTIONS } from "../../lib/metrics/resolutions.ts";
import { rollUp } from "../../lib/metrics/roll_up.ts";
import { log } from "../log.ts";
import { fileBytes } from "./metric_file.ts";
import { EarlierRows } from "./earlier_rows.ts";
import {
  countIn,
  GROUP,
  type GroupPoints,
  mergeGroups,
  oldestIn,
  packPoints,
  placeBits,
  placesIn,
  unpackPoints,
} from "./packed_points.ts";
import {
  BUCKET,
  bucketOf,
  chunkIds,
  groupIds,
  groupOf,
  hourId,
  type IdRange,
  OF_TIME,
  tickIds,
  tickTime,
  timeOf,
} from "./row_ids.ts";
import type { SeriesKey, SeriesQuery, StoredSeries, SubjectSeries } from "./series.ts";
import { Totals } from "./point_totals.ts";

/** Result of a part of a clean-up. */
export interface CleanedPart {
  readonly points: number;
  /** Series that have nothing any more were removed. */
  readonly series: number;
  /** Start of the next part; null: it was the last. */
  readonly next: number | null;
}

/** Series that a part of a clean-up looks at. */
const CLEANED_AT_ONCE = 1000;
/** Hours of a chunk that stand in rows of their own, at most, before they are made one. */
const LOOSE = 24;
/** Pages that are given back to the file system at once. */
const PAGES_AT_ONCE = 2000;

/** Figures of a tick in a bucket: by place, in the form of times. A damaged row is a gap. */
function figuresOf(bytes: SQLOutputValue | undefined): Points {
  try {
    return decodeChunk(bytes as Uint8Array);
  } catch (error) {
    if (!(error instanceof ChunkError)) throw error;
    log.warn("a reading in the metrics is damaged", { error });
    return NO_POINTS;
  }
}

/** An hour that is packed, bucket by bucket. */
interface Packing {
  /** Seconds since 1970. */
  readonly hour: number;
  /** Those that are not packed yet. */
  readonly buckets: number[];
}

export class MetricDatabase {
  readonly #tick: StatementSync;
  readonly #putTick: StatementSync;
  readonly #ticksOf: StatementSync;
  readonly #chunks: StatementSync;
  readonly #rows: StatementSync;
  readonly #putRow: StatementSync;
  readonly #removeRows: StatementSync;
  readonly #rowBefore: StatementSync;
  readonly #total: StatementSync;
  #packing: Packing | undefined;
  /** Rows of an earlier version that are not migrated yet. */
  #earlier: EarlierRows | undefined;

  constructor(readonly database: DatabaseSync, readonly path: string) {
    const earlier = new EarlierRows(database);
    if (earlier.isThere) this.#earlier = earlier;
    this.#tick = database.prepare("SELECT figures FROM ticks WHERE id = ?");
    this.#putTick = database.prepare("INSERT OR REPLACE INTO ticks VALUES (?, ?, ?)");
    this.#ticksOf = database.prepare(
      `SELECT id, figures FROM ticks WHERE id >= ? AND id < ? AND id % ${OF_TIME} = ? ORDER BY id`,
    );
    this.#chunks = database.prepare("SELECT data FROM chunks WHERE id >= ? AND id < ? ORDER BY id");
    this.#rows = database.prepare(
      "SELECT count(*) AS rows, total(points) AS points, total(length(data)) AS bytes FROM chunks WHERE id >= ? AND id < ?",
    );
    this.#putRow = database.prepare("INSERT OR REPLACE INTO chunks VALUES (?, ?, ?, ?)");
    this.#removeRows = database.prepare("DELETE FROM chunks WHERE id >= ? AND id < ?");
    this.#rowBefore = database.prepare(
      "SELECT id FROM chunks WHERE id >= ? AND id < ? ORDER BY id DESC LIMIT 1",
    );
    this.#total = database.prepare(
      "INSERT INTO totals VALUES (?, ?, ?, ?) ON CONFLICT (resolution) DO UPDATE SET points = points + excluded.points, " +
        "bytes = bytes + excluded.bytes, oldest = min(oldest, excluded.oldest)",
    );
  }

  close(): void {
    this.database.close();
  }

  /** Runs statements as one transaction. */
  #write<T>(run: () => T): T {
    this.database.exec("BEGIN IMMEDIATE");
    try {
      const result = run();
      this.database.exec("COMMIT");
      return result;
    } catch (error) {
      // A full disk has ended the transaction already
      if (this.database.isTransaction) this.database.exec("ROLLBACK");
      throw error;
    }
  }

  /** The ids of series, which are made where they are new. */
  register(keys: readonly SeriesKey[]): number[] {
    const find = this.database.prepare(
      "SELECT id FROM series WHERE host = ? AND subject = ? AND name = ? AND label = ?",
    );
    const add = this.database.prepare(
      "INSERT INTO series (host, subject, name, label) VALUES (?, ?, ?, ?) RETURNING id",
    );
    return this.#write(() =>
      keys.map(({ host, subject, name, label }) => {
        const row = find.get(host, subject, name, label) ?? add.get(host, subject, name, label);
        return Number(row!.id);
      })
    );
  }

  /**
   * Writes what was taken at a time. What was written for that time before, and of the same series, is replaced.
   *
   * @param time seconds since 1970
   * @param ids of the series, rising
   */
  write(time: number, ids: Uint32Array, figures: Float32Array): void {
    const at = tickTime(time);
    this.#write(() => {
      for (let first = 0; first < ids.length;) {
        const bucket = bucketOf(ids[first]!);
        let end = first;
        while (end < ids.length && bucketOf(ids[end]!) === bucket) end++;
        this.#writeTick(
          tickIds(at, 0)[0] + bucket,
          ids.subarray(first, end).map((id) => id % BUCKET),
          figures.subarray(first, end),
        );
        first = end;
      }
    });
    // What is packed already is removed with the rest of the hour: it is packed once more
    if (this.#packing?.hour === floorTo(at, HOUR_S)) this.#packing = undefined;
  }

  #writeTick(id: number, places: Uint32Array, figures: Float32Array): void {
    const had = this.#tick.get(id), taken = { times: Array.from(places), avg: Array.from(figures) };
    const all = had === undefined ? taken : mergePoints(figuresOf(had.figures), taken);
    this.#putTick.run(id, all.times.length, encodeChunk(all));
  }

  /** Ticks that are not packed yet, of the series of a bucket: by place in it. */
  #ticks(bucket: number, from: number, to: number): Map<number, { times: number[]; avg: number[] }> {
    const found = new Map<number, { times: number[]; avg: number[] }>();
    for (const { id, figures } of this.#ticksOf.iterate(...tickIds(from, to), bucket)) {
      const time = Math.floor(Number(id) / OF_TIME);
      const { times: places, avg } = figuresOf(figures);
      for (let index = 0; index < places.length; index++) {
        if (Number.isNaN(avg[index])) continue;
        let points = found.get(places[index]!);
        if (!points) found.set(places[index]!, points = { times: [], avg: [] });
        points.times.push(time);
        points.avg.push(avg[index]!);
      }
    }
    return found;
  }

  /**
   * Packs figures of an hour that is over. Where the clock was set back, what is there of the hour already is kept.
   *
   * @param now seconds since 1970
   * @returns whether there may be more to pack
   */
  pack(now: number): boolean {
    if (this.#earlier !== undefined) return this.#takeOver(this.#earlier);
    const packing = this.#packing ??= this.#due(floorTo(now, HOUR_S));
    const bucket = packing?.buckets.pop();
    if (packing === undefined || bucket === undefined) return false;
    try {
      this.#write(() => {
        const totals = new Totals();
        this.#packBucket(bucket, packing.hour, totals);
        if (packing.buckets.length === 0) {
          this.database.prepare("DELETE FROM ticks WHERE id >= ? AND id < ?")
            .run(...tickIds(packing.hour, packing.hour + HOUR_S));
        }
        totals.write(this.#total);
      });
    } catch (error) {
      this.#packing = undefined;
      throw error;
    }
    if (packing.buckets.length === 0) this.#packing = undefined;
    return true;
  }

  /** Takes over what a group has of an earlier version. */
  #takeOver(earlier: EarlierRows): true {
    this.#write(() => {
      for (const { bucket, time, places, figures } of earlier.ticks()) {
        this.#writeTick(tickIds(tickTime(time), 0)[0] + bucket, places, figures);
      }
      earlier.removeTicks();
      const series = earlier.first;
      if (series === undefined) return earlier.end();
      const group = groupOf(series), first = group * GROUP, totals = new Totals();
      const known = earlier.chunks(first, first + GROUP).filter(({ points }) => points.times.length > 0);
      const chunks = Map.groupBy(known, (each) => chunkIds(group, each.resolution, each.time)[0]);
      for (const [id, of] of chunks) {
        const { resolution, time } = of[0]!;
        const points = new Map(of.map((each) => [each.series - first, each.points]));
        this.#replace(resolution, chunkIds(group, resolution, time), id, points, totals);
      }
      earlier.remove(first, first + GROUP);
      totals.write(this.#total);
    });
    if (!earlier.isThere) this.#earlier = undefined;
    return true;
  }

  /** The oldest hour that has ticks; of those to come, as after a clock that was set back, too. */
  #due(hour: number): Packing | undefined {
    const [begin, end] = tickIds(hour, hour + HOUR_S);
    const first = this.database.prepare("SELECT id FROM ticks WHERE id < ? ORDER BY id LIMIT 1").get(begin) ??
      this.database.prepare("SELECT id FROM ticks WHERE id >= ? ORDER BY id LIMIT 1").get(end);
    if (first === undefined) return undefined;
    const from = floorTo(Math.floor(Number(first.id) / OF_TIME), HOUR_S);
    const buckets = this.database.prepare(
      `SELECT DISTINCT id % ${OF_TIME} AS bucket FROM ticks WHERE id >= ? AND id < ?`,
    ).all(...tickIds(from, from + HOUR_S)).map(({ bucket }) => Number(bucket));
    return { hour: from, buckets };
  }

  #packBucket(bucket: number, hour: number, totals: Totals): void {
    const groups = new Map<number, Map<number, Points>>();
    for (const [place, points] of this.#ticks(bucket, hour, hour + HOUR_S)) {
      const series = bucket * BUCKET + place, group = groupOf(series);
      groups.getOrInsertComputed(group, () => new Map()).set(series % GROUP, points);
    }
    for (const [group, taken] of groups) this.#packGroup(group, hour, taken, totals);
  }

  #packGroup(group: number, hour: number, taken: GroupPoints, totals: Totals): void {
    const [raw, ...coarser] = RESOLUTIONS as [Resolution, ...Resolution[]];
    const all = this.#add(group, raw, hour, taken, totals);
    for (const each of coarser) {
      const [first, end] = chunkIds(group, each, hour), id = hourId(group, each, hour);
      const before = this.#rowBefore.get(groupIds(group, each)[0], id);
      const rolledUp = all.entries().map(([place, points]) => [place, rollUp(points, each.step)] as const);
      this.#add(group, each, hour, new Map(rolledUp), totals);
      // The first of its chunk: the one before is over
      if (before !== undefined && Number(before.id) < first) {
        this.#fold(group, each, Number(before.id), totals);
      }
      if (Number(this.#rows.get(first, end)!.rows) > LOOSE) this.#fold(group, each, id, totals);
    }
  }

  /** Puts points of an hour into its row. Where the hour comes again, what it had is kept. @returns all that it has now */
  #add(group: number, each: Resolution, hour: number, points: GroupPoints, totals: Totals): GroupPoints {
    const id = hourId(group, each, hour);
    return this.#replace(each, [id, id + 1], id, points, totals);
  }

  /** Makes the rows of a chunk one. @param id of one of them */
  #fold(group: number, each: Resolution, id: number, totals: Totals): void {
    const ids = chunkIds(group, each, timeOf(id));
    if (Number(this.#rows.get(...ids)!.rows) > 1) this.#replace(each, ids, ids[0], new Map(), totals);
  }

  /** Puts what some rows have, and what is new, into one. @returns all of it */
  #replace(
    each: Resolution,
    [first, end]: IdRange,
    id: number,
    later: GroupPoints,
    totals: Totals,
  ): GroupPoints {
    const had = this.#rows.get(first, end)!;
    let points = later;
    if (Number(had.rows) > 0) {
      const rows = this.#chunks.all(first, end).map(({ data }) => unpackPoints(data as Uint8Array));
      points = mergeGroups([...rows, later]);
      this.#removeRows.run(first, end);
    }
    const data = packPoints(points), count = countIn(points);
    this.#putRow.run(id, count, placeBits(points), data);
    totals.add(each, count - Number(had.points), data.length - Number(had.bytes), oldestIn(points));
    return points;
  }

  /** Series with what is known of them from one time to another. Seconds since 1970. */
  read(
    { host, subject, names: wanted, label }: SeriesQuery,
    from: number,
    to: number,
    resolution: Resolution,
  ): StoredSeries[] {
    const rows = this.database.prepare("SELECT id, name, label FROM series WHERE host = ? AND subject = ?")
      .all(host, subject);
    const names = wanted && new Set(wanted);
    const series = rows.map((row) => ({
      id: Number(row.id),
      name: String(row.name),
      label: String(row.label),
    }))
      .filter((each) => (!names || names.has(each.name)) && (label === undefined || each.label === label));
    const packed = new Map<number, GroupPoints>(), open = new Map<number, ReadonlyMap<number, Points>>();
    for (const [group, members] of Map.groupBy(series, ({ id }) => groupOf(id))) {
      packed.set(
        group,
        this.#packed(group, new Set(members.map(({ id }) => id % GROUP)), from, to, resolution),
      );
    }
    for (const bucket of new Set(series.map(({ id }) => bucketOf(id)))) {
      open.set(bucket, this.#ticks(bucket, floorTo(from, HOUR_S), to));
    }
    return series.flatMap(({ id, name, label }) => {
      const fresh = open.get(bucketOf(id))!.get(id % BUCKET) ?? NO_POINTS;
      const recent = resolution.step === 0 ? fresh : rollUp(fresh, resolution.step);
      const before = packed.get(groupOf(id))!.get(id % GROUP) ?? NO_POINTS;
      const points = between(mergePoints(before, recent), from, to);
      return points.times.length > 0 ? [{ name, label, points }] : [];
    });
  }

  /**
   * Adds points that were taken elsewhere. Where there is one of the same time, the added one counts.
   *
   * @param taken together, subjects whose series have one row are written at once
   */
  take(each: Resolution, taken: readonly SubjectSeries[]): void {
    const ids = this.register(
      taken.flatMap(({ host, subject, series }) =>
        series.map(({ name, label }) => ({ host, subject, name, label }))
      ),
    );
    /** By the first id of the rows of a chunk. */
    const chunks = new Map<
      number,
      { readonly group: number; readonly time: number; readonly points: Map<number, Points> }
    >();
    for (const [index, { points }] of taken.flatMap(({ series }) => series).entries()) {
      const id = ids[index]!, group = groupOf(id);
      for (let time = points.times[0] ?? Infinity; time <= points.times.at(-1)!;) {
        const end = floorTo(time, each.chunk) + each.chunk, part = between(points, time, end);
        const chunk = chunks.getOrInsertComputed(
          chunkIds(group, each, time)[0],
          () => ({ group, time, points: new Map() }),
        );
        chunk.points.set(id % GROUP, part);
        time = points.times.find((other) => other >= end) ?? Infinity;
      }
    }
    this.#write(() => {
      const totals = new Totals();
      for (const [first, { group, time, points }] of chunks) {
        this.#replace(each, chunkIds(group, each, time), first, points, totals);
      }
      totals.write(this.#total);
    });
  }

  /** Packed points of some series of a group, of all chunks that overlap a range. */
  #packed(
    group: number,
    places: ReadonlySet<number>,
    from: number,
    to: number,
    resolution: Resolution,
  ): GroupPoints {
    const [first] = chunkIds(group, resolution, from), end = hourId(group, resolution, to) + 1;
    return mergeGroups(
      this.#chunks.all(first, end).map(({ data }) => unpackPoints(data as Uint8Array, places)),
    );
  }

  /**
   * Removes chunks that are over, of some series at a time.
   *
   * @param before seconds since 1970, by resolution: a chunk that ended by then is removed
   * @param after id of the series after which to go on
   */
  clean(before: readonly number[], after: number): CleanedPart {
    const rows = this.database.prepare("SELECT id FROM series WHERE id > ? ORDER BY id LIMIT ?").all(
      after,
      CLEANED_AT_ONCE,
    );
    const ids = rows.map(({ id }) => Number(id));
    const left = this.database.prepare("SELECT places FROM chunks WHERE id >= ? AND id < ?");
    const taken = this.database.prepare(`SELECT DISTINCT id % ${OF_TIME} AS bucket FROM ticks`);
    const drop = this.database.prepare("DELETE FROM series WHERE id = ?");
    return this.#write(() => {
      const totals = new Totals(), kept = new Set<number>();
      const buckets = new Set(taken.all().map(({ bucket }) => Number(bucket)));
      let points = 0, series = 0;
      for (const group of new Set(ids.map(groupOf))) {
        for (const each of RESOLUTIONS) {
          const [first] = groupIds(group, each), [end] = chunkIds(group, each, before[each.id]!);
          const gone = this.#rows.get(first, end)!;
          if (Number(gone.rows) === 0) continue;
          this.#removeRows.run(first, end);
          points += Number(gone.points);
          totals.add(each, -Number(gone.points), -Number(gone.bytes));
        }
        for (const { places } of left.iterate(...groupIds(group))) {
          for (const place of placesIn(places as Uint8Array)) kept.add(group * GROUP + place);
        }
      }
      for (const id of ids) {
        if (kept.has(id) || buckets.has(bucketOf(id)) || this.#earlier !== undefined) continue;
        drop.run(id);
        series++;
      }
      totals.write(this.#total);
      if (ids.length < CLEANED_AT_ONCE) this.#noteOldest(before);
      return { points, series, next: ids.length < CLEANED_AT_ONCE ? null : ids.at(-1)! };
    });
  }

  /** After a clean-up nothing is older than what it left. */
  #noteOldest(before: readonly number[]): void {
    const note = this.database.prepare("UPDATE totals SET oldest = max(oldest, ?) WHERE resolution = ?");
    for (const each of RESOLUTIONS) note.run(floorTo(before[each.id]!, each.chunk), each.id);
  }

  /** Gives pages that are not in use back to the file system. @returns whether there are more */
  shrink(): boolean {
    this.database.exec(`PRAGMA incremental_vacuum(${PAGES_AT_ONCE})`);
    if (this.#pragma("freelist_count") > 0) return true;
    this.database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    return false;
  }

  #pragma(name: string): number {
    return Number(Object.values(this.database.prepare(`PRAGMA ${name}`).get()!)[0]);
  }

  /** Sizes of the store, as of the last packing. */
  figures(): MetricFigures {
    const totals = new Map(
      this.database.prepare("SELECT * FROM totals").all().map((row) => [Number(row.resolution), row]),
    );
    const fresh = this.database.prepare(
      `SELECT total(points) AS points, total(length(figures)) AS bytes, min(id) / ${OF_TIME} AS oldest FROM ticks`,
    ).get()!;
    return {
      bytes: fileBytes(this.path),
      freeBytes: this.#pragma("freelist_count") * this.#pragma("page_size"),
      series: Number(this.database.prepare("SELECT count(*) AS n FROM series").get()!.n),
      resolutions: RESOLUTIONS.map(({ id, name }) => {
        const row = totals.get(id), packed = Number(row?.points ?? 0);
        // The hour that goes on is not packed yet.
        const taken = id === RESOLUTIONS[0]!.id ? Number(fresh.points) : 0;
        const oldest = [
          ...packed > 0 ? [Number(row!.oldest)] : [],
          ...taken > 0 ? [Number(fresh.oldest)] : [],
        ];
        return {
          resolution: name,
          points: packed + taken,
          bytes: Number(row?.bytes ?? 0) + (taken > 0 ? Number(fresh.bytes) : 0),
          oldest: oldest.length > 0 ? Math.min(...oldest) * 1000 : null,
        };
      }),
    };
  }
}
