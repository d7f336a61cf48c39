/** The chunks of a disk as text: a line for each, its SHA-256, or `0 n` for n chunks of nothing but zeros. Pure. */
import { ManifestError } from "./manifest.ts";

/** A chunk by the SHA-256 of its content; null for zeros. */
export type Chunk = string | null;

/** The chunks of a disk. Those of zeros take no memory, however many there are: a disk of 64 TiB has 33 million. */
export class ChunkList {
  readonly #digests = new Map<number, string>();
  /** Whether digests were put out of order. */
  #isSorted = true;
  #last = -1;

  /** @param length how many chunks the disk has */
  constructor(readonly length: number) {}

  /** How many chunks have content. */
  get contentCount(): number {
    return this.#digests.size;
  }

  at(index: number): Chunk {
    return this.#digests.get(index) ?? null;
  }

  /** Puts a chunk with content in its place, once. */
  put(index: number, digest: string): void {
    if (index < this.#last) this.#isSorted = false;
    this.#last = index;
    this.#digests.set(index, digest);
  }

  /** The chunks with content, by their index, in order. */
  entries(): Iterable<readonly [index: number, digest: string]> {
    return this.#isSorted ? this.#digests : [...this.#digests].sort(([a], [b]) => a - b);
  }

  /** The digests of what has content, in no order. */
  digests(): Iterable<string> {
    return this.#digests.values();
  }
}

/** Writes a list. */
export function writeChunkList(chunks: ChunkList): string {
  const lines: string[] = [];
  let next = 0;
  const zerosUntil = (index: number) => {
    if (index > next) lines.push(`0 ${index - next}`);
  };
  for (const [index, digest] of chunks.entries()) {
    zerosUntil(index);
    lines.push(digest);
    next = index + 1;
  }
  zerosUntil(chunks.length);
  return lines.map((line) => `${line}\n`).join("");
}

/** How many chunks a disk has. */
export const chunkCount = (bytes: number, chunkBytes: number): number => Math.ceil(bytes / chunkBytes);

/** Bytes of the chunk of an index: the last one of a disk may have fewer. */
export const chunkLength = (index: number, bytes: number, chunkBytes: number): number =>
  Math.min(chunkBytes, bytes - index * chunkBytes);

/** Line by line, and none is empty: a list of nothing but line breaks would otherwise fill the memory. */
function* linesIn(text: string): Generator<string> {
  for (let at = 0; at < text.length;) {
    const end = text.indexOf("\n", at), to = end < 0 ? text.length : end;
    yield text.slice(at, to);
    at = to + 1;
  }
}

/** Parses a line: a digest, or a number of chunks of zeros. @throws {ManifestError} */
function entryIn(line: string): string | number {
  if (/^[0-9a-f]{64}$/.test(line)) return line;
  const zeros = /^0 ([1-9][0-9]{0,11})$/.exec(line);
  if (zeros === null) throw new ManifestError("its list of chunks is damaged");
  return Number(zeros[1]);
}

/** Lines that are read before others get their turn. */
const LINES_AT_ONCE = 10_000;

/**
 * Reads a list of as many chunks as the disk has, in parts: between them others can work.
 *
 * @throws {ManifestError}
 */
export function* readingChunkList(text: string, count: number): Generator<void, ChunkList> {
  const chunks = new ChunkList(count);
  let at = 0, lines = 0;
  for (const line of linesIn(text)) {
    const entry = entryIn(line), more = typeof entry === "number" ? entry : 1;
    if (at + more > count) throw new ManifestError("it lists more than the disk holds");
    if (typeof entry === "string") chunks.put(at, entry);
    at += more;
    if (++lines % LINES_AT_ONCE === 0) yield;
  }
  if (at !== count) throw new ManifestError("it lists less than the disk holds");
  return chunks;
}

/** The digests that a list names. @throws {ManifestError} */
export function* digestsIn(text: string): Generator<string> {
  for (const line of linesIn(text)) {
    const entry = entryIn(line);
    if (typeof entry === "string") yield entry;
  }
}
