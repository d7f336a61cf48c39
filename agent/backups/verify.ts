/** Whether copies are what they were: every chunk is read, and compared with its checksum. */
import { message, vmName } from "../../lib/i18n/message.ts";
import { chunkLength, type ChunkList } from "../../lib/backup/chunk_list.ts";
import { type BackupManifest, ManifestError } from "../../lib/backup/manifest.ts";
import type { JobHandle } from "../jobs/jobs.ts";
import { log } from "../log.ts";
import { BackupChunkError } from "./chunks.ts";
import { ChunksAhead } from "./read_ahead.ts";
import type { FoundCopy, Repository } from "./repository.ts";
import { chunksOf } from "./write_disk.ts";

/** Lines of a task's log about one copy. */
const MOST_TOLD = 5;

/** Result of a copy's check. */
export interface Verdict {
  /** The fault; undefined if there is none. */
  readonly fault: string | undefined;
  readonly checkedBytes: number;
}

/** The bytes of chunks that differ: what is read for a whole copy. */
export const contentBytes = ({ disks }: BackupManifest): number =>
  disks.reduce((sum, { bytes }) => sum + bytes, 0);

/** Each chunk where it comes first, without what is known. */
function* onceEach(
  list: ChunkList,
  known: ReadonlySet<string>,
): Generator<readonly [index: number, digest: string]> {
  const seen = new Set(known);
  for (const entry of list.entries()) {
    if (seen.has(entry[1])) continue;
    seen.add(entry[1]);
    yield entry;
  }
}

/**
 * Checks a copy. Damaged chunks are set aside while no session writes to the folder, so that the next copy heals them.
 *
 * @param known chunks that were found right just now: what copies share is read once
 */
export async function verifyCopy(
  repository: Repository,
  copy: FoundCopy,
  job: Pick<JobHandle, "signal" | "log">,
  onBytes: (done: number) => void,
  known: Set<string>,
): Promise<Verdict> {
  const { manifest } = copy;
  if (manifest === undefined) return { fault: copy.fault ?? "it cannot be read", checkedBytes: 0 };
  const faults: string[] = [], damaged = new Set<string>();
  const note = (fault: string) => {
    faults.push(fault);
    if (faults.length <= MOST_TOLD) job.log(message`${vmName(manifest.vm)}: ${fault}`);
  };
  const noteError = (error: unknown, what: string) => {
    if (error instanceof BackupChunkError) damaged.add(error.digest);
    if (error instanceof ManifestError) return note(`${what}: ${error.message}`);
    if (error instanceof Deno.errors.NotFound) return note(`${what}: a file of it is missing`);
    throw error;
  };
  const files = [
    ["domain.xml", manifest.definition],
    ["nvram", manifest.nvram],
    ...(manifest.tpm ?? []).map(({ name, digest }) => [name, digest] as const),
  ] as const;
  for (const [name, digest] of files) {
    if (digest === undefined) continue;
    await repository.fileOf(copy, name, digest).catch((error) => noteError(error, name));
  }
  let checkedBytes = 0;
  const { chunkBytes } = manifest;
  for (const disk of manifest.disks) {
    const { target, bytes } = disk;
    let list: ChunkList;
    try {
      list = await chunksOf(repository, copy, manifest, disk);
    } catch (error) {
      noteError(error, `disk ${target}`);
      continue;
    }
    const unread = [...onceEach(list, known)];
    await using ahead = new ChunksAhead(repository, unread, { bytes, chunkBytes });
    for (const [index, digest] of unread) {
      job.signal.throwIfAborted();
      try {
        await ahead.take(index);
        known.add(digest);
      } catch (error) {
        noteError(error, `disk ${target}`);
      }
      onBytes(checkedBytes + index * chunkBytes + chunkLength(index, bytes, chunkBytes));
    }
    checkedBytes += bytes;
  }
  if (damaged.size > 0) {
    await repository.tryLocked("write", true, () => repository.setAside(damaged)).catch((error) =>
      log.debug("damaged chunks could not be set aside", { folder: repository.folder, error })
    );
  }
  const [first] = faults;
  const more = faults.length > 1 ? ` (and ${faults.length - 1} more)` : "";
  return { fault: first === undefined ? undefined : `${first}${more}`, checkedBytes };
}
