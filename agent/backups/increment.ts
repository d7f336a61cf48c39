/** What QEMU copied of a disk since an earlier copy, laid over that copy: the result lists every chunk, as a whole read does. */
import type { Chunk } from "../../lib/backup/chunk_list.ts";
import { CHUNK_BYTES } from "../../lib/backup/manifest.ts";
import {
  type Cluster,
  clustersIn,
  type Qcow2Tables,
  secondTables,
  tablesOf,
} from "../../lib/formats/qcow2/allocation.ts";
import { HEAD_BYTES, ImageError } from "../../lib/formats/qcow2/qcow2_header.ts";
import { fill, type Piece, readChunk, type Stored, storePieces, type Storing } from "./chunks.ts";
import type { Repository } from "./repository.ts";

/** What has become of a disk, and how much of it QEMU had copied. */
export interface Increment extends Stored {
  readonly copiedBytes: number;
}

/** A qcow2 file that holds some clusters of a disk. */
class Changes {
  #second: { readonly index: number; readonly clusters: readonly Cluster[] } | undefined;

  private constructor(
    readonly file: Deno.FsFile,
    readonly tables: Qcow2Tables,
    readonly second: readonly number[],
    readonly fileBytes: number,
  ) {}

  /** @throws {ImageError} */
  static async read(file: Deno.FsFile): Promise<Changes> {
    const fileBytes = await file.seek(0, Deno.SeekMode.End);
    const read = async (offset: number, length: number) => {
      if (offset + length > fileBytes) throw new ImageError("it ends before its tables do");
      await file.seek(offset, Deno.SeekMode.Start);
      const bytes = new Uint8Array(length);
      await fill(file, bytes);
      return bytes;
    };
    const tables = tablesOf(await read(0, Math.min(HEAD_BYTES, fileBytes)));
    const { offset, entries } = tables.l1;
    return new Changes(file, tables, secondTables(await read(offset, entries * 8), tables), fileBytes);
  }

  /** What the file has of a cluster. @throws {ImageError} */
  async cluster(index: number): Promise<Cluster> {
    const { clusterBytes } = this.tables, entries = clusterBytes / 8, table = Math.floor(index / entries);
    if (this.#second?.index !== table) {
      const at = this.second[table] ?? 0;
      this.#second = { index: table, clusters: at === 0 ? [] : clustersIn(await this.#at(at), this.tables) };
    }
    return this.#second.clusters[index % entries] ?? "none";
  }

  /** The content of a cluster. @throws {ImageError} */
  async content(cluster: Cluster): Promise<Uint8Array<ArrayBuffer>> {
    return typeof cluster === "number" ? await this.#at(cluster) : new Uint8Array(this.tables.clusterBytes);
  }

  async #at(offset: number): Promise<Uint8Array<ArrayBuffer>> {
    if (offset >= this.fileBytes) throw new ImageError("it ends before its content does");
    await this.file.seek(offset, Deno.SeekMode.Start);
    const bytes = new Uint8Array(this.tables.clusterBytes);
    await fill(this.file, bytes);
    return bytes;
  }
}

/**
 * Puts a disk into the folder of which a file holds what has changed.
 *
 * @param path the qcow2 file that QEMU made
 * @param base the chunks of the earlier copy, as many as the disk has
 * @throws {ImageError} for a file that is not to be trusted @throws {BackupChunkError} for one of the base that is damaged
 */
export async function storeIncrement(
  repository: Repository,
  path: string,
  { bytes, base }: { readonly bytes: number; readonly base: readonly Chunk[] },
  storing: Storing,
): Promise<Increment> {
  const file = await Deno.open(path, { read: true });
  // Not `using`: the bundler takes a variable out that is read once, and then nothing is closed.
  try {
    const changes = await Changes.read(file), { clusterBytes, virtualBytes } = changes.tables;
    if (virtualBytes !== bytes || CHUNK_BYTES % clusterBytes !== 0) {
      throw new ImageError("it is not of the disk's size");
    }
    const perChunk = CHUNK_BYTES / clusterBytes;
    let copied = 0;
    const pieceAt = async (index: number, length: number): Promise<Piece> => {
      const before = base[index] ?? null, first = index * perChunk;
      const clusters: Cluster[] = [];
      for (let at = 0; at < Math.ceil(length / clusterBytes); at++) {
        clusters.push(await changes.cluster(first + at));
      }
      const held = clusters.filter((each) => each !== "none").length;
      if (held === 0) return { kept: before };
      copied += held;
      const content = held === clusters.length || before === null
        ? new Uint8Array(length)
        : await readChunk(repository, before, length);
      for (const [at, cluster] of clusters.entries()) {
        if (cluster === "none") continue;
        const from = at * clusterBytes;
        content.set((await changes.content(cluster)).subarray(0, length - from), from);
      }
      return content;
    };
    const stored = await storePieces(repository, bytes, pieceAt, storing);
    return { ...stored, copiedBytes: copied * clusterBytes };
  } finally {
    file.close();
  }
}
