/**
 * The store of metrics, as its worker has it: figures of a tick are written at once, and each hour that is over is
 * packed into chunks of every resolution. All calls are synchronous; each writes all or nothing.
 */
import type { DatabaseSync, SQLOutputValue, StatementSync } from "node:sqlite";
import type { MetricFigures } from "../../lib/contract/metrics.ts";
import { between, mergePoints, NO_POINTS, type Points } from "../../lib/metrics/points.ts";
import { DAY_S, floorTo, HOUR_S, type Resolution, RESOLUTIONS } from "../../lib/metrics/resolutions.ts";
import { rollUp } from "../../lib/metrics/roll_up.ts";
import { fileBytes } from "./metric_file.ts";
import { asPart, hasParts, pack, packLoosely, unpack } from "./packed_points.ts";

/** What a series is of. */
export interface SeriesKey {
  readonly host: string;
  /** Id of the VM; empty: the host itself. */
  readonly subject: string;
  readonly name: string;
  /** Empty where there is one of it alone. */
  readonly label: string;
}

/** Series that are asked for; of all names or labels where nothing is said. */
export interface SeriesQuery {
  readonly host: string;
  readonly subject: string;
  readonly names?: readonly string[];
  readonly label?: string;
}

/** A series with its points. */
export interface StoredSeries {
  readonly name: string;
  readonly label: string;
  readonly points: Points;
}

/** What a part of a clean-up did. */
export interface CleanedPart {
  readonly points: number;
  /** Series that have nothing any more were removed. */
  readonly series: number;
  /** Where the next part begins; null: it was the last. */
  readonly next: number | null;
}

/** Series whose figures of a tick stand in one row. */
const BUCKET = 512;
/** Bytes of a figure that is not packed yet: its place and itself. */
const FIGURE_BYTES = 6;
/** A chunk's id: series · 2^24 + resolution · 2^22 + number of the chunk. It stays below 2^53 for 500 million series. */
const OF_SERIES = 2 ** 24, OF_RESOLUTION = 2 ** 22;
/** Series that a part of a clean-up looks at. */
const CLEANED_AT_ONCE = 1000;
/** Seconds whose points stand in a row as parts of it, at most, before they are packed together. */
const LOOSE_S = DAY_S;
/** Pages that are given back to the file system at once. */
const PAGES_AT_ONCE = 2000;

const idBase = (series: number, { id }: Resolution) => series * OF_SERIES + id * OF_RESOLUTION;
/** Times before 1970 or after 2400 are none: the clock is out of its mind. */
const chunkNumber = (time: number, { chunk }: Resolution) =>
  Math.min(OF_RESOLUTION - 1, Math.max(0, Math.floor(time / chunk)));

/** Changes of `totals` that a transaction makes. */
class Totals {
  readonly #of = new Map<number, { points: number; bytes: number; oldest: number }>();

  add({ id }: Resolution, points: number, bytes: number, oldest = Infinity): void {
    const total = this.#of.get(id) ?? { points: 0, bytes: 0, oldest: Infinity };
    total.points += points;
    total.bytes += bytes;
    total.oldest = Math.min(total.oldest, oldest);
    this.#of.set(id, total);
  }

  write(statement: StatementSync): void {
    for (const [id, { points, bytes, oldest }] of this.#of) {
      statement.run(id, points, bytes, Number.isFinite(oldest) ? oldest : Number.MAX_SAFE_INTEGER);
    }
  }
}

export class MetricDatabase {
  /** The figures of a bucket, while they are written. */
  readonly #row = new Uint8Array(BUCKET * FIGURE_BYTES);
  readonly #put: StatementSync;
  readonly #chunk: StatementSync;
  readonly #chunks: StatementSync;
  readonly #putChunk: StatementSync;
  readonly #addChunk: StatementSync;
  readonly #addToChunk: StatementSync;
  readonly #chunkBefore: StatementSync;
  readonly #ticksOf: StatementSync;
  readonly #total: StatementSync;

  constructor(readonly database: DatabaseSync, readonly path: string) {
    this.#put = database.prepare(
      "INSERT OR REPLACE INTO ticks (bucket, time, host, figures) VALUES (?, ?, ?, ?)",
    );
    this.#chunk = database.prepare("SELECT points, data FROM chunks WHERE id = ?");
    this.#chunks = database.prepare("SELECT data FROM chunks WHERE id BETWEEN ? AND ? ORDER BY id");
    this.#putChunk = database.prepare(
      "INSERT INTO chunks VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET points = excluded.points, data = excluded.data",
    );
    this.#addChunk = database.prepare("INSERT INTO chunks VALUES (?, ?, ?) ON CONFLICT (id) DO NOTHING");
    // SQLite joins bytes as text; the mark in front tells a row of parts from one that has none
    this.#addToChunk = database.prepare(
      "INSERT INTO chunks VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET points = points + excluded.points, " +
        "data = CAST(data || substr(excluded.data, 2) AS BLOB) WHERE substr(data, 1, 1) = substr(excluded.data, 1, 1) " +
        "RETURNING points",
    );
    this.#chunkBefore = database.prepare(
      "SELECT id, points, data FROM chunks WHERE id >= ? AND id < ? ORDER BY id DESC LIMIT 1",
    );
    this.#ticksOf = database.prepare(
      "SELECT time, figures FROM ticks WHERE bucket = ? AND time >= ? AND time < ? ORDER BY time",
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
  write(host: string, time: number, ids: Uint32Array, figures: Float32Array): void {
    this.#write(() => {
      for (let first = 0; first < ids.length;) {
        const bucket = Math.floor(ids[first]! / BUCKET);
        let end = first;
        while (end < ids.length && Math.floor(ids[end]! / BUCKET) === bucket) end++;
        const count = end - first, places = new DataView(this.#row.buffer);
        for (let index = 0; index < count; index++) {
          places.setUint16(index * 2, ids[first + index]! % BUCKET, true);
          places.setFloat32(count * 2 + index * 4, figures[first + index]!, true);
        }
        this.#put.run(bucket, time, host, this.#row.subarray(0, count * FIGURE_BYTES));
        first = end;
      }
    });
  }

  /** What was taken and is not packed yet, of the series of a bucket: by place in it. */
  #ticks(bucket: number, from: number, to: number): Map<number, { times: number[]; avg: number[] }> {
    const found = new Map<number, { times: number[]; avg: number[] }>();
    for (const { time, figures } of this.#ticksOf.iterate(bucket, from, to)) {
      const bytes = figures as Uint8Array, view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      const count = Math.floor(bytes.length / FIGURE_BYTES);
      for (let index = 0; index < count; index++) {
        const figure = view.getFloat32(count * 2 + index * 4, true);
        if (Number.isNaN(figure)) continue;
        const place = view.getUint16(index * 2, true);
        let points = found.get(place);
        if (!points) found.set(place, points = { times: [], avg: [] });
        points.times.push(Number(time));
        points.avg.push(figure);
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
    const hour = floorTo(now, HOUR_S);
    const due = this.database.prepare(
      "SELECT bucket, time FROM ticks WHERE time < ? OR time >= ? ORDER BY bucket, time LIMIT 1",
    ).get(hour, hour + HOUR_S);
    if (due === undefined) return false;
    const bucket = Number(due.bucket), from = floorTo(Number(due.time), HOUR_S);
    this.#write(() => {
      const totals = new Totals();
      const known = new Set(
        this.database.prepare("SELECT id FROM series WHERE id >= ? AND id < ?").all(
          bucket * BUCKET,
          (bucket + 1) * BUCKET,
        )
          .map(({ id }) => Number(id)),
      );
      for (const [place, points] of this.#ticks(bucket, from, from + HOUR_S)) {
        const series = bucket * BUCKET + place;
        if (known.has(series)) this.#packSeries(series, from, points, totals);
      }
      this.database.prepare("DELETE FROM ticks WHERE bucket = ? AND time >= ? AND time < ?")
        .run(bucket, from, from + HOUR_S);
      totals.write(this.#total);
    });
    return true;
  }

  #packSeries(series: number, hour: number, taken: Points, totals: Totals): void {
    const [raw, ...coarser] = RESOLUTIONS as [Resolution, ...Resolution[]];
    const rawId = idBase(series, raw) + chunkNumber(hour, raw), data = pack(taken);
    if (Number(this.#addChunk.run(rawId, taken.times.length, data).changes) > 0) {
      totals.add(raw, taken.times.length, data.length, taken.times[0]);
      for (const each of coarser) this.#addPart(series, each, hour, rollUp(taken, each.step), totals);
      return;
    }
    // The hour comes again: what it was rolled up to before is replaced
    const all = this.#mergeInto(rawId, raw, taken, totals);
    for (const each of coarser) {
      this.#mergeInto(idBase(series, each) + chunkNumber(hour, each), each, rollUp(all, each.step), totals);
    }
  }

  /** Puts points behind those of their row. */
  #addPart(series: number, each: Resolution, hour: number, points: Points, totals: Totals): void {
    const base = idBase(series, each), id = base + chunkNumber(hour, each), count = points.times.length;
    const data = asPart(packLoosely(points)), row = this.#addToChunk.get(id, count, data);
    if (row === undefined) { // of a version without parts
      this.#mergeInto(id, each, points, totals);
      return;
    }
    const there = Number(row.points), isNew = there === count;
    totals.add(each, count, isNew ? data.length : data.length - 1, points.times[0]);
    const loose = Math.min(LOOSE_S, each.chunk) / each.step;
    if (isNew) this.#fold(each, this.#chunkBefore.get(base, id), totals);
    if (Math.floor(there / loose) > Math.floor((there - count) / loose)) {
      this.#fold(each, this.#chunkBefore.get(id, id + 1), totals);
    }
  }

  /** Makes the parts of a row one. */
  #fold(each: Resolution, row: Record<string, SQLOutputValue> | undefined, totals: Totals): void {
    if (row !== undefined && hasParts(row.data as Uint8Array)) {
      this.#replace(Number(row.id), each, row, NO_POINTS, totals);
    }
  }

  /** Merges points into a row, whatever it has. @returns all that it has now */
  #mergeInto(id: number, each: Resolution, points: Points, totals: Totals): Points {
    return this.#replace(id, each, this.#chunk.get(id), points, totals);
  }

  #replace(
    id: number,
    each: Resolution,
    row: Record<string, SQLOutputValue> | undefined,
    later: Points,
    totals: Totals,
  ): Points {
    const had = row?.data as Uint8Array | undefined,
      points = mergePoints(had ? unpack(had) : NO_POINTS, later);
    const data = each.step === 0 ? pack(points) : asPart(pack(points));
    this.#putChunk.run(id, points.times.length, data);
    totals.add(
      each,
      points.times.length - Number(row?.points ?? 0),
      data.length - (had?.length ?? 0),
      points.times[0],
    );
    return points;
  }

  /** Series with what is known of them from one time to another. Seconds since 1970. */
  read(
    { host, subject, names, label }: SeriesQuery,
    from: number,
    to: number,
    resolution: Resolution,
  ): StoredSeries[] {
    const rows = this.database.prepare("SELECT id, name, label FROM series WHERE host = ? AND subject = ?")
      .all(host, subject);
    const wanted = names && new Set(names);
    const buckets = new Map<number, Map<number, Points>>();
    const found: StoredSeries[] = [];
    for (const row of rows) {
      const name = String(row.name), own = String(row.label), id = Number(row.id);
      if ((wanted && !wanted.has(name)) || (label !== undefined && own !== label)) continue;
      const bucket = Math.floor(id / BUCKET);
      let open = buckets.get(bucket);
      if (!open) buckets.set(bucket, open = this.#ticks(bucket, floorTo(from, HOUR_S), to));
      const points = this.#points(id, from, to, resolution, open.get(id % BUCKET));
      if (points.times.length > 0) found.push({ name, label: own, points });
    }
    return found;
  }

  #points(
    series: number,
    from: number,
    to: number,
    resolution: Resolution,
    open: Points = NO_POINTS,
  ): Points {
    const base = idBase(series, resolution);
    const rows = this.#chunks.all(base + chunkNumber(from, resolution), base + chunkNumber(to, resolution));
    const parts = rows.map(({ data }) => unpack(data as Uint8Array));
    const recent = resolution.step === 0 ? open : rollUp(open, resolution.step);
    return between([...parts, recent].reduce(mergePoints, NO_POINTS), from, to);
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
    const sum = this.database.prepare(
      "SELECT count(*) AS n, total(points) AS points, total(length(data)) AS bytes FROM chunks WHERE id >= ? AND id < ?",
    );
    const remove = this.database.prepare("DELETE FROM chunks WHERE id >= ? AND id < ?");
    const left = this.database.prepare("SELECT 1 FROM chunks WHERE id >= ? AND id < ? LIMIT 1");
    const taken = this.database.prepare("SELECT 1 FROM ticks WHERE bucket = ? LIMIT 1");
    const drop = this.database.prepare("DELETE FROM series WHERE id = ?");
    return this.#write(() => {
      const totals = new Totals();
      let points = 0, series = 0;
      for (const id of ids) {
        for (const each of RESOLUTIONS) {
          const first = idBase(id, each), end = first + chunkNumber(before[each.id]!, each);
          const gone = sum.get(first, end)!;
          if (Number(gone.n) === 0) continue;
          remove.run(first, end);
          points += Number(gone.points);
          totals.add(each, -Number(gone.points), -Number(gone.bytes));
        }
        const isEmpty = left.get(id * OF_SERIES, (id + 1) * OF_SERIES) === undefined &&
          taken.get(Math.floor(id / BUCKET)) === undefined;
        if (isEmpty) {
          drop.run(id);
          series++;
        }
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

  /** What is stored, as it was when it was packed last. */
  figures(): MetricFigures {
    const totals = new Map(
      this.database.prepare("SELECT * FROM totals").all().map((row) => [Number(row.resolution), row]),
    );
    const fresh = this.database.prepare(
      "SELECT total(length(figures)) AS bytes, min(time) AS oldest FROM ticks",
    ).get()!;
    return {
      bytes: fileBytes(this.path),
      freeBytes: this.#pragma("freelist_count") * this.#pragma("page_size"),
      series: Number(this.database.prepare("SELECT count(*) AS n FROM series").get()!.n),
      resolutions: RESOLUTIONS.map(({ id, name }) => {
        const row = totals.get(id), packed = Number(row?.points ?? 0);
        // The hour that goes on is not packed yet.
        const taken = id === RESOLUTIONS[0]!.id ? Number(fresh.bytes) : 0;
        const oldest = [
          ...packed > 0 ? [Number(row!.oldest)] : [],
          ...taken > 0 ? [Number(fresh.oldest)] : [],
        ];
        return {
          resolution: name,
          points: packed + taken / FIGURE_BYTES,
          bytes: Number(row?.bytes ?? 0) + taken,
          oldest: oldest.length > 0 ? Math.min(...oldest) * 1000 : null,
        };
      }),
    };
  }
}
