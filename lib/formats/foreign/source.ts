/** Bytes of an image that lies somewhere: in a file, or in a part of one. */
import { ImageError } from "../qcow2/qcow2_header.ts";

/** Reader of an image's bytes. */
export interface ImageSource {
  /** Bytes of the whole. */
  readonly size: number;
  /** The bytes from a place on: fewer at the end. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** Exactly so many bytes. @throws {ImageError} when there are fewer */
export async function viewAt(source: ImageSource, offset: number, length: number): Promise<DataView> {
  if (!Number.isSafeInteger(offset) || offset < 0 || offset + length > source.size) {
    throw new ImageError("it is cut short");
  }
  const bytes = await source.read(offset, length);
  if (bytes.length < length) throw new ImageError("it is cut short");
  return new DataView(bytes.buffer, bytes.byteOffset, length);
}

/** A number of 64 bits as one that can be counted with. @throws {ImageError} */
export function countOf(value: bigint, what: string): number {
  if (value < 0n || value > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new ImageError(`${what} is more than any disk has`);
  }
  return Number(value);
}

/** The ASCII text at a place, up to its first zero. */
export function asciiAt(view: DataView, offset: number, length: number): string {
  const bytes = new Uint8Array(view.buffer, view.byteOffset + offset, length);
  const end = bytes.indexOf(0);
  return String.fromCharCode(...bytes.subarray(0, end < 0 ? length : end));
}
