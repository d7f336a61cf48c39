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
 * @param from where the image is when its name for that counts, in the bin for one
 */
export async function backingOf(path: string, from = path): Promise<NamedImage | null> {
  const head = await qcow2Head(path);
  const name = head?.backingFile;
  if (name === undefined) return null;
  const named = /^json:.*"filename"\s*:\s*"([^"]+)"/s.exec(name)?.[1] ?? name.replace(/^file:/, "");
  return { path: resolve(dirname(from), named), format: head?.backingFormat ?? "" };
}

/**
 * Every image that the qcow2 image at `path` is built on, nearest first, as the headers name them.
 *
 * @throws {Error} when an image is there but cannot be read: what it is built on is unknown then
 */
export async function backingImages(path: string): Promise<NamedImage[]> {
  const chain: NamedImage[] = [];
  try {
    for (let at = path; chain.length < MOST_IMAGES;) {
      const next = await backingOf(at);
      if (next === null || chain.some((each) => each.path === next.path)) break;
      chain.push(next);
      at = next.path;
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error; // a missing image is built on nothing we could lose
  }
  return chain;
}

/** The paths of {@link backingImages}. @throws {Error} */
export async function backingChain(path: string): Promise<string[]> {
  return (await backingImages(path)).map((image) => image.path);
}
