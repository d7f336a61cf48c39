/**
 * Disks as other hypervisors write them: read before qemu-img sees any of it, and taken only where one file is the whole
 * disk. Pure.
 */
import { readImageHead } from "../qcow2/head.ts";
import { HEAD_BYTES, ImageError } from "../qcow2/qcow2_header.ts";
import { asciiAt, type ImageSource } from "./source.ts";
import { readVdi } from "./vdi.ts";
import { readVhd } from "./vhd.ts";
import { readVhdx } from "./vhdx.ts";
import { readVmdk } from "./vmdk.ts";

export type { ImageSource };

/** Formats that disks come in, by the names of QEMU's drivers for them. */
export const ARRIVING_FORMATS = ["vmdk", "qcow2", "raw", "vdi", "vpc", "vhdx"] as const;
export type ArrivingFormat = typeof ARRIVING_FORMATS[number];

/** A disk that may be converted. */
export interface ArrivingDisk {
  readonly format: ArrivingFormat;
  /** Size that the guest sees. */
  readonly virtualBytes: number;
}

const SECTOR = 512;
const READERS: Readonly<Record<Exclude<ArrivingFormat, "raw">, (source: ImageSource) => Promise<number>>> = {
  vmdk: readVmdk,
  qcow2: readQcow2,
  vdi: readVdi,
  vpc: readVhd,
  vhdx: readVhdx,
};

async function readQcow2(source: ImageSource): Promise<number> {
  const { refusal, virtualSize } = readImageHead(await source.read(0, HEAD_BYTES));
  if (refusal !== null) throw new ImageError(refusal);
  return Number(virtualSize ?? 0n);
}

/** The format whose mark a disk's start has; undefined where there is none, as on raw ones. */
export function markedFormat(start: Uint8Array): Exclude<ArrivingFormat, "raw"> | undefined {
  const length = Math.min(SECTOR, start.length), head = new DataView(start.buffer, start.byteOffset, length);
  const text = asciiAt(head, 0, Math.min(21, length));
  if (text.startsWith("KDMV")) return "vmdk";
  if (text.startsWith("QFI\xfb")) return "qcow2";
  if (text.startsWith("vhdxfile")) return "vhdx";
  if (text.startsWith("conectix")) return "vpc";
  if (length >= 68 && head.getUint32(64, true) === 0xbeda107f) return "vdi";
  return undefined;
}

/**
 * Judges a disk.
 *
 * @param said what it is said to be; what its head says otherwise is refused, for a guest may have written a head onto a
 * raw disk (CVE-2013-1922)
 * @throws {ImageError} why it must not be converted
 */
export async function readArriving(
  source: ImageSource,
  said: ArrivingFormat | undefined,
): Promise<ArrivingDisk> {
  if (source.size < SECTOR) throw new ImageError("it is empty");
  const marked = markedFormat(await source.read(0, SECTOR));
  const format = said ?? marked ?? "raw";
  // A fixed VHD has its mark at its end alone.
  if (marked !== undefined && marked !== format) {
    throw new ImageError(`it is said to be ${format}, but its head is one of ${marked}`);
  }
  if (format === "raw") {
    const { refusal } = readImageHead(await source.read(0, HEAD_BYTES));
    if (refusal !== null) throw new ImageError(refusal);
    return { format, virtualBytes: source.size };
  }
  const virtualBytes = await READERS[format](source);
  if (virtualBytes <= 0) throw new ImageError("a guest would see no bytes of it");
  return { format, virtualBytes };
}
