/**
 * Images that another image is built on. libvirt's stored XML does not name them, so the qcow2 headers are read here:
 * only the header, only of disks that libvirt says are qcow2, and the names found are compared, never opened for a
 * guest. Source: QEMU's docs/interop/qcow2.txt, "Header".
 */
import { dirname, resolve } from "node:path";
import { qcow2Head } from "./image_chain.ts";

/** Images in a chain that are followed; a header can make a chain point back to itself. */
const MOST_IMAGES = 64;

/** The backing file that an image's head names, as a path; null when it names none. */
async function backingOf(path: string): Promise<string | null> {
  const name = (await qcow2Head(path))?.backingFile;
  if (name === undefined) return null;
  const named = /^json:.*"filename"\s*:\s*"([^"]+)"/s.exec(name)?.[1] ?? name.replace(/^file:/, "");
  return resolve(dirname(path), named);
}

/**
 * Every image that the qcow2 image at `path` is built on, nearest first.
 *
 * @throws {Error} when an image is there but cannot be read: what it is built on is unknown then
 */
export async function backingChain(path: string): Promise<string[]> {
  const chain: string[] = [];
  try {
    for (let at: string | null = path; chain.length < MOST_IMAGES;) {
      at = await backingOf(at);
      if (at === null || chain.includes(at)) break;
      chain.push(at);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error; // a missing image is built on nothing we could lose
  }
  return chain;
}
