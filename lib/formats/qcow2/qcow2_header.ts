/**
 * The head of a qcow2 image: which other files it names. Read before an image is given to QEMU, which would open
 * whatever the image names (CVE-2024-32498 and its kin). Pure. Source: QEMU's docs/interop/qcow2.rst.
 */
import { textOfBytes } from "../../text/byte_text.ts";

/** Bytes of an image's start that hold all that is looked at: its header and its extensions. */
export const HEAD_BYTES = 64 * 1024;

/** Fields of a qcow2 image's header. */
export interface Qcow2Header {
  readonly version: number;
  /** Size that the guest sees. */
  readonly virtualSize: bigint;
  /** The image it is built on, as it stands there: a path, an URL, `json:…`. */
  readonly backingFile: string | undefined;
  readonly backingFormat: string | undefined;
  /** Its data lies in another file. */
  readonly externalData: boolean;
  /** Its own mark that its tables are broken. */
  readonly corrupt: boolean;
  readonly encrypted: boolean;
  /** Location of its snapshot table, if it has one; see `snapshots.ts`. */
  readonly snapshots?: { readonly offset: bigint; readonly count: number };
  /** Location of its list of dirty bitmaps, if it has one; see `bitmaps.ts`. */
  readonly bitmaps?: { readonly offset: bigint; readonly length: bigint; readonly count: number };
}

/** It is no qcow2 image, or not one that can be trusted. */
export class ImageError extends Error {
  override readonly name = "ImageError";
}

const MAGIC = 0x514649fb;
/** Longest name of a backing file the format allows. */
const MOST_NAME_BYTES = 1023;
const VERSION_2_BYTES = 72;
const VERSION_3_BYTES = 104;
/** Incompatible features. */
const CORRUPT = 1n << 1n, EXTERNAL_DATA = 1n << 2n;
/** dirty, corrupt, external data, compression, extended L2: what this reader knows the meaning of. */
const KNOWN_FEATURES = 0b11111n;
/** Autoclear feature: the bitmaps are those of this content. Without it their extension means nothing. */
const BITMAPS_VALID = 1n;
const EXTENSION = {
  END: 0,
  BACKING_FORMAT: 0xe2792aca,
  EXTERNAL_DATA: 0x44415441,
  BITMAPS: 0x23852875,
} as const;
/** Bytes of the bitmaps' extension. */
const BITMAPS_BYTES = 24;

/** Whether these bytes begin as a qcow (of any version) does. */
export function looksLikeQcow2(head: Uint8Array): boolean {
  return head.length >= 8 && new DataView(head.buffer, head.byteOffset).getUint32(0) === MAGIC;
}

/**
 * Reads the start of an image.
 *
 * @param head its first {@link HEAD_BYTES}, or all of a shorter file
 * @throws {ImageError} with a reason fit to be shown
 */
export function readQcow2Header(head: Uint8Array): Qcow2Header {
  if (!looksLikeQcow2(head)) throw new ImageError("it is not a qcow2 image");
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const version = view.getUint32(4);
  if (version !== 2 && version !== 3) throw new ImageError(`its qcow version ${version} is not supported`);
  const least = version === 2 ? VERSION_2_BYTES : VERSION_3_BYTES;
  if (head.length < least) throw new ImageError("its header is cut short");
  const features = version === 3 ? view.getBigUint64(72) : 0n;
  if ((features & ~KNOWN_FEATURES) !== 0n) {
    throw new ImageError(`it uses features that are not known (0x${features.toString(16)})`);
  }
  const length = version === 3 ? view.getUint32(100) : VERSION_2_BYTES;
  if (length < least || length > head.length) throw new ImageError("its header's length is wrong");
  const found = extensions(view, length);
  return {
    version,
    virtualSize: view.getBigUint64(24),
    backingFile: backingFile(view),
    backingFormat: found.backingFormat,
    externalData: found.externalData || (features & EXTERNAL_DATA) !== 0n,
    corrupt: (features & CORRUPT) !== 0n,
    encrypted: view.getUint32(32) !== 0,
    ...(view.getUint32(60) > 0 && {
      snapshots: { offset: view.getBigUint64(64), count: view.getUint32(60) },
    }),
    ...(found.bitmaps !== undefined && version === 3 && (view.getBigUint64(88) & BITMAPS_VALID) !== 0n && {
      bitmaps: found.bitmaps,
    }),
  };
}

const text = (view: DataView, at: number, length: number) =>
  textOfBytes(new Uint8Array(view.buffer, view.byteOffset + at, length));

function backingFile(view: DataView): string | undefined {
  const offset = view.getBigUint64(8), size = view.getUint32(16);
  if (offset === 0n) return undefined;
  if (size === 0 || size > MOST_NAME_BYTES || offset + BigInt(size) > BigInt(view.byteLength)) {
    throw new ImageError("the name of its backing file is not where the format has it");
  }
  return text(view, Number(offset), size);
}

/** Header extensions. */
interface Extensions {
  backingFormat: string | undefined;
  externalData: boolean;
  bitmaps: Qcow2Header["bitmaps"];
}

function extensions(view: DataView, from: number): Extensions {
  const found: Extensions = { backingFormat: undefined, externalData: false, bitmaps: undefined };
  const offset = view.getBigUint64(8);
  // They end where the backing file's name begins, at the latest; 12 bytes that are not there are an end, too.
  const end = offset === 0n ? view.byteLength : Number(offset);
  for (let at = from; at + 8 <= Math.min(end, view.byteLength);) {
    const type = view.getUint32(at), length = view.getUint32(at + 4);
    if (type === EXTENSION.END) return found;
    if (at + 8 + length > view.byteLength) throw new ImageError("a header extension is cut short");
    if (type === EXTENSION.BACKING_FORMAT) found.backingFormat = text(view, at + 8, length);
    if (type === EXTENSION.EXTERNAL_DATA) found.externalData = true;
    if (type === EXTENSION.BITMAPS && length >= BITMAPS_BYTES) {
      found.bitmaps = {
        count: view.getUint32(at + 8),
        length: view.getBigUint64(at + 16),
        offset: view.getBigUint64(at + 24),
      };
    }
    at += 8 + Math.ceil(length / 8) * 8;
  }
  return found;
}

/**
 * Why an image must not be given to a VM, whatever it is built on; null when its own header is clean. The file it
 * names as the one below it is not judged here.
 */
export function headRefusal(header: Qcow2Header): string | null {
  if (header.externalData) return "it keeps its data in another file, which is not allowed";
  if (header.corrupt) return "it is marked as corrupt: repair it with qemu-img check -r";
  if (header.encrypted) return "it is encrypted, which is not supported";
  // `json:{…}`, `nbd://…`, `fat:…`: QEMU would take it for something else than a file.
  return header.backingFile !== undefined && /^[a-z][\w+.-]*:/i.test(header.backingFile)
    ? "it is built on something that is no plain file, which is not allowed"
    : null;
}
