/**
 * What an image's own head says: whether it is a qcow2 image, and what other files such an image names. Read here and
 * not by qemu-img, which would open what is named. Source: QEMU's docs/interop/qcow2.txt, "Header".
 */

const MAGIC = 0x514649fb;
const HEADER_BYTES = 104;
const VERSION_3 = 3;
/** Incompatible feature bit 2: the data is in another file. */
const EXTERNAL_DATA = 1n << 2n;
/** Longest name of a backing file the format allows. */
const MOST_NAME_BYTES = 1023;

/** A qcow2 image's head. */
export interface Qcow2Head {
  /** The image it is built on, as it is written there; undefined when there is none. */
  readonly backing: string | undefined;
  /** Whether its data is in another file. */
  readonly hasDataFile: boolean;
}

async function fill(file: Deno.FsFile, bytes: Uint8Array): Promise<number> {
  let at = 0;
  while (at < bytes.length) {
    const read = await file.read(bytes.subarray(at));
    if (read === null) break;
    at += read;
  }
  return at;
}

/** The head of the qcow2 image at `path`; null when it is no such image. @throws {Error} when it cannot be read */
export async function qcow2Head(path: string): Promise<Qcow2Head | null> {
  using file = await Deno.open(path);
  const bytes = new Uint8Array(HEADER_BYTES);
  const length = await fill(file, bytes);
  const view = new DataView(bytes.buffer);
  if (length < 20 || view.getUint32(0) !== MAGIC) return null;
  const offset = Number(view.getBigUint64(8)), size = view.getUint32(16);
  const hasDataFile = view.getUint32(4) >= VERSION_3 && (view.getBigUint64(72) & EXTERNAL_DATA) !== 0n;
  if (offset === 0 || size === 0) return { backing: undefined, hasDataFile };
  if (size > MOST_NAME_BYTES) throw new Error("the name of its backing file is too long");
  const name = new Uint8Array(size);
  await file.seek(offset, Deno.SeekMode.Start);
  if (await fill(file, name) !== size) throw new Error("the name of its backing file is cut off");
  return { backing: new TextDecoder().decode(name), hasDataFile };
}
