/**
 * The dirty bitmaps that a qcow2 image keeps: what programs for backups note in it. Pure. Source: QEMU's
 * docs/interop/qcow2.rst, "Bitmaps extension" and "Bitmaps".
 */
import { textOfBytes } from "../../text/byte_text.ts";
import { ImageError, type Qcow2Header } from "./qcow2_header.ts";

/** Most bytes of a list that is read: a name has 1023 at most, and QEMU keeps few. */
export const MOST_DIRECTORY_BYTES = 4 * 1024 ** 2;

/** Bytes of an entry before its name. */
const ENTRY_BYTES = 24;

/** Location of an image's list of bitmaps; undefined if it has none. @throws {ImageError} */
export function bitmapDirectory(
  { bitmaps }: Pick<Qcow2Header, "bitmaps">,
): { readonly offset: number; readonly length: number; readonly count: number } | undefined {
  if (bitmaps === undefined || bitmaps.count === 0) return undefined;
  const { count } = bitmaps, length = Number(bitmaps.length), offset = Number(bitmaps.offset);
  if (length > MOST_DIRECTORY_BYTES || !Number.isSafeInteger(offset)) {
    throw new ImageError("the list of its bitmaps is too large");
  }
  return { offset, length, count };
}

/** The names of the bitmaps in a list. @throws {ImageError} */
export function bitmapNames(bytes: Uint8Array, count: number): string[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const names: string[] = [];
  for (let at = 0; names.length < count;) {
    if (at + ENTRY_BYTES > bytes.length) throw new ImageError("the list of its bitmaps is cut short");
    const nameLength = view.getUint16(at + 18), extra = view.getUint32(at + 20);
    const from = at + ENTRY_BYTES + extra, end = from + nameLength;
    if (end > bytes.length) throw new ImageError("the list of its bitmaps is cut short");
    names.push(textOfBytes(bytes.subarray(from, end)));
    at += Math.ceil((end - at) / 8) * 8;
  }
  return names;
}
