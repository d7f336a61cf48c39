/** Hyper-V's VHDX images that stand alone. Source: Microsoft's [MS-VHDX]. */
import { ImageError } from "../qcow2/qcow2_header.ts";
import { asciiAt, countOf, type ImageSource, viewAt } from "./source.ts";
import { KIB } from "../../text/byte_units.ts";

const REGIONS_AT = 192 * KIB;
const ENTRY = 32;
const MOST_ENTRIES = 64;
/** Ids as they lie in the file. */
const METADATA = "06a27c8b90479a4bb8fe575f050f886e";
const FILE_PARAMETERS = "3767a1ca36fa434db3b633f0aa44e76b";
const VIRTUAL_DISK_SIZE = "2442a52f1bcd7648b2115dbed83bf4b8";
const HAS_PARENT = 2;

function idAt(view: DataView, at: number): string {
  const bytes = new Uint8Array(view.buffer, view.byteOffset + at, 16);
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Checks a VHDX image. @returns the size that the guest sees, in bytes @throws {ImageError} why it must not be used */
export async function readVhdx(source: ImageSource): Promise<number> {
  if (asciiAt(await viewAt(source, 0, 8), 0, 8) !== "vhdxfile") throw new ImageError("it is no VHDX image");
  const regions = await viewAt(source, REGIONS_AT, 64 * KIB);
  if (asciiAt(regions, 0, 4) !== "regi") throw new ImageError("its table of regions is missing");
  const count = Math.min(MOST_ENTRIES, regions.getUint32(8, true));
  let metadataAt: number | undefined;
  for (let at = 16, left = count; left > 0; at += ENTRY, left--) {
    if (idAt(regions, at) === METADATA) {
      metadataAt = countOf(regions.getBigUint64(at + 16, true), "an offset");
    }
  }
  if (metadataAt === undefined) throw new ImageError("its metadata is missing");
  const table = await viewAt(source, metadataAt, 64 * KIB);
  if (asciiAt(table, 0, 8) !== "metadata") throw new ImageError("its metadata is missing");
  const items = Math.min(MOST_ENTRIES, table.getUint16(10, true));
  let size: number | undefined, parameters: DataView | undefined;
  for (let at = 32, left = items; left > 0; at += ENTRY, left--) {
    const id = idAt(table, at), where = metadataAt + table.getUint32(at + 16, true);
    if (id === FILE_PARAMETERS) parameters = await viewAt(source, where, 8);
    if (id === VIRTUAL_DISK_SIZE) {
      size = countOf((await viewAt(source, where, 8)).getBigUint64(0, true), "its size");
    }
  }
  if (parameters === undefined || size === undefined) throw new ImageError("its metadata is not whole");
  if ((parameters.getUint32(4, true) & HAS_PARENT) !== 0) {
    throw new ImageError("it is built on another image. Export it whole, without checkpoints");
  }
  return size;
}
