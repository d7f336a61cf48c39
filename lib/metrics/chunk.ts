/**
 * Points of one series as bytes. Times are the differences between them, equal ones counted. Figures are the differences
 * of their codes (`quantise.ts`), the mean to that of the point before, least and greatest to the mean: a byte or two
 * each. Whatever has no code stands there as it is, so that nothing is lost. Pure.
 *
 * Layout, in variable-length whole numbers (7 bits a byte, the lowest first): 1 where there are least and greatest, else
 * 0; the number of points; the first time; pairs of difference and how often; then the figures, column after column.
 */
import type { Points } from "./points.ts";
import { codeOf, ofCode } from "./quantise.ts";

/** A chunk that is none: cut short, or longer than it says. */
export class ChunkError extends Error {
  override readonly name = "ChunkError";
}

/** Before a figure that has no code: eight bytes follow. */
const WHOLE = 0;
/** Most points that are read: no chunk of ours has as many. */
const MOST_POINTS = 100_000;

/** Room that chunks are written in, one after the other. */
let room = new Uint8Array(256);

class Writer {
  #bytes = room;
  #at = 0;

  #room(size: number): void {
    if (this.#at + size <= this.#bytes.length) return;
    const bytes = new Uint8Array(this.#bytes.length * 2);
    bytes.set(this.#bytes);
    this.#bytes = room = bytes;
  }

  /** @param value whole, from 0 on */
  number(value: number): void {
    this.#room(9);
    while (value > 0x7f) {
      this.#bytes[this.#at++] = value % 128 | 0x80;
      value = Math.floor(value / 128);
    }
    this.#bytes[this.#at++] = value;
  }

  whole(value: number): void {
    this.number(WHOLE);
    this.#room(8);
    new DataView(this.#bytes.buffer).setFloat64(this.#at, value, true);
    this.#at += 8;
  }

  done(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#at);
  }
}

class Reader {
  #at = 0;

  constructor(readonly bytes: Uint8Array) {}

  /** @throws {ChunkError} */
  number(): number {
    for (let value = 0, factor = 1;; factor *= 128) {
      const byte = this.bytes[this.#at++];
      if (byte === undefined || factor > 2 ** 49) throw new ChunkError("the chunk is cut short");
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
  }

  /** @throws {ChunkError} */
  whole(): number {
    const { buffer, byteOffset, length } = this.bytes;
    if (this.#at + 8 > length) throw new ChunkError("the chunk is cut short");
    const value = new DataView(buffer, byteOffset).getFloat64(this.#at, true);
    this.#at += 8;
    return value;
  }

  /** @throws {ChunkError} unless everything was read */
  end(): void {
    if (this.#at !== this.bytes.length) throw new ChunkError("the chunk is longer than it says");
  }
}

/** Small for differences near 0, of either sign; never {@link WHOLE}. */
const signed = (difference: number) => (difference < 0 ? -2 * difference : 2 * difference + 1);
const unsigned = (value: number) => value % 2 === 0 ? -value / 2 : (value - 1) / 2;

function writeTimes(writer: Writer, times: readonly number[]): void {
  writer.number(times[0] ?? 0);
  for (let index = 1; index < times.length;) {
    const difference = times[index]! - times[index - 1]!;
    let end = index + 1;
    while (end < times.length && times[end]! - times[end - 1]! === difference) end++;
    writer.number(difference);
    writer.number(end - index);
    index = end;
  }
}

function readTimes(reader: Reader, count: number): number[] {
  const first = reader.number();
  if (count === 0) return [];
  const times = [first];
  while (times.length < count) {
    const difference = reader.number(), often = reader.number();
    if (often === 0 || times.length + often > count) throw new ChunkError("its times are too many");
    for (let each = 0; each < often; each++) times.push(times.at(-1)! + difference);
  }
  return times;
}

/** @param near figures that these are near to; the one before, where there are none */
function writeFigures(writer: Writer, figures: readonly number[], near?: readonly number[]): void {
  let last = 0;
  for (let index = 0; index < figures.length; index++) {
    const code = codeOf(figures[index]!);
    if (near) last = codeOf(near[index]!) ?? last;
    if (code === undefined) {
      writer.whole(figures[index]!);
      continue;
    }
    writer.number(signed(code - last));
    last = code;
  }
}

function readFigures(reader: Reader, count: number, near?: readonly number[]): number[] {
  const figures: number[] = [];
  for (let index = 0, last = 0; index < count; index++) {
    if (near) last = codeOf(near[index]!) ?? last;
    const token = reader.number();
    if (token === WHOLE) {
      figures.push(reader.whole());
      continue;
    }
    last += unsigned(token);
    figures.push(ofCode(last));
  }
  return figures;
}

/** Points as bytes. */
export function encodeChunk({ times, avg, min, max }: Points): Uint8Array<ArrayBuffer> {
  const writer = new Writer();
  writer.number(min && max ? 1 : 0);
  writer.number(times.length);
  writeTimes(writer, times);
  writeFigures(writer, avg);
  if (min && max) {
    writeFigures(writer, min, avg);
    writeFigures(writer, max, avg);
  }
  return writer.done();
}

/** @throws {ChunkError} where these are no points as bytes */
export function decodeChunk(bytes: Uint8Array): Points {
  const reader = new Reader(bytes);
  const isRolled = reader.number() === 1, count = reader.number();
  if (count > MOST_POINTS) throw new ChunkError(`it says it has ${count} points`);
  const times = readTimes(reader, count);
  const avg = readFigures(reader, count);
  const points = isRolled
    ? { times, avg, min: readFigures(reader, count, avg), max: readFigures(reader, count, avg) }
    : { times, avg };
  reader.end();
  return points;
}
