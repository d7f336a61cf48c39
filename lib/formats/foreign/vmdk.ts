/**
 * VMDK images that stand alone: sparse ones with their description inside, as OVAs have them (stream-optimised) and as
 * hypervisors write them. Everything that could make QEMU open another file is refused: descriptions on their own, extents
 * in other files, parents (CVE-2022-47951). Source: VMware's "Virtual Disk Format 5.0"; QEMU's block/vmdk.c.
 */
import { ImageError } from "../qcow2/qcow2_header.ts";
import { asciiAt, countOf, type ImageSource, viewAt } from "./source.ts";

const SECTOR = 512;
const MAGIC = 0x4b444d56;
/** Bytes of the description that QEMU reads. */
const MOST_DESCRIPTION = 20 * SECTOR;
/** That the tables of grains are at the end, where the footer says. */
const AT_END = 0xffff_ffff_ffff_ffffn;
/** Sectors of the largest grain: QEMU takes memory for two of them. */
const MOST_GRAIN = 2048;
const TYPES: ReadonlySet<string> = new Set(["monolithicSparse", "streamOptimized"]);
const NO_PARENT = "ffffffff";

/** Fields of a sparse extent's header. */
interface SparseHead {
  readonly capacity: bigint;
  readonly grain: bigint;
  readonly descriptionAt: bigint;
  readonly tableEntries: number;
  readonly directoryAt: bigint;
}

function headIn(view: DataView): SparseHead {
  if (view.getUint32(0) !== MAGIC) throw new ImageError("it is no sparse VMDK image");
  const version = view.getUint32(4, true);
  if (version < 1 || version > 3) throw new ImageError(`VMDK version ${version} is not known`);
  return {
    capacity: view.getBigUint64(12, true),
    grain: view.getBigUint64(20, true),
    descriptionAt: view.getBigUint64(28, true),
    tableEntries: view.getUint32(44, true),
    directoryAt: view.getBigUint64(56, true),
  };
}

/** @throws {ImageError} for what QEMU would take for something else than one disk in this file */
function requireSane({ capacity, grain, tableEntries }: SparseHead): void {
  // With no capacity of its own QEMU opens what the description names.
  if (capacity === 0n) {
    throw new ImageError("it has no content of its own: its description names other files");
  }
  if (grain < 1n || grain > BigInt(MOST_GRAIN) || (grain & (grain - 1n)) !== 0n) {
    throw new ImageError("the size of its grains is wrong");
  }
  if (tableEntries < 1 || tableEntries > SECTOR) throw new ImageError("the size of its tables is wrong");
}

/** @throws {ImageError} for a description that leads out of the file */
function judge(description: string): void {
  const lines = description.split(/\r?\n/).map((line) => line.trim());
  const valueOf = (key: string) => {
    const found = lines.filter((line) => line.toLowerCase().startsWith(`${key.toLowerCase()}=`));
    if (found.length > 1) throw new ImageError(`its description has ${key} twice`);
    return found[0]?.slice(key.length + 1).trim().replace(/^"(.*)"$/, "$1");
  };
  const type = valueOf("createType");
  if (type === undefined || !TYPES.has(type)) {
    throw new ImageError(
      `it is of the kind ${type?.slice(0, 40) ?? "unknown"}, which keeps its data elsewhere`,
    );
  }
  if (
    (valueOf("parentCID") ?? NO_PARENT).toLowerCase() !== NO_PARENT || /parentFileNameHint/i.test(description)
  ) {
    throw new ImageError("it is built on another image. Export it whole, without snapshots");
  }
  const extents = lines.filter((line) => /^(RW|RDONLY|NOACCESS)\b/i.test(line));
  if (extents.length !== 1 || !/^(RW|RDONLY)\s+\d{1,16}\s+SPARSE\s+"[^"/\\]{1,255}"$/i.test(extents[0]!)) {
    throw new ImageError("its description names other files than itself");
  }
}

/**
 * Checks a VMDK image that stands alone.
 *
 * @returns the size that the guest sees, in bytes
 * @throws {ImageError} why it must not be used
 */
export async function readVmdk(source: ImageSource): Promise<number> {
  const head = headIn(await viewAt(source, 0, SECTOR));
  requireSane(head);
  // QEMU looks for a parent there, wherever the head says that the description is.
  if (head.descriptionAt !== 1n) throw new ImageError("its description is not where it belongs");
  const length = Math.min(MOST_DESCRIPTION, source.size - SECTOR);
  judge(asciiAt(await viewAt(source, SECTOR, length), 0, length));
  if (head.directoryAt === AT_END) {
    // The footer's head takes the place of the first one.
    const footer = headIn(await viewAt(source, source.size - 2 * SECTOR, SECTOR));
    requireSane(footer);
    if (footer.capacity !== head.capacity || footer.directoryAt === AT_END) {
      throw new ImageError("its head and its footer contradict each other");
    }
  }
  return countOf(head.capacity, "its size") * SECTOR;
}

/** Offset where an extent may have a description. QEMU looks there for a parent, whatever the header says. */
const DESCRIPTION_AT = SECTOR;

/**
 * Judges a piece of a split image, which a description in another file names: content without a description of its own.
 *
 * @param bytes what the description says that a guest sees of it
 * @throws {ImageError} why it must not be used
 */
export async function requireVmdkPiece(source: ImageSource, bytes: number): Promise<void> {
  const head = headIn(await viewAt(source, 0, SECTOR));
  requireSane(head);
  if (countOf(head.capacity, "its size") * SECTOR !== bytes) {
    throw new ImageError("its size is not what its description says");
  }
  if (head.directoryAt === AT_END) throw new ImageError("it is compressed, which no piece of an image is");
  const length = Math.min(MOST_DESCRIPTION, source.size - DESCRIPTION_AT);
  const start = new TextDecoder("windows-1252").decode(await source.read(DESCRIPTION_AT, length));
  if (/parentFileNameHint/i.test(start)) throw new ImageError("it is built on another image");
}
