/** Refusing what something that does not respond would be asked for. */
import { ContractError } from "../../lib/contract/errors.ts";
import type { VM } from "../../lib/contract/vm.ts";
import type { Host } from "./host.ts";

/** @throws {ContractError} VmNotResponding */
export function requireResponsive({ notResponding }: Pick<VM, "notResponding">): void {
  if (notResponding === undefined) return;
  const { since, call } = notResponding;
  throw new ContractError("VmNotResponding", { since: new Date(since).toISOString(), call });
}

/**
 * Refuses to start a VM on a network that does not respond: libvirt would wait for it with the VM's lock held.
 *
 * @throws {ContractError} NetworkNotResponding
 */
export function requireNetworksRespond({ link: { gate } }: Pick<Host, "link">, vm: VM): void {
  for (const { type, network } of vm.networkInterfaces) {
    const hang = type === "network" ? gate.hangOf(`network:${network}`) : undefined;
    if (hang === undefined) continue;
    const since = new Date(hang.since).toISOString();
    throw new ContractError("NetworkNotResponding", { name: network, since, call: hang.call });
  }
}
