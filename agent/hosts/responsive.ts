/** Refusing what something that does not respond would be asked for. */
import { ContractError } from "../../lib/contract/errors.ts";
import type { VM } from "../../lib/contract/vm.ts";
import type { Host } from "./host.ts";

/**
 * Refuses what a VM that does not respond would be asked for. One that did not answer is asked once more first.
 *
 * @throws {ContractError} VmNotResponding
 */
export async function requireResponsive(
  { link: { gate }, sampler }: Pick<Host, "link" | "sampler">,
  { id }: Pick<VM, "id">,
): Promise<void> {
  const key = `vm:${id}` as const;
  if (gate.suspicion(key)?.mayBeAsked) await sampler.recheck(id);
  const hang = gate.hangOf(key);
  if (hang === undefined) return;
  throw new ContractError("VmNotResponding", { since: new Date(hang.since).toISOString(), call: hang.call });
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
