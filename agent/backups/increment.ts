/**
 * Disks that qcow2 files hold, all of them or what QEMU copied since an earlier copy. That is laid over that copy: the result
 * lists every chunk, as a whole read does.
 */
import { chunkLength, type ChunkList } from "../../lib/backup/chunk_list.ts";
import { CHUNK_BYTES } from "../../lib/backup/manifest.ts";
import {
  type Cluster,
  clustersIn,
  type Qcow2Tables,
  secondTables,
  tablesOf,
} from "../../lib/formats/qcow2/allocation.ts";
import { HEAD_BYTES, ImageError } from "../../lib/formats/qcow2/qcow2_header.ts";
import { readChunk, readFully, type Stored, storePieces, type Storing } from "./chunks.ts";
import type { Repository } from "./repository.ts";
import { hostFiles } from "../machine/host_files.ts";

/** A disk in the store, and how much of it QEMU had copied. */
export interface Increment extends Stored {
  readonly copiedBytes: number;
}

/** A qcow2 file that holds clusters of a disk. */
export class Clusters {
  #second: { readonly index: number; readonly clusters: readonly Cluster[] } | undefined;

  private constructor(
    readonly file: Deno.FsFile,
    readonly tables: Qcow2Tables,
    readonly second: readonly number[],
    readonly fileBytes: number,
  ) {}

  /** @throws {ImageError} */
  static async read(file: Deno.FsFile): Promise<Clusters> {
    const fileBytes = await file.seek(0, Deno.SeekMode.End);
    const read = async (offset: number, length: number) => {
      if (offset + length > fileBytes) throw new ImageError("it ends before its tables do");
      await file.seek(offset, Deno.SeekMode.Start);
      const bytes = new Uint8Array(length);
      await readFully(file, bytes);
      return bytes;
    };
    const tables = tablesOf(await read(0, Math.min(HEAD_BYTES, fileBytes)));
    const { offset, entries } = tables.l1;
    return new Clusters(file, tables, secondTables(await read(offset, entries * 8), tables), fileBytes);
  }

  /** A number of clusters of the file, from one on. @throws {ImageError} */
  async of(first: number, count: number): Promise<Cluster[]> {
    const entries = this.tables.clusterBytes / 8, found: Cluster[] = [];
    while (found.length < count) {
      const at = first + found.length, from = at % entries;
      const part = (await this.#table(Math.floor(at / entries))).slice(from, from + count - found.length);
      found.push(...part);
    }
    return found;
  }

  /** The clusters of a table of the second level. */
  async #table(index: number): Promise<readonly Cluster[]> {
    if (this.#second?.index === index) return this.#second.clusters;
    const { clusterBytes } = this.tables, at = this.second[index] ?? 0;
    let clusters = new Array<Cluster>(clusterBytes / 8).fill("none");
    if (at !== 0) {
      const table = new Uint8Array(clusterBytes);
      await this.#read(at, table);
      clusters = clustersIn(table, this.tables);
    }
    this.#second = { index, clusters };
    return clusters;
  }

  /** Reads every table, and keeps none. @throws {ImageError} for what is not to be read here */
  async readAll(): Promise<void> {
    for (const [index, at] of this.second.entries()) if (at !== 0) await this.#table(index);
  }

  /** Lays what the file has of clusters over bytes; what lies together in it is read at once. @throws {ImageError} */
  async lay(clusters: readonly Cluster[], over: Uint8Array<ArrayBuffer>): Promise<void> {
    const { clusterBytes } = this.tables;
    for (let at = 0, next = 1; at < clusters.length; at = next, next++) {
      const cluster = clusters[at]!;
      if (cluster === "none") continue;
      if (typeof cluster === "number") {
        while (next < clusters.length && clusters[next] === cluster + (next - at) * clusterBytes) next++;
      }
      const bytes = over.subarray(at * clusterBytes, next * clusterBytes);
      if (typeof cluster === "number") await this.#read(cluster, bytes);
      else bytes.fill(0);
    }
  }

  async #read(offset: number, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const { clusterBytes } = this.tables;
    // Its last cluster may be cut off, where the rest of it is zeros.
    const last = offset + Math.floor((bytes.length - 1) / clusterBytes) * clusterBytes;
    if (last >= this.fileBytes) throw new ImageError("it ends before its content does");
    await this.file.seek(offset, Deno.SeekMode.Start);
    await readFully(this.file, bytes);
  }
}

/** The clusters of a chunk. */
export interface Held {
  readonly clusters: readonly Cluster[];
  /** How many of them the file has. */
  readonly count: number;
  /** Whether the file has content for none of them. */
  readonly isEmpty: boolean;
}

/** Works with the clusters of a file, chunk by chunk. @throws {ImageError} for a file that is not to be trusted */
export async function withClusters<T>(
  path: string,
  bytes: number,
  work: (file: Clusters, of: (chunk: number) => Promise<Held>) => Promise<T>,
): Promise<T> {
  const file = await hostFiles.open(path, { read: true });
  // Not `using`: the bundler takes a variable out that is read once, and then nothing is closed.
  try {
    const held = await Clusters.read(file), { clusterBytes, virtualBytes } = held.tables;
    if (virtualBytes !== bytes || CHUNK_BYTES % clusterBytes !== 0) {
      throw new ImageError("it is not of the disk's size");
    }
    return await work(held, async (chunk) => {
      const length = Math.ceil(chunkLength(chunk, bytes, CHUNK_BYTES) / clusterBytes);
      const clusters = await held.of(chunk * (CHUNK_BYTES / clusterBytes), length);
      const count = clusters.reduce<number>((sum, each) => each === "none" ? sum : sum + 1, 0);
      return { clusters, count, isEmpty: !clusters.some((each) => typeof each === "number") };
    });
  } finally {
    file.close();
  }
}

/**
 * Puts a disk into the folder that a qcow2 file holds all of: it is built on nothing.
 *
 * @throws {ImageError} for one that QEMU alone reads: where it is compressed, before anything is put
 */
export async function storeImage(
  repository: Repository,
  path: string,
  bytes: number,
  storing: Storing,
): Promise<Stored> {
  return await withClusters(path, bytes, async (file, clustersOf) => {
    await file.readAll();
    return await storePieces(repository, bytes, async ({ index, into }) => {
      const { clusters, count, isEmpty } = await clustersOf(index);
      if (isEmpty) return { kept: null };
      if (count < clusters.length) into.fill(0);
      await file.lay(clusters, into);
      return undefined;
    }, storing);
  });
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
  { bytes, base }: { readonly bytes: number; readonly base: ChunkList },
  storing: Storing,
): Promise<Increment> {
  return await withClusters(path, bytes, async (changes, clustersOf) => {
    let copied = 0;
    const stored = await storePieces(repository, bytes, async ({ index, into, threads }) => {
      const before = base.at(index), { clusters, count, isEmpty } = await clustersOf(index);
      if (count === 0) return { kept: before };
      copied += count;
      if (isEmpty && count === clusters.length) return { kept: null };
      if (count < clusters.length) {
        if (before === null) into.fill(0);
        else into.set(await readChunk(repository, threads, before, into.length));
      }
      await changes.lay(clusters, into);
      return undefined;
    }, storing);
    return { ...stored, copiedBytes: copied * changes.tables.clusterBytes };
  });
}
