/** A disk of a copy as bytes at any place, chunk by chunk, each checked; and as an NBD server on a socket. */
import { chunkLength, type ChunkList } from "../../lib/backup/chunk_list.ts";
import { CHUNK_BYTES, type ManifestDisk } from "../../lib/backup/manifest.ts";
import {
  greeting,
  HEAD,
  MOST,
  NBD_ERROR,
  OPTION,
  optionIn,
  optionReply,
  replyHead,
  REQUEST,
  requestIn,
} from "../../lib/formats/nbd/nbd.ts";
import { writeAll } from "../../lib/write_all.ts";
import { log } from "../log.ts";
import type { ChunkThreads } from "./chunk_threads.ts";
import { readChunk } from "./chunks.ts";
import type { RestoreSource } from "./make_disk.ts";
import { chunksOf } from "./write_disk.ts";

/** Chunks that are kept in memory. */
const KEPT = Math.floor(32 * 1024 * 1024 / CHUNK_BYTES);

/** Reads a disk of a copy. */
export class DiskReader {
  readonly #kept = new Map<number, Promise<Uint8Array>>();

  private constructor(
    readonly bytes: number,
    private readonly source: RestoreSource,
    private readonly chunks: ChunkList,
    private readonly threads: ChunkThreads,
  ) {}

  /** @throws {ManifestError} */
  static async open(source: RestoreSource, disk: ManifestDisk, threads: ChunkThreads): Promise<DiskReader> {
    const { repository, copy, manifest } = source;
    return new DiskReader(disk.bytes, source, await chunksOf(repository, copy, manifest, disk), threads);
  }

  /** @throws {ManifestError} for a damaged chunk @throws {RangeError} */
  async read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    if (offset < 0 || length < 0 || offset + length > this.bytes) {
      throw new RangeError("behind the end of the disk");
    }
    const { chunkBytes } = this.source.manifest, content = new Uint8Array(length);
    for (let at = offset; at < offset + length;) {
      const index = Math.floor(at / chunkBytes), within = at - index * chunkBytes;
      const part = Math.min(chunkBytes - within, offset + length - at);
      if (this.chunks.at(index) !== null) {
        content.set((await this.#chunk(index)).subarray(within, within + part), at - offset);
      }
      at += part;
    }
    return content;
  }

  #chunk(index: number): Promise<Uint8Array> {
    const { repository, manifest: { chunkBytes } } = this.source;
    const length = chunkLength(index, this.bytes, chunkBytes);
    const found = this.#kept.get(index) ??
      readChunk(repository, this.threads, this.chunks.at(index)!, length);
    // The one that was read last is the last to go.
    this.#kept.delete(index);
    this.#kept.set(index, found);
    found.catch(() => this.#kept.delete(index));
    for (const [oldest] of this.#kept) {
      if (this.#kept.size <= KEPT) break;
      this.#kept.delete(oldest);
    }
    return found;
  }
}

/** Reads so many bytes; undefined at the end. */
async function exactly(from: Deno.Conn, length: number): Promise<Uint8Array | undefined> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length;) {
    const read = await from.read(bytes.subarray(at));
    if (read === null) return undefined;
    at += read;
  }
  return bytes;
}

/** Agrees with a client on the disk. @returns whether it wants it */
async function shakeHands(client: Deno.Conn, bytes: number): Promise<boolean> {
  await writeAll(client, greeting());
  if (await exactly(client, HEAD.clientFlags) === undefined) return false;
  for (;;) {
    const head = await exactly(client, HEAD.option), asked = head && optionIn(head);
    if (asked === undefined || asked.length > MOST.option) return false;
    if (asked.length > 0 && await exactly(client, asked.length) === undefined) return false;
    await writeAll(client, optionReply(asked.option, bytes));
    if (asked.option === OPTION.abort) return false;
    if (asked.option === OPTION.exportName || asked.option === OPTION.go) return true;
  }
}

/** Answers a client until it goes. */
async function answer(client: Deno.Conn, disk: DiskReader): Promise<void> {
  if (!await shakeHands(client, disk.bytes)) return;
  for (;;) {
    const head = await exactly(client, HEAD.request), asked = head && requestIn(head);
    if (asked === undefined || asked.type === REQUEST.disconnect) return;
    const { type, cookie, offset, length } = asked;
    if (type === REQUEST.write || length > MOST.read) return;
    if (type !== REQUEST.read) {
      await writeAll(
        client,
        replyHead(cookie, type === REQUEST.flush ? NBD_ERROR.none : NBD_ERROR.notPermitted),
      );
      continue;
    }
    let content: Uint8Array | undefined;
    try {
      content = await disk.read(offset, length);
    } catch (error) {
      log.warn("a disk of a backup cannot be read", { offset, length, error });
    }
    await writeAll(client, replyHead(cookie, content === undefined ? NBD_ERROR.io : NBD_ERROR.none));
    if (content !== undefined) await writeAll(client, content);
  }
}

/** Serves a disk on a socket that is made at a path, until it is disposed of. */
export function serveDisk(path: string, disk: DiskReader): Disposable {
  const listener = Deno.listen({ transport: "unix", path });
  const clients = new Set<Deno.Conn>();
  const isEnd = (error: unknown) =>
    error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted ||
    error instanceof Deno.errors.BrokenPipe || error instanceof Deno.errors.ConnectionReset;
  const serve = async (client: Deno.Conn) => {
    clients.add(client);
    try {
      await answer(client, disk);
    } catch (error) {
      if (!isEnd(error)) log.warn("a reader of a backup's disk failed", { error });
    } finally {
      if (clients.delete(client)) client.close();
    }
  };
  (async () => {
    for await (const client of listener) void serve(client);
  })().catch((error) => {
    if (!isEnd(error)) log.warn("no reader of a backup's disk is taken any more", { error });
  });
  return {
    [Symbol.dispose]: () => {
      listener.close();
      for (const client of clients) client.close();
      clients.clear();
    },
  };
}
