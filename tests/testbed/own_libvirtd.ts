/**
 * A libvirtd of a test file's own, for files that stop, hang or count:
 *
 *     const ignore = await requirement("guest") !== null || await ownLibvirtd("power") !== null;
 *
 * From then on every helper of the test bed (machines, networks, pools, virsh, servers) uses it. It ends with the file's
 * tests, with all that is on it. Its network is its own, too: addresses of guests and ports of screens are not reached from
 * the test, and its files below /var/lib/libvirt and /run/libvirt are not where the product looks for them.
 */
import { useLibvirtd } from "./libvirt.ts";
import { privateLibvirt } from "./private_libvirt.ts";
import { Unavailable } from "./unavailable.ts";

let isThere = false;

/**
 * Starts it, before the first test; once for each file.
 *
 * @returns null, or why there can be none on this machine, which is printed as {@link requirement} does
 */
export async function ownLibvirtd(purpose: string): Promise<string | null> {
  if (isThere) throw new Error("this test file has a libvirtd of its own already");
  try {
    const host = await privateLibvirt(purpose);
    isThere = true;
    useLibvirtd(host);
    Deno.test.afterAll(() => host[Symbol.asyncDispose]());
    return null;
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    console.error(`SKIP own libvirtd: ${error.message}`);
    return error.message;
  }
}
