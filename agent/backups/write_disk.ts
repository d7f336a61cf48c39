/** Content of a folder of backups into a new volume: each chunk is checked before it is written. */
import { chunkCount, chunkLength, type ChunkList, readingChunkList } from "../../lib/backup/chunk_list.ts";
import type { BackupManifest, ManifestDisk } from "../../lib/backup/manifest.ts";
import { Qcow2Layout } from "../../lib/formats/qcow2/layout.ts";
import { writeAll } from "../../lib/write_all.ts";
import { plainPath } from "../machine/host_file.ts";
import { hostFiles } from "../machine/host_files.ts";
import type { JobHandle } from "../jobs/jobs.ts";
import type { PoolVolume } from "../storage/volumes.ts";
import { setImmediate } from "node:timers/promises";
import { ChunksAhead } from "./read_ahead.ts";
import type { FoundCopy, Repository } from "./repository.ts";
import { PeriodicSync } from "./periodic_sync.ts";

/** The chunks of a disk. @throws {ManifestError} @throws {Error} from reading */
export async function chunksOf(
  repository: Repository,
  copy: FoundCopy,
  { chunkBytes }: Pick<BackupManifest, "chunkBytes">,
  { target, bytes, chunks }: ManifestDisk,
): Promise<ChunkList> {
  const list = new TextDecoder().decode(await repository.fileOf(copy, `${target}.chunks`, chunks));
  const reading = readingChunkList(list, chunkCount(bytes, chunkBytes));
  for (;;) {
    const part = reading.next();
    if (part.done) return part.value;
    await setImmediate(); // others get their turn
  }
}

async function writeAt(
  file: Deno.FsFile,
  { offset, bytes }: { readonly offset: number; readonly bytes: Uint8Array },
): Promise<void> {
  await file.seek(offset, Deno.SeekMode.Start);
  await writeAll(file, bytes);
}

/**
 * Makes a qcow2 image of a disk that is empty, in a file that no other account may read. @param bytes size
 * that a guest sees
 */
export async function makeEmptyImage(path: string, bytes: number): Promise<void> {
  const file = await hostFiles.open(path, { createNew: true, write: true, mode: 0o600 });
  // Not `using`: the bundler takes a variable out that is read once, and then nothing is closed.
  try {
    for (const placed of new Qcow2Layout(bytes).end()) await writeAt(file, placed);
  } finally {
    file.close();
  }
}

/** Chunks of a disk, and the file or device for them. */
export interface DiskToWrite {
  readonly repository: Repository;
  readonly chunks: ChunkList;
  readonly chunkBytes: number;
  /** Size that the guest sees. */
  readonly bytes: number;
  readonly format: "raw" | "qcow2";
  readonly job: Pick<JobHandle, "signal">;
  readonly onBytes: (done: number) => void;
}

/** The chunks of a disk that are written: a new file has zeros by itself, and no time is spent on them. */
function* writtenOf(
  chunks: ChunkList,
  isFile: boolean,
): Generator<readonly [index: number, digest: string | null]> {
  if (isFile) yield* chunks.entries();
  else for (let index = 0; index < chunks.length; index++) yield [index, chunks.at(index)];
}

/**
 * Fills a new volume. A file keeps its holes; a device is written whole, because its former content is not known.
 *
 * @throws {ManifestError} for what is damaged @throws {Error} from writing
 */
export async function writeDisk(volume: PoolVolume, disk: DiskToWrite): Promise<void> {
  const { repository, chunks, chunkBytes, bytes, format, job, onBytes } = disk;
  const isFile = volume.type === "file";
  const layout = format === "qcow2" ? new Qcow2Layout(bytes) : undefined;
  const path = plainPath(volume.path);
  using file = await hostFiles.open(path, { read: true, write: true });
  // Another one, for a file does one thing at a time.
  using again = await hostFiles.open(path, { read: true });
  const steady = new PeriodicSync(() => again.syncData());
  if (isFile) await file.truncate(0);
  await using ahead = new ChunksAhead(repository, chunks.entries(), disk);
  for (const [index, digest] of writtenOf(chunks, isFile)) {
    job.signal.throwIfAborted();
    const at = index * chunkBytes, length = chunkLength(index, bytes, chunkBytes);
    if (digest === null) await writeAt(file, { offset: at, bytes: new Uint8Array(length) });
    else {
      const content = await ahead.take(index);
      if (layout === undefined) await writeAt(file, { offset: at, bytes: content });
      else for (const placed of layout.place(at, content)) await writeAt(file, placed);
    }
    steady.wrote(length);
    onBytes(at + length);
  }
  if (layout !== undefined) {
    for (const placed of layout.end()) await writeAt(file, placed);
  } else if (isFile) await file.truncate(bytes);
  await steady.end();
  await file.sync();
}
