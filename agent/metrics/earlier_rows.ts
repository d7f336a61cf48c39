/**
 * Rows of versions 1 and 2 of the metrics file, which had a row for each series. They are migrated part by
 * part while the program runs: a large file has too much for one go.
 */
import type { DatabaseSync } from "node:sqlite";
import { mergePoints, NO_POINTS, type Points } from "../../lib/metrics/points.ts";
import { decodeChunk } from "../../lib/metrics/chunk.ts";
import { type Resolution, RESOLUTIONS } from "../../lib/metrics/resolutions.ts";
import { log } from "../log.ts";
import { unsqueeze } from "./squeezed.ts";

/** Makes room for the tables of today. */
export const SET_ASIDE = `
  ALTER TABLE ticks RENAME TO earlier_ticks;
  ALTER TABLE chunks RENAME TO earlier_chunks;
  DELETE FROM totals;`;

/** A row's id was: series · 2^24 + resolution · 2^22 + number of the chunk. */
const OF_SERIES = 2 ** 24, OF_RESOLUTION = 2 ** 22;
/** The mark of a row of several parts, each behind its length. Without it a row is one part. */
const PARTS = 2, LENGTH_BYTES = 2;
/** Bytes of a figure of a tick: its place and itself. */
const FIGURE_BYTES = 6;

/** Figures that were taken at a time and not packed. */
export interface EarlierTick {
  readonly bucket: number;
  /** Seconds since 1970. */
  readonly time: number;
  readonly places: Uint32Array;
  readonly figures: Float32Array;
}

/** Points of a chunk of one series. */
export interface EarlierChunk {
  readonly series: number;
  readonly resolution: Resolution;
  /** The chunk's beginning, in seconds since 1970. */
  readonly time: number;
  readonly points: Points;
}

export class EarlierRows {
  constructor(readonly database: DatabaseSync) {}

  /** Whether there are any. */
  get isThere(): boolean {
    return this.database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'earlier_chunks'").get() !==
      undefined;
  }

  ticks(): EarlierTick[] {
    return this.database.prepare("SELECT bucket, time, figures FROM earlier_ticks").all().map((row) => {
      const bytes = row.figures as Uint8Array,
        view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      const count = Math.floor(bytes.length / FIGURE_BYTES), each = { length: count };
      return {
        bucket: Number(row.bucket),
        time: Number(row.time),
        places: Uint32Array.from(each, (_, index) => view.getUint16(index * 2, true)),
        figures: Float32Array.from(each, (_, index) => view.getFloat32(count * 2 + index * 4, true)),
      };
    });
  }

  /** The first series that has something; undefined when all is taken over. */
  get first(): number | undefined {
    const row = this.database.prepare("SELECT id FROM earlier_chunks ORDER BY id LIMIT 1").get();
    return row && Math.floor(Number(row.id) / OF_SERIES);
  }

  /** Chunks of series. @param end the one after the last */
  chunks(first: number, end: number): EarlierChunk[] {
    return this.database.prepare("SELECT id, data FROM earlier_chunks WHERE id >= ? AND id < ? ORDER BY id")
      .all(first * OF_SERIES, end * OF_SERIES).map(({ id, data }) => {
        const series = Math.floor(Number(id) / OF_SERIES), within = Number(id) % OF_SERIES;
        const resolution = RESOLUTIONS[Math.floor(within / OF_RESOLUTION)]!;
        const time = (within % OF_RESOLUTION) * resolution.chunk;
        return { series, resolution, time, points: unpack(data as Uint8Array) };
      });
  }

  remove(first: number, end: number): void {
    this.database.prepare("DELETE FROM earlier_chunks WHERE id >= ? AND id < ?").run(
      first * OF_SERIES,
      end * OF_SERIES,
    );
  }

  removeTicks(): void {
    this.database.exec("DELETE FROM earlier_ticks");
  }

  /** Nothing is left of them. */
  end(): void {
    this.database.exec("DROP TABLE earlier_ticks; DROP TABLE earlier_chunks");
  }
}

function unpack(bytes: Uint8Array): Points {
  if (bytes[0] !== PARTS) return unpackOne(bytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let points = NO_POINTS;
  for (let at = 1; at + LENGTH_BYTES <= bytes.length;) {
    const first = at + LENGTH_BYTES;
    at = first + view.getUint16(at, true);
    points = mergePoints(points, unpackOne(bytes.subarray(first, at)));
  }
  return points;
}

/** Points of a chunk; a damaged one is a gap. */
function unpackOne(bytes: Uint8Array): Points {
  try {
    return decodeChunk(unsqueeze(bytes));
  } catch (error) {
    log.warn("a chunk of the metrics is damaged", { error });
    return NO_POINTS;
  }
}
