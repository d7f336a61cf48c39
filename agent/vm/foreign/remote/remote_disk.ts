/** A disk on another machine that is read by ranges. */
import type { ImageSource } from "../../../../lib/formats/foreign/mod.ts";

/** The line broke: it may go on where it did. */
export class LineBroken extends Error {
  override readonly name = "LineBroken";
}

/** A stretch of bytes as they come, until it is disposed of. */
export interface RemoteStretch extends AsyncDisposable {
  readonly pieces: AsyncIterable<Uint8Array>;
}

/** Its bytes, as they lie there. */
export interface RemoteDisk {
  /** Name shown to users. */
  readonly label: string;
  /** Bytes that are transferred. */
  readonly size: number;
  /** Identity of the disk in its present state; undefined where it cannot be determined. */
  readonly state?: string;
  /** Begins to read. @throws {LineBroken} @throws {ContractError} */
  open(offset: number, length: number, signal: AbortSignal): Promise<RemoteStretch>;
  /** SHA-256 of all of it, as the other side reads it; undefined where that cannot be asked. */
  checksum?(signal: AbortSignal): Promise<string>;
  /** SHA-256 of so many bytes of its beginning, where its state does not tell whether it was written to. @throws {ContractError} */
  startChecksum?(length: number, signal: AbortSignal): Promise<string>;
  /** @throws {ContractError} where the disk has changed since it was opened first */
  requireUnchanged?(signal: AbortSignal): Promise<void>;
}

/** Reads a range of bytes. @throws {LineBroken} where there are fewer */
export async function readRemote(
  disk: Pick<RemoteDisk, "size" | "open" | "label">,
  offset: number,
  length: number,
  signal: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  const wanted = Math.max(0, Math.min(length, disk.size - offset)), bytes = new Uint8Array(wanted);
  if (wanted === 0) return bytes;
  await using stretch = await disk.open(offset, wanted, signal);
  let at = 0;
  for await (const piece of stretch.pieces) {
    signal.throwIfAborted();
    bytes.set(piece.subarray(0, wanted - at), at);
    at += piece.length;
    if (at >= wanted) return bytes;
  }
  throw new LineBroken(`${disk.label} ended early`);
}

/** As the readers of heads take it. */
export const remoteSource = (disk: RemoteDisk, signal: AbortSignal): ImageSource => ({
  size: disk.size,
  read: (offset, length) => readRemote(disk, offset, length, signal),
});
