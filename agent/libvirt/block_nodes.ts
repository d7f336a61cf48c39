/** Names of QEMU's block nodes, which libvirt gives. */
import { LibvirtError } from "../../ffi/error.ts";
import { log } from "../log.ts";

/** QEMU has a node of the name that libvirt has just given. */
const TAKEN = /Duplicate nodes with node-name='libvirt-/;
/** How often a call is made: libvirt may have been killed while it made nodes of several disks. */
const MOST_TRIES = 8;

/**
 * Makes a call again that met a block node's name which QEMU has already. libvirt (9.0) that is killed
 * between telling QEMU of an image and writing that down gives the name away once more after its restart; it
 * undoes what fails by that, and takes the next name at the next try.
 *
 * @throws errors of the call
 */
export async function withFreeNodes<T>(name: string, call: () => Promise<T>): Promise<T> {
  for (let tries = 1;; tries++) {
    try {
      return await call();
    } catch (error) {
      const isTaken = error instanceof LibvirtError && error.kind === "libvirt" && TAKEN.test(error.message);
      if (!isTaken || tries === MOST_TRIES) throw error;
      log.warn("QEMU has a block node left of a libvirt that was killed", { call: name, error });
    }
  }
}
