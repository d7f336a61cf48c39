/** Calls on domains' network cards, and on the filters they may have. */
import { type Connection, listOf, readList } from "../connection.ts";
import { libvirt, takeString } from "../library.ts";
import { cString, readString, readUuid } from "../memory.ts";

/** Bytes through a card since its domain was started, as the guest counts them. */
export interface NicTraffic {
  readonly mac: string;
  readonly rxBytes: number;
  readonly txBytes: number;
}

/** `struct _virDomainInterfaceStats`: long long rx_bytes @0, packets, errors, drops; tx_bytes @32, …; 64 bytes. */
const STATS_BYTES = 64;
const TX_BYTES = 32;

/** Traffic of the cards with these addresses; one that counts nothing is left out. Source: virDomainInterfaceStats. */
export function domainTraffic(
  connection: Connection,
  { uuid, macs }: { uuid: string; macs: readonly string[] },
): NicTraffic[] {
  using domain = connection.domain(uuid);
  const { symbols } = libvirt();
  const stats = new DataView(new ArrayBuffer(STATS_BYTES));
  return macs.flatMap((mac) => {
    const answer = symbols.virDomainInterfaceStats(domain.pointer, cString(mac), stats, BigInt(STATS_BYTES));
    if (answer < 0) {
      symbols.virResetLastError();
      return [];
    }
    const rxBytes = Number(stats.getBigInt64(0, true)), txBytes = Number(stats.getBigInt64(TX_BYTES, true));
    return rxBytes < 0 || txBytes < 0 ? [] : [{ mac, rxBytes, txBytes }]; // -1: the driver does not count
  });
}

/** A network filter of libvirt. */
export interface FilterRecord {
  readonly name: string;
  readonly uuid: string;
  readonly xml: string;
}

/** The network filters with their rules. Source: virConnectListAllNWFilters, virNWFilterGetXMLDesc. */
export function filterScan(connection: Connection): FilterRecord[] {
  const { symbols } = libvirt();
  const { array, items } = listOf((out) => symbols.virConnectListAllNWFilters(connection.pointer, out, 0));
  return readList(array, items, (item) => symbols.virNWFilterFree(item), (item) => ({
    name: readString(symbols.virNWFilterGetName(item)),
    uuid: readUuid((buffer) => symbols.virNWFilterGetUUIDString(item, buffer)),
    xml: takeString(symbols.virNWFilterGetXMLDesc(item, 0)),
  }));
}

/** Names of the network filters. Source: virConnectListAllNWFilters. */
export function filterNames(connection: Connection): string[] {
  const { symbols } = libvirt();
  const { array, items } = listOf((out) => symbols.virConnectListAllNWFilters(connection.pointer, out, 0));
  return readList(
    array,
    items,
    (item) => symbols.virNWFilterFree(item),
    (item) => readString(symbols.virNWFilterGetName(item)),
  );
}
