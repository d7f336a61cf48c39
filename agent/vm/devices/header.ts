/** The head of an image on this host: what it names beside itself, read before QEMU or qemu-img would open that. */
import {
  HEAD_BYTES,
  looksLikeQcow2,
  type Qcow2Header,
  readQcow2Header,
} from "../../../lib/image/qcow2_header.ts";

/**
 * What the qcow2 image at `path` says of itself; null when it is no such image.
 *
 * @throws {Error} when it cannot be read @throws {ImageError} when it says what cannot be
 */
export async function qcow2Head(path: string): Promise<Qcow2Header | null> {
  using file = await Deno.open(path);
  const head = new Uint8Array(HEAD_BYTES);
  let length = 0;
  while (length < head.length) {
    const read = await file.read(head.subarray(length));
    if (read === null) break;
    length += read;
  }
  const found = head.subarray(0, length);
  return looksLikeQcow2(found) ? readQcow2Header(found) : null;
}
