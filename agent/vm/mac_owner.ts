/** Finds the VM that has the address of a network card. */
import { vmName, type VmReference } from "../../lib/i18n/message.ts";
import type { VM } from "../../lib/contract/mod.ts";
import { macsOf } from "../../lib/formats/xml/identity.ts";
import type { XmlElement } from "../../lib/formats/xml/tree.ts";

/** The first of some addresses, in lower case, that one of these VMs has, and that VM; undefined where none has any. */
export function macOwner(
  vms: readonly VM[],
  macs: readonly string[],
): { readonly mac: string; readonly vm: VmReference } | undefined {
  for (const vm of vms) {
    const mac = vm.networkInterfaces.find((nic) => macs.includes(nic.mac.toLowerCase()))?.mac;
    if (mac !== undefined) return { mac, vm: vmName(vm) };
  }
}

/**
 * The first address that a definition brings to a VM and that another VM has, and that VM; undefined where it brings none.
 * Addresses that the VM has already do not count.
 */
export function broughtMac(
  all: readonly VM[],
  vm: Pick<VM, "id" | "networkInterfaces">,
  definitions: readonly XmlElement[],
): { readonly mac: string; readonly vm: VmReference } | undefined {
  const own = new Set(vm.networkInterfaces.map(({ mac }) => mac.toLowerCase()));
  const brought = definitions.flatMap((domain) => macsOf(domain)).filter((mac) => !own.has(mac));
  return macOwner(all.filter(({ id }) => id !== vm.id), brought);
}
