/**
 * Images that another image is built on. libvirt's stored XML does not name them, so the qcow2 headers are read here:
 * only the header, only of disks that libvirt says are qcow2, and the names found are compared, never opened for a
 * guest. Source: QEMU's docs/interop/qcow2.txt, "Header".
 */
import { dirname, resolve } from "node:path";

/** Longest name of a backing file the format allows. */
const MOST_NAME_BYTES = 1023;
/** Images in a chain that are followed; a header can make a chain point back to itself. */
const MOST_IMAGES = 64;

/** The backing file that a qcow2 header names, as a path; null when it names none. */
async function backingOf(path: string): Promise<string | null> {
  using file = await Deno.open(path);
  const header = new DataView(new ArrayBuffer(20));
  if (await file.read(new Uint8Array(header.buffer)) !== 20 || header.getUint32(0) !== 0x514649fb) {
    return null;
  }
  const offset = Number(header.getBigUint64(8)), size = header.getUint32(16);
  if (offset === 0 || size === 0 || size > MOST_NAME_BYTES) return null;
  const bytes = new Uint8Array(size);
  await file.seek(offset, Deno.SeekMode.Start);
  if (await file.read(bytes) !== size) return null;
  const name = new TextDecoder().decode(bytes);
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
