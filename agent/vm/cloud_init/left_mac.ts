/** Seeds that configure a network card by its former MAC address. */
import { type ConfigFinding, ContractError, type VM, WARNINGS } from "../../../lib/contract/mod.ts";
import { drivesOf } from "../../../lib/formats/xml/seed_drive.ts";
import { fill } from "../../../lib/i18n/fill.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { log } from "../../log.ts";
import { seedAt } from "./seed.ts";

/**
 * Warnings about a card that gets another MAC address: cloud-init finds the card that it configures by the address in
 * the seed. None where the VM has no seed, or one that cannot be read.
 *
 * @param mac the address before, in lower case
 * @throws {LibvirtError}
 */
export async function leftInSeed(
  { link }: LibvirtHost,
  { id: uuid, name, persistent }: VM,
  mac: string,
  newMac: string,
): Promise<ConfigFinding[]> {
  const { seed: drive } = drivesOf(
    await link.call("domainXml", { uuid, secure: false, inactive: persistent }),
  );
  if (drive?.path === undefined) return [];
  try {
    const { files } = await seedAt(link, drive.path);
    if (!JSON.stringify(files).toLowerCase().includes(mac)) return [];
    return [{ field: "newMac", code: "SeedNamesMac", message: fill(WARNINGS.SeedNamesMac, { mac, newMac }) }];
  } catch (error) {
    if (!(error instanceof ContractError)) throw error;
    log.info("whether a seed names a MAC address cannot be read", { vm: name, path: drive.path, error });
    return [];
  }
}
