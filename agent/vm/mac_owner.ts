/** Which VM has a network card's address. */
import type { VM } from "../../lib/contract/mod.ts";

/** The first of some addresses, in lower case, that one of these VMs has, and that VM; undefined where none has any. */
export function macOwner(
  vms: readonly VM[],
  macs: readonly string[],
): { readonly mac: string; readonly vm: string } | undefined {
  for (const vm of vms) {
    const mac = vm.networkInterfaces.find((nic) => macs.includes(nic.mac.toLowerCase()))?.mac;
    if (mac !== undefined) return { mac, vm: vm.name };
  }
}
