/** VirtualBox's VDI images that stand alone. Source: QEMU's block/vdi.c. */
import { ImageError } from "../qcow2/qcow2_header.ts";
import { countOf, type ImageSource, viewAt } from "./source.ts";

const MAGIC = 0xbeda107f, VERSION = 0x0001_0001;
const DYNAMIC = 1, FIXED = 2;
/** Bytes of a block: QEMU takes no other. */
const BLOCK = 1024 * 1024;
const PARENTS = [0x1a8, 0x1b8] as const;

/** Checks a VDI image. @returns the size that the guest sees, in bytes @throws {ImageError} why it must not be used */
export async function readVdi(source: ImageSource): Promise<number> {
  const view = await viewAt(source, 0, 512);
  if (view.getUint32(0x40, true) !== MAGIC) throw new ImageError("it is no VDI image");
  if (view.getUint32(0x44, true) !== VERSION) throw new ImageError("this VDI version is not known");
  const kind = view.getUint32(0x4c, true);
  const hasParent = PARENTS.some((at) =>
    view.getBigUint64(at, true) !== 0n || view.getBigUint64(at + 8, true) !== 0n
  );
  if (hasParent || (kind !== DYNAMIC && kind !== FIXED)) {
    throw new ImageError("it is built on another image. Export it whole, without snapshots");
  }
  if (view.getUint32(0x178, true) !== BLOCK) throw new ImageError("the size of its blocks is not 1 MiB");
  return countOf(view.getBigUint64(0x170, true), "its size");
}
