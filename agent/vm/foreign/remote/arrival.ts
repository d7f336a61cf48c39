/** Brings a disk from another machine into a pool, from where a broken line has come to, and converts it there. */
import { createHash } from "node:crypto";
import { ContractError } from "../../../../lib/contract/mod.ts";
import { type ArrivingDisk, type ArrivingFormat, readArriving } from "../../../../lib/formats/foreign/mod.ts";
import { ImageError } from "../../../../lib/formats/qcow2/qcow2_header.ts";
import { GIB } from "../../../../lib/text/byte_units.ts";
import { messageOf } from "../../../../lib/text/message.ts";
import { oneLine } from "../../../../lib/text/text.ts";
import { openFile, plainPath, readAt } from "../../../machine/host_file.ts";
import { hostFiles } from "../../../machine/host_files.ts";
import { type ConversionTarget, convertImage } from "../../../storage/convert_disk.ts";
import { readImage } from "../../../storage/qemu_img.ts";
import { makeVolume } from "../../../storage/volume_steps.ts";
import { type PoolVolume, removeVolume } from "../../../storage/volumes.ts";
import { pause } from "../../../within.ts";
import type { ConvertWork, ForeignServices } from "../model.ts";
import { requireClean } from "../windows.ts";
import { type ArrivingPart, hashOf, openPart } from "./part.ts";
import { LineBroken, type RemoteDisk, remoteSource } from "./remote_disk.ts";
import { message } from "../../../../lib/i18n/message.ts";

/** How often in a row a transfer goes on without a byte, and milliseconds before it does. */
const MOST_TRIES = 6, AGAIN_MS = 5000;

/** Whether bytes are zeros: a new file has them already. */
const isZero = (bytes: Uint8Array): boolean => {
  const whole = bytes.length - bytes.length % 8;
  const words = bytes.byteOffset % 8 === 0
    ? new BigUint64Array(bytes.buffer, bytes.byteOffset, whole / 8)
    : undefined;
  return words !== undefined && words.every((word) => word === 0n) &&
    bytes.subarray(whole).every((byte) => byte === 0);
};

type Work = Pick<ConvertWork, "job"> & { readonly onShare: (share: number) => void };

/** Writes what is missing of a disk into a volume. @returns SHA-256 of what has come */
async function download(disk: RemoteDisk, part: ArrivingPart, { job, onShare }: Work): Promise<string> {
  const target = part.volume;
  using file = await hostFiles.open(plainPath(target.path), { write: true });
  const { size, label } = disk;
  for (let tries = 1; part.received < size;) {
    const before = part.received;
    try {
      await using stretch = await disk.open(part.received, size - part.received, job.signal);
      for await (const bytes of stretch.pieces) {
        job.signal.throwIfAborted();
        await file.seek(part.received, Deno.SeekMode.Start);
        if (target.type !== "file" || !isZero(bytes)) {
          for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
        }
        part.took(bytes);
        onShare(part.received / size);
      }
      if (part.received < size) throw new LineBroken("it ended early");
    } catch (error) {
      job.signal.throwIfAborted();
      if (!(error instanceof LineBroken)) throw error;
      const { received } = part;
      tries = received > before ? 1 : tries + 1;
      const why = oneLine(messageOf(error), 160);
      if (tries > MOST_TRIES) {
        part.broke();
        throw new ContractError("ImportFailed", {
          error: message`the connection broke at byte ${received} of ${label} and does not come back: ${why}`,
        }, { cause: error });
      }
      job.log(message`The connection broke at ${received} of ${size} bytes (${why}): it goes on there`);
      await pause(AGAIN_MS, job.signal);
      job.signal.throwIfAborted();
      await disk.requireUnchanged?.(job.signal);
    }
  }
  await file.sync();
  return part.hash.digest("hex");
}

/** SHA-256 of a disk, by reading all of it once more. */
async function sumByReading(disk: RemoteDisk, signal: AbortSignal): Promise<string> {
  const hash = createHash("sha256");
  for (let at = 0, tries = 1; at < disk.size;) {
    const before = at;
    try {
      await using stretch = await disk.open(at, disk.size - at, signal);
      for await (const bytes of stretch.pieces) {
        signal.throwIfAborted();
        hash.update(bytes);
        at += bytes.length;
      }
      if (at < disk.size) throw new LineBroken("it ended early");
    } catch (error) {
      signal.throwIfAborted();
      tries = at > before ? 1 : tries + 1;
      if (!(error instanceof LineBroken) || tries > MOST_TRIES) throw error;
      await pause(AGAIN_MS, signal);
    }
  }
  return hash.digest("hex");
}

/** Requires that the file here equals the file sent and the one at the source. @throws {ContractError} FileDamaged */
async function requireWhole(
  disk: RemoteDisk,
  part: PoolVolume,
  received: string,
  { job, verify }: Pick<ConvertWork, "job" | "verify">,
): Promise<void> {
  const { signal } = job, found = (await hashOf(part.path, disk.size, signal)).digest("hex");
  const require = (wanted: string) => {
    if (found === wanted) return;
    throw new ContractError("FileDamaged", { file: disk.label, algorithm: "SHA-256", found, wanted });
  };
  require(received);
  await disk.requireUnchanged?.(signal);
  if (disk.checksum === undefined && !verify) return;
  job.log(message`Comparing the checksum of ${disk.label}`);
  require(await (disk.checksum?.(signal) ?? sumByReading(disk, signal)));
}

/** Judges a disk by its head. @throws {ContractError} DiskRefused, ImageTooLarge */
export async function judgeRemote(
  { imagePolicy }: Pick<ForeignServices, "imagePolicy">,
  source: Parameters<typeof readArriving>[0],
  label: string,
  format: ArrivingFormat | undefined,
): Promise<ArrivingDisk> {
  try {
    const disk = await readArriving(source, format ?? "raw");
    const { maxVirtualGb } = imagePolicy();
    if (disk.virtualBytes <= maxVirtualGb * GIB) return disk;
    const gib = Math.floor(disk.virtualBytes / GIB);
    throw new ContractError("ImageTooLarge", {
      reason: message`a guest would see ${gib} GiB of ${label}, allowed are ${maxVirtualGb}`,
    });
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    throw new ContractError("DiskRefused", { path: label, reason: error.message }, { cause: error });
  }
}

/** The same of a disk that is far away. @throws {ContractError} SourceUnreachable where the line breaks */
export async function judgeFar(
  services: Pick<ForeignServices, "imagePolicy">,
  disk: RemoteDisk,
  format: ArrivingFormat | undefined,
  signal: AbortSignal,
): Promise<ArrivingDisk> {
  try {
    return await judgeRemote(services, remoteSource(disk, signal), disk.label, format);
  } catch (error) {
    if (!(error instanceof LineBroken)) throw error;
    throw new ContractError("SourceUnreachable", { source: disk.label, reason: `${error.message}.` }, {
      cause: error,
    });
  }
}

/**
 * Transfers a disk, compares it, judges it, and converts it.
 *
 * @param format the format by the source
 * @throws {ContractError} ImportFailed, FileDamaged, DiskRefused, ImageTooLarge, GuestNotClean, JobCancelled
 */
export async function bring(
  services: ForeignServices,
  disk: RemoteDisk,
  format: ArrivingFormat | undefined,
  target: ConversionTarget,
  work: ConvertWork,
): Promise<PoolVolume> {
  const { host } = services, { link } = host, { pool } = target, { job, operation, onShare } = work;
  using held = new DisposableStack();
  const arriving = await openPart(services, disk, target, work, held), { volume: part } = arriving;
  const received = await download(disk, arriving, { job, onShare: (share) => onShare(share / 2) });
  await requireWhole(disk, part, received, work);
  const open = await openFile(part.path);
  let judged: ArrivingDisk;
  try {
    judged = await judgeRemote(
      services,
      {
        size: disk.size,
        read: (offset, length) => readAt(open, offset, Math.min(length, disk.size - offset)),
      },
      disk.label,
      format,
    );
  } finally {
    open.close();
  }
  const { virtualBytes } = judged;
  const source = {
    path: part.path,
    type: "file",
    format: judged.format,
    part: { offset: 0, size: disk.size },
    backing: [],
  } as const;
  if (work.mustBeClean) {
    await requireClean({
      file: disk.label,
      readGuest: (offset, length, signal) =>
        offset >= virtualBytes
          ? Promise.resolve(new Uint8Array())
          : readImage(source, offset, Math.min(length, virtualBytes - offset), signal),
    }, job.signal);
  }
  const made = await makeVolume(
    link,
    operation,
    { pool, name: target.name },
    () =>
      convertImage(
        host,
        { ...target, source, virtualBytes, packedBytes: disk.size },
        job,
        (share) => onShare(0.5 + share / 2),
      ),
  );
  await removeVolume(link, part.path);
  return made;
}
