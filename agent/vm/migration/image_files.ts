/**
 * Images of a VM with snapshots on their way to another host. They are copied byte by byte: snapshots within them, and what is
 * built on what, are part of them. What they name is checked before QEMU opens them.
 */
import type { PlacedDisk } from "../../../lib/formats/xml/migration.ts";
import { ImageError } from "../../../lib/formats/qcow2/qcow2_header.ts";
import { headRefusal } from "../../../lib/formats/qcow2/qcow2_header.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { qcow2Head } from "../../storage/disk_images/chain.ts";
import { rebaseImage } from "../../storage/qemu_img.ts";
import type { CopiedHere } from "./incoming_disks.ts";

/** Bytes of a sector: images are as many of them. */
const SECTOR = 512;
export const wholeSectors = (bytes: number): number => Math.ceil(bytes / SECTOR) * SECTOR;

/** A volume that was made for an image, or for the content of a disk. */
export interface MadeImage extends Pick<PlacedDisk, "target" | "path" | "type">, Pick<CopiedHere, "image"> {
  readonly format: "qcow2" | "raw";
}

type OfDisk = Pick<MadeImage, "target" | "image">;

/** The image that one is built on; undefined where it is built on nothing. @throws {ImageError} for one that is none of its disk's */
function baseOf<I extends OfDisk>({ target, image }: I, all: readonly I[]): I | undefined {
  const backing = image?.of.backing;
  if (backing === undefined) return undefined;
  const base = all.find((each) => each.target === target && each.image?.index === backing);
  if (base === undefined) throw new ImageError("it is built on an image that does not come");
  return base;
}

/** Images that one is built on, nearest first. @throws {ImageError} for a ring */
function chainOf<I extends OfDisk>(image: I, all: readonly I[]): I[] {
  const chain: I[] = [];
  for (let base = baseOf(image, all); base !== undefined; base = baseOf(base, all)) {
    if (chain.includes(base) || base === image) throw new ImageError("it is built on itself");
    chain.push(base);
  }
  return chain;
}

/** Images with those before them that they are built on. @throws {ImageError} for a ring */
export const basesFirst = <I extends OfDisk>(images: readonly I[]): I[] =>
  images.map((image) => ({ image, depth: chainOf(image, images).length }))
    .toSorted((a, b) => a.depth - b.depth).map(({ image }) => image);

/** The disks that the VM has in the end: of those that come as files, the first ones with what they are built on. @throws {ImageError} */
export const placedDisks = (made: readonly MadeImage[]): PlacedDisk[] =>
  made.filter(({ image }) => image === undefined || image.index === 0).map((each) => {
    const { target, path, type, format } = each;
    const backing = chainOf(each, made).map((base) => ({
      path: base.path,
      type: base.type,
      format: base.format,
    }));
    return { target, path, type, format, backing };
  });

/** Paths of images on the host that they come from → here. */
export const movedPaths = (made: readonly MadeImage[]): Map<string, string> =>
  new Map(made.flatMap(({ path, image }) => image === undefined ? [] : [[image.of.path, path]]));

/** Makes images that have come name what they are built on here. @throws {ImageError} for one that is not what was said of it */
export async function relinkImages(made: readonly MadeImage[], signal: AbortSignal): Promise<void> {
  for (const each of made) {
    const { path, format, image } = each;
    if (image === undefined || format !== "qcow2") continue;
    const base = baseOf(each, made), head = await qcow2Head(path);
    if (head === null) throw new ImageError(`${path} is no qcow2 image`);
    const refusal = headRefusal(head);
    if (refusal !== null) throw new ImageError(`${path}: ${refusal}`);
    if (base === undefined) {
      if (head.backingFile === undefined) continue;
      throw new ImageError(`${path} is built on ${oneLine(head.backingFile, 200)}, which does not come`);
    }
    await rebaseImage(path, base, signal);
  }
}
