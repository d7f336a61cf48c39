/**
 * Images that another image is built on. libvirt's stored XML does not name them, so the qcow2 headers are read here:
 * only the header, only of disks that libvirt says are qcow2, and the names found are compared, never opened for a
 * guest. Source: QEMU's docs/interop/qcow2.txt, "Header".
 */
import { dirname, resolve } from "node:path";
import { qcow2Head } from "./chain.ts";

/** Images in a chain that are followed; a header can make a chain point back to itself. */
const MOST_IMAGES = 64;

/** An image that a header names. */
export interface NamedImage {
  readonly path: string;
  /** Empty where the header leaves it open. */
  readonly format: string;
}

/**
 * The backing file that an image's head names; null when it names none.
 *
 * @param from path that a relative name is resolved against, if not `path`: for an image in the bin, for
 *   example
 */
export async function backingOf(path: string, from = path): Promise<NamedImage | null> {
  const head = await qcow2Head(path);
  const name = head?.backingFile;
  if (name === undefined) return null;
  const named = /^json:.*"filename"\s*:\s*"([^"]+)"/s.exec(name)?.[1] ?? name.replace(/^file:/, "");
  return { path: resolve(dirname(from), named), format: head?.backingFormat ?? "" };
}

/** The images that one is built on, as far as they are there. */
export interface ReadChain {
  /** Nearest first. */
  readonly images: readonly NamedImage[];
  /** The image that is not there: what is below it is not known. */
  readonly missing?: string;
}

/**
 * Every image that the qcow2 image at `path` is built on, as the headers name them.
 *
 * @throws {Error} when an image is there but cannot be read: what it is built on is unknown then
 */
export async function wholeChain(path: string): Promise<ReadChain> {
  const images: NamedImage[] = [];
  for (let at = path; images.length < MOST_IMAGES;) {
    let next: NamedImage | null;
    try {
      next = await backingOf(at);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      return { images, missing: at };
    }
    if (next === null || images.some((each) => each.path === next.path)) break;
    images.push(next);
    at = next.path;
  }
  return { images };
}

/** The images of {@link wholeChain}, as far as they are there. @throws {Error} */
export async function backingImages(path: string): Promise<readonly NamedImage[]> {
  return (await wholeChain(path)).images;
}

/** The paths of {@link backingImages}. @throws {Error} */
export async function backingChain(path: string): Promise<string[]> {
  return (await backingImages(path)).map((image) => image.path);
}
