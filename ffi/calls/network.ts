/** Calls on virtual networks. */
import { type Connection, listOf, readList } from "../connection.ts";
import { libvirt, ok, takeString } from "../library.ts";
import { readString, readUuid } from "../memory.ts";

/** What libvirt says of a network. */
export interface NetworkRecord {
  readonly uuid: string;
  readonly name: string;
  readonly active: boolean;
  readonly persistent: boolean;
  readonly autostart: boolean;
  readonly xml: string;
}

/** Reads every network. Source: virConnectListAllNetworks. */
export function networkScan(connection: Connection): NetworkRecord[] {
  const { symbols } = libvirt();
  const { array, items } = listOf((out) => symbols.virConnectListAllNetworks(connection.pointer, out, 0));
  return readList(array, items, (item) => symbols.virNetworkFree(item), (item) => {
    const autostart = new Int32Array(1);
    const persistent = ok(symbols.virNetworkIsPersistent(item)) === 1;
    if (persistent) ok(symbols.virNetworkGetAutostart(item, autostart));
    return {
      uuid: readUuid((buffer) => symbols.virNetworkGetUUIDString(item, buffer)),
      name: readString(symbols.virNetworkGetName(item)),
      active: ok(symbols.virNetworkIsActive(item)) === 1,
      persistent,
      autostart: autostart[0] === 1,
      xml: takeString(symbols.virNetworkGetXMLDesc(item, 0)),
    };
  });
}

/** A DHCP lease that libvirt's dnsmasq gave. */
export interface Lease {
  readonly mac: string;
  readonly address: string;
  readonly prefix: number;
  readonly hostname: string;
  /** Seconds since 1970; 0 for a lease that does not end. */
  readonly expires: number;
}

/**
 * The leases of a network. Source: virNetworkGetDHCPLeases; `struct _virNetworkDHCPLease`: expirytime @8, mac @24,
 * ipaddr @40, prefix @48, hostname @56.
 */
export function networkLeases(connection: Connection, { name }: { name: string }): Lease[] {
  const { symbols } = libvirt();
  using network = connection.network(name);
  const { array, items } = listOf((out) => symbols.virNetworkGetDHCPLeases(network.pointer, null, out, 0));
  return readList(array, items, (item) => symbols.virNetworkDHCPLeaseFree(item), (item) => {
    const view = new Deno.UnsafePointerView(item);
    return {
      mac: readString(view.getPointer(24)),
      address: readString(view.getPointer(40)),
      prefix: view.getUint32(48),
      hostname: readString(view.getPointer(56)),
      expires: Number(view.getBigInt64(8)),
    };
  });
}
