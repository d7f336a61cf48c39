/** Hyper-V's older VHD images that stand alone. Source: Microsoft's "Virtual Hard Disk Image Format Specification". */
import { ImageError } from "../qcow2/qcow2_header.ts";
import { asciiAt, countOf, type ImageSource, viewAt } from "./source.ts";

const FOOTER = 512;
const COOKIE = "conectix";
const FIXED = 2, DYNAMIC = 3;

/** Checks a VHD image. @returns the size that the guest sees, in bytes @throws {ImageError} why it must not be used */
export async function readVhd(source: ImageSource): Promise<number> {
  const first = await viewAt(source, 0, FOOTER);
  const isDynamic = asciiAt(first, 0, 8) === COOKIE;
  const footer = isDynamic ? first : await viewAt(source, source.size - FOOTER, FOOTER);
  if (asciiAt(footer, 0, 8) !== COOKIE) throw new ImageError("it is no VHD image");
  const kind = footer.getUint32(60);
  if (kind !== FIXED && kind !== DYNAMIC) {
    throw new ImageError("it is built on another image. Export it whole, without checkpoints");
  }
  return countOf(footer.getBigUint64(48), "its size");
}
