/** Chunks that are read in order, the next ones while one is worked on. */
import { chunkLength } from "../../lib/backup/chunk_list.ts";
import { readChunk } from "./chunks.ts";
import { ChunkThreads } from "./chunk_threads.ts";
import type { Repository } from "./repository.ts";

/** Chunks under way: one is read, two are unpacked and compared on threads, one waits for that. */
const AHEAD = 4;

/** Chunks with content, by their index, in order. */
export type ChunkEntries = Iterable<readonly [index: number, digest: string]>;

export class ReadAhead<T> {
  readonly #entries: Iterator<readonly [index: number, digest: string], unknown>;
  readonly #read: (digest: string, index: number) => Promise<T>;
  readonly #under = new Map<number, Promise<T>>();
  #isOver = false;

  constructor(entries: ChunkEntries, read: (digest: string, index: number) => Promise<T>) {
    this.#entries = entries[Symbol.iterator]();
    this.#read = read;
  }

  /**
   * The chunk of an index, which has content. Asked for in order; some may be left out. @throws errors of
   * reading it
   */
  async take(index: number): Promise<T> {
    for (const before of this.#under.keys()) if (before < index) this.#under.delete(before);
    while (!this.#isOver && this.#under.size < AHEAD) this.#begin(index);
    const found = this.#under.get(index);
    this.#under.delete(index);
    if (found === undefined) throw new Error(`chunk ${index} was not asked for in order`);
    return await found;
  }

  /** Begins to read the next chunk, unless it is before the one that is asked for. */
  #begin(from: number): void {
    const { done, value } = this.#entries.next();
    if (done) {
      this.#isOver = true;
      return;
    }
    const [index, digest] = value;
    if (index < from) return;
    const read = this.#read(digest, index);
    read.catch(() => {/* told to who takes it */});
    this.#under.set(index, read);
  }

  /** Waits for what is still being read, however it ends: its store may be closed then. */
  async end(): Promise<void> {
    this.#isOver = true;
    await Promise.allSettled(this.#under.values());
  }
}

/** The chunks of a disk, unpacked on threads and checked. Disposing of it waits for what is still being read. */
export class ChunksAhead implements AsyncDisposable {
  readonly #threads: ChunkThreads;
  readonly #ahead: ReadAhead<Uint8Array<ArrayBuffer>>;

  /**
   * @param entries entries of the chunks to read
   * @param disk its size, and that of its chunks
   */
  constructor(
    repository: Repository,
    entries: ChunkEntries,
    { bytes, chunkBytes }: { readonly bytes: number; readonly chunkBytes: number },
  ) {
    const threads = this.#threads = new ChunkThreads(repository.codec.nameKey);
    this.#ahead = new ReadAhead(
      entries,
      (digest, index) => readChunk(repository, threads, digest, chunkLength(index, bytes, chunkBytes)),
    );
  }

  /** As {@link ReadAhead.take}. @throws {BackupChunkError} for one that is missing or damaged @throws {Error} from reading */
  take(index: number): Promise<Uint8Array<ArrayBuffer>> {
    return this.#ahead.take(index);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#ahead.end();
    this.#threads[Symbol.dispose]();
  }
}
