/** Networks of another host that a replicated VM's cards come into. */
import { ContractError, type Network, type NetworkChoices } from "../../lib/contract/mod.ts";
import { placedDefinition } from "../../lib/formats/xml/migration.ts";
import type { Principal } from "../access.ts";
import type { LinkedHost } from "../hosts/linked/linked_host.ts";
import { networksByName } from "../vm/migration/move.ts";

/** A definition as it is sent, with its cards in the networks that were chosen. @throws {XmlError} */
export const definitionThere = (definition: string, networks: NetworkChoices = []): string =>
  networks.length === 0 ? definition : placedDefinition(definition, [], networksByName(networks));

/** Choices that change something. */
export const withoutSame = (networks: NetworkChoices | undefined): NetworkChoices | undefined =>
  networks?.filter(({ from, to }) => from !== to);

/**
 * Refuses networks that the other host has not. Where it does not answer, that is looked at before the switch-over.
 *
 * @throws {ContractError} NetworkNotFound
 */
export async function requireNetworksThere(
  host: LinkedHost,
  networks: NetworkChoices | undefined,
  principal: Principal,
): Promise<void> {
  if (networks === undefined || networks.length === 0 || !host.status.connected) return;
  const there = new Set(
    ((await host.run("get_networks", {}, { principal })) as readonly Network[]).map(({ name }) => name),
  );
  for (const { to } of networks) {
    if (!there.has(to)) throw new ContractError("NetworkNotFound", { network: `${to} (${host.label})` });
  }
}
