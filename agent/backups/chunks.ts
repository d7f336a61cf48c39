/** Content ⇄ chunks: read, compressed and named; found, checked and given back. */
import { Buffer } from "node:buffer";
import { setImmediate } from "node:timers/promises";
import { type Chunk, chunkCount, chunkLength, ChunkList } from "../../lib/backup/chunk_list.ts";
import { CHUNK_BYTES, ManifestError } from "../../lib/backup/manifest.ts";
import { FileRefused } from "../machine/files.ts";
import { hostFiles } from "../machine/host_files.ts";
import type { Pace } from "../pace.ts";
import { ChunkThreads, ZstdError } from "./chunk_threads.ts";
import type { Repository } from "./repository.ts";

/** Chunks that are worked on at once: two are on their threads, two wait for one, others are looked for or written. */
const AT_ONCE = 6;
/** Chunks until others get their turn: a large disk has hundreds of thousands that are not read. */
const TURN = 1024;
/** Bytes that a compressed chunk may be larger than its content. */
const OVERHEAD = 64 * 1024;

/** A chunk that is not there, or not what it was. */
export class BackupChunkError extends ManifestError {
  constructor(readonly digest: string, reason: string) {
    super(reason);
  }
}

/** A disk in the store. */
export interface Stored {
  readonly chunks: ChunkList;
  /** Bytes that were not in the store before, compressed. */
  readonly storedBytes: number;
  /** Bytes that were read of it: what the file never had is not. */
  readonly readBytes: number;
}

/** Fills a buffer from a file; what the file does not have is zeros. */
export async function readFully(file: Deno.FsFile, buffer: Uint8Array<ArrayBuffer>): Promise<void> {
  let length = 0;
  while (length < buffer.length) {
    const read = await file.read(buffer.subarray(length));
    if (read === null) return void buffer.fill(0, length);
    length += read;
  }
}

/** Whether a chunk is there, and a new copy may rely on it. One that is in doubt is read; a damaged one is set aside. */
async function isKept(
  repository: Repository,
  threads: ChunkThreads,
  digest: string,
  bytes: number,
): Promise<boolean> {
  if (!await repository.hasChunk(digest)) return false;
  if (!repository.isDoubted(digest)) return true;
  try {
    await readChunk(repository, threads, digest, bytes);
  } catch (error) {
    if (!(error instanceof BackupChunkError)) throw error;
    await repository.setAside([digest]);
    return false;
  }
  repository.foundSound(digest);
  return true;
}

/** A chunk of a disk in the store. */
interface StoredChunk {
  readonly digest: string;
  /** Bytes that were written: none where it was there. */
  readonly storedBytes: number;
  /** The memory of its content, given back. */
  readonly content: Uint8Array<ArrayBuffer>;
}

/** Writes a chunk, unless it is there. */
async function keep(
  repository: Repository,
  threads: ChunkThreads,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<StoredChunk> {
  const { name: digest, content } = await threads.name(bytes);
  if (await isKept(repository, threads, digest, content.length)) return { digest, storedBytes: 0, content };
  const { packed, content: back } = await threads.pack(content);
  return { digest, storedBytes: await repository.putChunk(digest, packed), content: back };
}

/** A chunk that the store has already; undefined if the content was put at the requested place. */
export type ChunkPlacement = { readonly kept: Chunk } | undefined;

/** Place for the content of a chunk. */
export interface PieceRequest {
  readonly index: number;
  /** All of it is to be filled: it holds what an earlier chunk has left. */
  readonly into: Uint8Array<ArrayBuffer>;
  /** For chunks that it is made of. */
  readonly threads: ChunkThreads;
}

/** How content is put into the store. */
export interface Storing {
  readonly signal: AbortSignal;
  /** Told after each chunk how much was read in all. */
  readonly onBytes: (done: number) => void;
  /** How fast content may be taken; zeros do not count. */
  readonly pace?: Pace | undefined;
}

/**
 * Puts a disk's content into the folder, chunk by chunk.
 *
 * @param bytes how much of it
 * @param pieceAt gives the chunk of an index; asked for in order
 */
export async function storePieces(
  repository: Repository,
  bytes: number,
  pieceAt: (wish: PieceRequest) => Promise<ChunkPlacement>,
  { signal, onBytes, pace }: Storing,
): Promise<Stored> {
  const count = chunkCount(bytes, CHUNK_BYTES), zeros = new Uint8Array(CHUNK_BYTES);
  const chunks = new ChunkList(count);
  const threads = new ChunkThreads(repository.codec.nameKey), under = new Set<Promise<void>>();
  // Memory is used again: the kernel takes as long to give new one as a chunk takes to be read.
  const free: Uint8Array<ArrayBuffer>[] = [];
  let storedBytes = 0, readBytes = 0;
  let failure: { readonly error: unknown } | undefined;
  try {
    for (let index = 0; index < count; index++) {
      signal.throwIfAborted();
      if (failure) break;
      const length = chunkLength(index, bytes, CHUNK_BYTES);
      const into = length < CHUNK_BYTES ? new Uint8Array(length) : free.pop() ?? new Uint8Array(length);
      const piece = await pieceAt({ index, into, threads });
      onBytes(index * CHUNK_BYTES + length);
      if (piece === undefined) readBytes += length;
      if (index % TURN === 0) await setImmediate(); // others get their turn
      if (piece !== undefined || Buffer.compare(into, zeros.subarray(0, length)) === 0) {
        if (piece !== undefined && piece.kept !== null) chunks.put(index, piece.kept);
        free.push(into);
        continue;
      }
      await pace?.take(length, signal);
      const work = (async () => {
        const kept = await keep(repository, threads, into);
        chunks.put(index, kept.digest);
        storedBytes += kept.storedBytes;
        free.push(kept.content);
      })();
      const tracked: Promise<void> = work.catch((error) => void (failure ??= { error }))
        .finally(() => under.delete(tracked));
      under.add(tracked);
      if (under.size >= AT_ONCE) await Promise.race(under);
    }
  } finally {
    // What still writes must have ended before anything is removed.
    await Promise.all(under);
    threads[Symbol.dispose]();
  }
  if (failure) throw failure.error;
  return { chunks, storedBytes, readBytes };
}

/** Puts a file or device of raw content into the store; its holes are not read. @param bytes how much of it */
export async function storeContent(
  repository: Repository,
  path: string,
  bytes: number,
  storing: Storing,
): Promise<Stored> {
  using holes = await hostFiles.openHoles(path);
  const file = await hostFiles.open(holes.path, { read: true });
  // Not `using`: the bundler takes a variable out that is read once, and then nothing is closed.
  try {
    return await storePieces(repository, bytes, async ({ index, into }) => {
      const at = index * CHUNK_BYTES;
      if (await holes.isHole(at, into.length)) return { kept: null };
      await file.seek(at, Deno.SeekMode.Start);
      await readFully(file, into);
      return undefined;
    }, storing);
  } finally {
    file.close();
  }
}

/**
 * The content of a chunk, once it was found to be what it was.
 *
 * @throws {BackupChunkError} @throws {Error} from reading it
 */
export async function readChunk(
  repository: Repository,
  threads: ChunkThreads,
  digest: string,
  bytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const damaged = (cause?: unknown) => {
    const error = new BackupChunkError(digest, `the chunk ${digest} is damaged`);
    error.cause = cause;
    return error;
  };
  let packed: Uint8Array<ArrayBuffer>;
  try {
    packed = await repository.chunk(digest, bytes + OVERHEAD);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      throw new BackupChunkError(digest, `the chunk ${digest} is missing`);
    }
    throw error instanceof FileRefused || error instanceof ManifestError ? damaged(error) : error;
  }
  try {
    // What would grow beyond a chunk is none of ours.
    const { name, content } = await threads.unpack(packed, bytes);
    if (content.length === bytes && name === digest) return content;
  } catch (error) {
    throw error instanceof ZstdError ? damaged(error) : error;
  }
  throw damaged();
}
