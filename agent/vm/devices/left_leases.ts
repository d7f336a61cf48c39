/** Static leases that stay with a network card's former MAC address. */
import { type ConfigFinding, WARNINGS } from "../../../lib/contract/mod.ts";
import { readNetwork } from "../../../lib/formats/xml/network_read.ts";
import { fill } from "../../../lib/i18n/fill.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";

/**
 * Warnings about a card that gets another MAC address: the network's static lease stays for the old one, and a later
 * card with the old address gets its IP address. None where the network has no lease.
 *
 * @param mac the address before, in lower case
 */
export function leftLeases(
  { inventory }: LibvirtHost,
  network: string,
  mac: string,
  newMac: string,
): ConfigFinding[] {
  const record = inventory.networks.record(network);
  if (record === undefined) return [];
  const { xml, nextXml = xml } = record;
  const hosts = readNetwork(nextXml).subnets.flatMap((subnet) => subnet.hosts);
  return hosts.filter((each) => each.mac?.toLowerCase() === mac).map(({ ip }) => ({
    field: "newMac",
    code: "LeaseStays",
    message: fill(WARNINGS.LeaseStays, { network, ip, mac, newMac }),
  }));
}
