/** Chunks that are read in order, the next ones while one is worked on. */
import { chunkLength } from "../../lib/backup/chunk_list.ts";
import { readChunk } from "./chunks.ts";
import { ChunkThreads } from "./chunk_threads.ts";
import type { Repository } from "./repository.ts";

/** Chunks under way: one is read, two are unpacked and compared on threads, one waits for that. */
const AHEAD = 4;

export class ReadAhead<T> {
  readonly #digests: readonly (string | null)[];
  readonly #read: (digest: string, index: number) => Promise<T>;
  readonly #under = new Map<number, Promise<T>>();
  #next = 0;

  /** @param digests null for what is not read */
  constructor(digests: readonly (string | null)[], read: (digest: string, index: number) => Promise<T>) {
    this.#digests = digests;
    this.#read = read;
  }

  /** The chunk of an index, which is not null. Asked for in order; some may be left out. @throws what reading it throws */
  async take(index: number): Promise<T> {
    for (const before of this.#under.keys()) if (before < index) this.#under.delete(before);
    this.#next = Math.max(this.#next, index);
    for (; this.#next < this.#digests.length && this.#under.size < AHEAD; this.#next++) {
      const digest = this.#digests[this.#next];
      if (digest === null || digest === undefined) continue;
      const read = this.#read(digest, this.#next);
      read.catch(() => {/* told to who takes it */});
      this.#under.set(this.#next, read);
    }
    const found = this.#under.get(index);
    this.#under.delete(index);
    if (found === undefined) throw new Error(`chunk ${index} was not asked for in order`);
    return await found;
  }

  /** Waits for what is still being read, however it ends: its store may be closed then. */
  async end(): Promise<void> {
    this.#next = this.#digests.length;
    await Promise.allSettled(this.#under.values());
  }
}

/** The chunks of a disk, unpacked on threads and checked. Disposing of it waits for what is still being read. */
export class ChunksAhead implements AsyncDisposable {
  readonly #threads: ChunkThreads;
  readonly #ahead: ReadAhead<Uint8Array<ArrayBuffer>>;

  /**
   * @param digests null for what is not read
   * @param disk its size, and that of its chunks
   */
  constructor(
    repository: Repository,
    digests: readonly (string | null)[],
    { bytes, chunkBytes }: { readonly bytes: number; readonly chunkBytes: number },
  ) {
    const threads = this.#threads = new ChunkThreads(repository.codec.nameKey);
    this.#ahead = new ReadAhead(
      digests,
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
