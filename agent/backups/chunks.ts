/** Content ⇄ chunks: read, compressed and named; found, checked and given back. */
import { Buffer } from "node:buffer";
import { zstdDecompressSync } from "node:zlib";
import { type Chunk, chunkCount, chunkLength } from "../../lib/backup/chunk_list.ts";
import { CHUNK_BYTES, ManifestError } from "../../lib/backup/manifest.ts";
import { FileRefused } from "../files.ts";
import type { Pace } from "./pace.ts";
import type { Repository } from "./repository.ts";
import { Zstd, ZstdError } from "./zstd.ts";

/** Chunks that are worked on at once. */
const AT_ONCE = 3;
/** Bytes that a compressed chunk may be larger than its content. */
const OVERHEAD = 64 * 1024;

/** A chunk that is not there, or not what it was. */
export class BackupChunkError extends ManifestError {
  constructor(readonly digest: string, reason: string) {
    super(reason);
  }
}

/** What has become of a disk. */
export interface Stored {
  readonly chunks: readonly Chunk[];
  /** Bytes that were not in the store before, compressed. */
  readonly storedBytes: number;
}

/** Fills a buffer from a file; what the file does not have is zeros. */
export async function fill(file: Deno.FsFile, buffer: Uint8Array<ArrayBuffer>): Promise<void> {
  let length = 0;
  while (length < buffer.length) {
    const read = await file.read(buffer.subarray(length));
    if (read === null) return void buffer.fill(0, length);
    length += read;
  }
}

/** Whether a chunk is there, and a new copy may rely on it. One that is in doubt is read; a damaged one is set aside. */
async function isKept(repository: Repository, digest: string, bytes: number): Promise<boolean> {
  if (!await repository.hasChunk(digest)) return false;
  if (!repository.isDoubted(digest)) return true;
  try {
    await readChunk(repository, digest, bytes);
  } catch (error) {
    if (!(error instanceof BackupChunkError)) throw error;
    await repository.setAside([digest]);
    return false;
  }
  repository.foundSound(digest);
  return true;
}

/** Writes a chunk, unless it is there. @returns bytes that were written */
async function keep(
  repository: Repository,
  zstd: Zstd,
  digest: string,
  content: Uint8Array<ArrayBuffer>,
): Promise<number> {
  if (await isKept(repository, digest, content.length)) return 0;
  return await repository.putChunk(digest, await zstd.compress(content));
}

/** Content of a chunk, or which chunk it is already. */
export type Piece = Uint8Array<ArrayBuffer> | { readonly kept: Chunk };

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
 * @param pieceAt the chunk of an index, of so many bytes; asked for in order
 */
export async function storePieces(
  repository: Repository,
  bytes: number,
  pieceAt: (index: number, length: number) => Promise<Piece>,
  { signal, onBytes, pace }: Storing,
): Promise<Stored> {
  const count = chunkCount(bytes, CHUNK_BYTES), zeros = new Uint8Array(CHUNK_BYTES);
  const chunks: Chunk[] = Array.from({ length: count }, () => null), zstd = new Zstd();
  const under = new Set<Promise<void>>();
  let storedBytes = 0;
  let failure: { readonly error: unknown } | undefined;
  try {
    for (let index = 0; index < count; index++) {
      signal.throwIfAborted();
      if (failure) break;
      const length = chunkLength(index, bytes, CHUNK_BYTES);
      const content = await pieceAt(index, length);
      onBytes(index * CHUNK_BYTES + length);
      if ("kept" in content) {
        chunks[index] = content.kept;
        continue;
      }
      if (Buffer.compare(content, zeros.subarray(0, content.length)) === 0) continue;
      await pace?.take(content.length, signal);
      const work = (async () => {
        const digest = chunks[index] = await repository.codec.chunkName(content);
        const written = await keep(repository, zstd, digest, content);
        storedBytes += written;
      })();
      const tracked: Promise<void> = work.catch((error) => void (failure ??= { error }))
        .finally(() => under.delete(tracked));
      under.add(tracked);
      if (under.size >= AT_ONCE) await Promise.race(under);
    }
  } finally {
    // What still writes must have ended before anything is removed.
    await Promise.all(under);
    zstd[Symbol.dispose]();
  }
  if (failure) throw failure.error;
  return { chunks, storedBytes };
}

/** Puts a file or device of raw content into the store. @param bytes how much of it */
export async function storeContent(
  repository: Repository,
  path: string,
  bytes: number,
  storing: Storing,
): Promise<Stored> {
  const file = await Deno.open(path, { read: true });
  // Not `using`: the bundler takes a variable out that is read once, and then nothing is closed.
  try {
    return await storePieces(repository, bytes, async (_index, length) => {
      const content = new Uint8Array(length);
      await fill(file, content);
      return content;
    }, storing);
  } finally {
    file.close();
  }
}

/**
 * The content of a chunk, once it was found to be what it was.
 *
 * @param zstd where many are read: one is unpacked at once
 * @throws {BackupChunkError} @throws {Error} from reading it
 */
export async function readChunk(
  repository: Repository,
  digest: string,
  bytes: number,
  zstd?: Zstd,
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
  let content: Uint8Array<ArrayBuffer>;
  try {
    // What would grow beyond a chunk is none of ours. Not the function with a callback: Deno 2.9 runs it on this thread as
    // well, and throws what is wrong with the content where nobody can catch it.
    content = zstd === undefined
      ? new Uint8Array(zstdDecompressSync(packed, { maxOutputLength: bytes }))
      : await zstd.decompress(packed, bytes);
  } catch (error) {
    throw zstd === undefined || error instanceof ZstdError ? damaged(error) : error;
  }
  if (content.length !== bytes || await repository.codec.chunkName(content) !== digest) throw damaged();
  return content;
}
