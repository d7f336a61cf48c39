/**
 * The DHCP leases of a host's networks. Here they stand in a file that libvirt keeps for each bridge, and libvirt itself
 * reads them there: with the network's lock held, for which it may wait long. So it is asked only where there is none.
 */
import type { DhcpLease } from "../../ffi/calls/mod.ts";
import { readNetwork } from "../../lib/formats/xml/network_read.ts";
import { readLeaseFile } from "../../lib/network/lease_file.ts";
import type { LibvirtLink } from "../libvirt/link.ts";
import { log } from "../log.ts";
import type { NetworkInventory } from "./inventory/networks.ts";

/** Folder in which the system's libvirt of this host keeps leases. */
const FOLDER = "/var/lib/libvirt/dnsmasq";

/** The parts of a host that leases are read with. */
export interface LeaseSource {
  readonly link: Pick<LibvirtLink, "call" | "machine">;
  readonly networks: Pick<NetworkInventory, "record">;
}

/** The text of a bridge's file: empty before the first lease, undefined where it is not to be read here. */
async function textOf(folder: string, bridge: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(`${folder}/${bridge}.status`);
  } catch (error) {
    if (error instanceof Deno.errors.PermissionDenied) return undefined;
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  // Without the folder, libvirt keeps them elsewhere.
  return await Deno.stat(folder).then(() => "", () => undefined);
}

/** The leases of a network by its file; undefined where there is none that can be read. */
async function fromFile(
  { link, networks }: LeaseSource,
  name: string,
  folder: string,
): Promise<DhcpLease[] | undefined> {
  const record = networks.record(name);
  if (!link.machine?.isSystem || record === undefined) return undefined;
  const { bridge, subnets } = readNetwork(record.xml);
  if (bridge === undefined || !/^[^/\s]{1,15}$/.test(bridge) || bridge.startsWith(".")) return undefined;
  const text = await textOf(folder, bridge);
  const leases = text === undefined ? undefined : readLeaseFile(text, subnets);
  if (text !== undefined && leases === undefined) {
    log.debug("a file of leases cannot be read, and libvirt is asked", { network: name, bridge });
  }
  return leases;
}

/**
 * The leases that an active network has given, those that have ended included where libvirt keeps them.
 *
 * @throws {LibvirtError}
 */
export async function leasesOn(source: LeaseSource, name: string, folder = FOLDER): Promise<DhcpLease[]> {
  return await fromFile(source, name, folder) ?? await source.link.call("networkLeases", { name });
}
