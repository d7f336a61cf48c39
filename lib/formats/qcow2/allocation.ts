/**
 * Finds the clusters that a qcow2 file holds itself, whatever it names below it, to tell the parts of a disk that QEMU
 * copied from the rest. The file is read here and not by qemu-img, which would open the file it names. Everything in it
 * is checked: a QEMU that a guest took over wrote it. Pure. Source: QEMU's docs/interop/qcow2.rst.
 */
import { ImageError, readQcow2Header } from "./qcow2_header.ts";

/** State of a cluster in a file: absent, zeros, or the offset of its content, in bytes. */
export type Cluster = "none" | "zeros" | number;

/** Location of a file's tables. */
export interface Qcow2Tables {
  readonly clusterBytes: number;
  /** Size that the guest sees. */
  readonly virtualBytes: number;
  readonly l1: { readonly offset: number; readonly entries: number };
}

/** Bits 9 to 55 of an entry: where it leads. */
const OFFSET = 0x00ff_ffff_ffff_fe00n;
/** The same in the upper half of an entry, and the bit that it begins with in the lower one. */
const OFFSET_HIGH = 0x00ff_ffff, OFFSET_FROM = 9;
/** Bit 62 of an entry, in the upper half; bit 0, in the lower one. */
const COMPRESSED = 1 << 30, ZEROS = 1;
/** Incompatible features that change how tables are read: compression types, extended L2 entries. */
const OTHER_TABLES = 0b11000n;

/**
 * Reads where the tables are.
 *
 * @param head the first {@link HEAD_BYTES} of the file, or all of a shorter one
 * @throws {ImageError}
 */
export function tablesOf(head: Uint8Array): Qcow2Tables {
  const header = readQcow2Header(head);
  if (header.externalData || header.corrupt || header.encrypted) {
    throw new ImageError("it is no plain qcow2 image");
  }
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  if (header.version === 3 && (view.getBigUint64(72) & OTHER_TABLES) !== 0n) {
    throw new ImageError("its tables are of a kind that is not read");
  }
  const bits = view.getUint32(20), entries = view.getUint32(36), offset = view.getBigUint64(40);
  if (bits < 9 || bits > 21) throw new ImageError("its clusters have a size that the format does not allow");
  const clusterBytes = 2 ** bits, virtualBytes = Number(header.virtualSize);
  const needed = Math.ceil(virtualBytes / (clusterBytes * clusterBytes / 8));
  if (!Number.isSafeInteger(virtualBytes) || entries < needed || entries > 2 ** 22) {
    throw new ImageError("its first table has a wrong size");
  }
  if (offset % BigInt(clusterBytes) !== 0n || offset > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new ImageError("its first table is not where the format has it");
  }
  return { clusterBytes, virtualBytes, l1: { offset: Number(offset), entries: needed } };
}

/** Offsets of the second-level tables, in order; 0 for an absent one. @throws {ImageError} */
export function secondTables(l1: Uint8Array, { clusterBytes }: Qcow2Tables): number[] {
  const view = new DataView(l1.buffer, l1.byteOffset, l1.byteLength);
  return Array.from({ length: l1.length / 8 }, (_, index) => {
    const offset = Number(view.getBigUint64(index * 8) & OFFSET);
    if (offset % clusterBytes !== 0) throw new ImageError("a table of it is not where the format has it");
    return offset;
  });
}

/**
 * The clusters of one table of the second level. Halves of entries are looked at, not whole ones: a disk of a TiB has 16
 * million of them.
 *
 * @throws {ImageError}
 */
export function clustersIn(l2: Uint8Array, { clusterBytes }: Qcow2Tables): Cluster[] {
  const view = new DataView(l2.buffer, l2.byteOffset, l2.byteLength), found: Cluster[] = [];
  for (let at = 0; at + 8 <= l2.length; at += 8) {
    const high = view.getUint32(at), low = view.getUint32(at + 4);
    if ((high & COMPRESSED) !== 0) throw new ImageError("it is compressed");
    const offset = (high & OFFSET_HIGH) * 2 ** 32 + (low - low % 2 ** OFFSET_FROM);
    if ((low & ZEROS) !== 0) found.push("zeros");
    else if (offset === 0) found.push("none");
    else if (offset % clusterBytes === 0) found.push(offset);
    else throw new ImageError("content of it is not where the format has it");
  }
  return found;
}
