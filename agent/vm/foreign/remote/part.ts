/** The volume that a disk of another machine arrives in: a new one, or that of an import which was cut. */
import { createHash, type Hash } from "node:crypto";
import { message } from "../../../../lib/i18n/message.ts";
import { openFile, plainPath, readAt } from "../../../machine/host_file.ts";
import { hostFiles } from "../../../machine/host_files.ts";
import type { Noted } from "../../../operations/operation.ts";
import type { VolumeMade } from "../../../operations/step.ts";
import { type ConversionTarget, requireOurs } from "../../../storage/convert_disk.ts";
import { makeVolume } from "../../../storage/volume_steps.ts";
import { VolumeUsage } from "../../../storage/volume_usage.ts";
import { createVolume, findVolumeAt, type PoolVolume, removeVolume } from "../../../storage/volumes.ts";
import type { ConvertWork, ForeignServices } from "../model.ts";
import type { ArrivingVolume } from "./kept_parts.ts";
import type { RemoteDisk } from "./remote_disk.ts";

const SECTOR = 512;
/** Bytes that are read back at a time. */
const PIECE = 1024 * 1024;
/** Milliseconds between two notes of how much has come. */
const NOTE_MS = 5000;

/** A volume that a disk arrives in. */
export class ArrivingPart {
  #notedAt = performance.now();

  constructor(
    readonly volume: PoolVolume,
    /** Bytes that have come, from the beginning of the disk. */
    public received: number,
    /** Of those. */
    readonly hash: Hash,
    private readonly noted: Noted<VolumeMade> | undefined,
    private readonly source: string | undefined,
  ) {}

  /** Takes in what has come next. */
  took(bytes: Uint8Array): void {
    this.hash.update(bytes);
    this.received += bytes.length;
    if (performance.now() - this.#notedAt > NOTE_MS) this.#note({});
  }

  /** The line does not come back: what has come is kept. */
  broke(): void {
    this.#note({ isBroken: true });
  }

  #note(more: { readonly isBroken?: true }): void {
    const { source, received, hash } = this;
    this.#notedAt = performance.now();
    if (source === undefined) return;
    this.noted?.know({ arriving: { source, received, sha256: hash.copy().digest("hex"), ...more } }, true);
  }
}

/** SHA-256 of so many bytes of a file. @throws the signal's reason */
export async function hashOf(path: string, size: number, signal: AbortSignal): Promise<Hash> {
  const file = await openFile(path), hash = createHash("sha256");
  try {
    for (let at = 0; at < size;) {
      signal.throwIfAborted();
      const bytes = await readAt(file, at, Math.min(PIECE, size - at));
      if (bytes.length === 0) break;
      hash.update(bytes);
      at += bytes.length;
    }
    return hash;
  } finally {
    file.close();
  }
}

/**
 * Opens the volume.
 *
 * @param held keeps others from it
 * @throws {ContractError} @throws {LibvirtError} @throws the reason of the job's end
 */
export async function openPart(
  services: ForeignServices,
  disk: RemoteDisk,
  target: ConversionTarget,
  { job, operation }: Pick<ConvertWork, "job" | "operation">,
  held: DisposableStack,
): Promise<ArrivingPart> {
  const { host, parts } = services, { link } = host, { pool, format } = target;
  const capacity = Math.ceil(disk.size / SECTOR) * SECTOR, source = await sourceOf(disk);
  const kept = source === undefined ? undefined : await parts?.take(pool, source);
  if (kept !== undefined) {
    const part = await goneOnWith(services, kept, disk, capacity, { job, operation }, held);
    if (part !== undefined) return part;
  }
  const name = `${target.name}.part`;
  await parts?.clear(pool, name);
  held.use(host.locks.take(pool, name, { hold: "make" }));
  let noted: Noted<VolumeMade> | undefined;
  const wanted = {
    name,
    capacity,
    format: format === undefined ? undefined : "raw",
    allocation: format === undefined ? capacity : 0,
  };
  const volume = await makeVolume(
    link,
    operation,
    { pool, name },
    () => createVolume(link, pool, wanted),
    (made) => noted = made,
  );
  await requireOurs(volume);
  return new ArrivingPart(volume, 0, createHash("sha256"), noted, source);
}

/** SHA-256 of what tells the disk, in the state that it has. */
async function sourceOf({ state }: RemoteDisk): Promise<string | undefined> {
  if (state === undefined) return undefined;
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(state));
  return new Uint8Array(digest).toHex();
}

/** Goes on with what an import has left, where that is whole. What is damaged is deleted. @returns undefined where nothing can be gone on with */
async function goneOnWith(
  { host, parts }: ForeignServices,
  step: ArrivingVolume,
  disk: RemoteDisk,
  capacity: number,
  { job, operation }: Pick<ConvertWork, "job" | "operation">,
  held: DisposableStack,
): Promise<ArrivingPart | undefined> {
  const { link } = host, { path, pool, name, arriving: { source, received, sha256 } } = step;
  using own = new DisposableStack();
  own.use(host.locks.take(pool, name, { hold: "make" }));
  const { isBroken: _, ...arriving } = step.arriving;
  const noted = operation.add<VolumeMade>({ ...step, arriving });
  parts?.adopted(path);
  const volume = await findVolumeAt(link, path);
  if (volume === undefined || (await VolumeUsage.read(host, [volume])).of(volume).length > 0) {
    // Somebody has put it to another use: it is theirs
    noted.drop();
    return undefined;
  }
  await requireOurs(volume);
  job.log(message`Reading ${name} again, of which ${received} bytes had come`);
  const hash = await hashOf(path, received, job.signal);
  const isWhole = volume.capacity === capacity && hash.copy().digest("hex") === sha256;
  if (isWhole && (await disk.startChecksum?.(received, job.signal) ?? sha256) === sha256) {
    using file = await hostFiles.open(plainPath(path), { write: true });
    // What came later is not known to be whole
    await file.truncate(received);
    await file.truncate(capacity);
    job.log(message`Going on at byte ${received} of ${path}`);
    held.use(own.move());
    return new ArrivingPart(volume, received, hash, noted, source);
  }
  job.log(
    isWhole
      ? message`${disk.label} was written to since: it is transferred from the beginning`
      : message`${name} is not as it was: it is transferred from the beginning`,
  );
  await removeVolume(link, path);
  noted.drop();
  return undefined;
}
