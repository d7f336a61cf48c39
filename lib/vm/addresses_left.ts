/** That a VM which is made from another one has not got the addresses of its network filters, in words. Pure. */
import { namesText } from "../coverage/coverage.ts";

/** The sentence; undefined where the other VM had none. @param from what the VM is made from: "The copy" */
export function addressesLeftText(addresses: readonly string[], from: string): string | undefined {
  if (addresses.length === 0) return undefined;
  return `${from} has network filters with the addresses ${
    namesText(addresses)
  }, which were left out: two VMs would send ` +
    "as one. The filters stay, and let the new VM use the first address that it sends from. Set its own addresses";
}
