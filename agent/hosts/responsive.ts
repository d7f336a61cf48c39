/** Refusing what something that does not respond would be asked for. */
import { ContractError } from "../../lib/contract/errors.ts";
import type { VM } from "../../lib/contract/vm.ts";
import type { LibvirtHost } from "./libvirt_host.ts";

/**
 * Refuses what a VM that does not respond would be asked for. One that did not answer is asked once more first.
 *
 * @throws {ContractError} VmNotResponding
 */
export async function requireResponsive(
  { link: { gate }, sampler }: Pick<LibvirtHost, "link" | "sampler">,
  { id }: Pick<VM, "id">,
): Promise<void> {
  const key = `vm:${id}` as const;
  if (gate.suspicion(key)?.mayBeAsked) await sampler.recheck(id);
  const hang = gate.hangOf(key);
  if (hang === undefined) return;
  throw new ContractError("VmNotResponding", { since: new Date(hang.since).toISOString(), call: hang.call });
}

const NETWORK = "network:";

/**
 * Refuses what would have libvirt look for a network by its name while any network does not respond: it waits for each that
 * it passes, with the VM's lock held.
 *
 * @throws {ContractError} NetworkNotResponding
 */
export function requireNetworksRespond({ link: { gate } }: Pick<LibvirtHost, "link">): void {
  for (const { key, since, call, isLocked } of gate.hangs()) {
    if (!isLocked || !key.startsWith(NETWORK)) continue;
    const details = { name: key.slice(NETWORK.length), since: new Date(since).toISOString(), call };
    throw new ContractError("NetworkNotResponding", details);
  }
}

/** Refuses to start a VM with a card on a network of libvirt meanwhile. @throws {ContractError} NetworkNotResponding */
export function requireItsNetworksRespond(
  host: Pick<LibvirtHost, "link">,
  { networkInterfaces }: Pick<VM, "networkInterfaces">,
): void {
  if (networkInterfaces.some(({ type }) => type === "network")) requireNetworksRespond(host);
}
