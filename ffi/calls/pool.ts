/** The list of storage pools. */
import { type Connection, listOf, poolHandle, readList } from "../connection.ts";
import { libvirt, ok, some, takeString } from "../library.ts";
import { cString, readString, readUuid } from "../memory.ts";

/** What libvirt says of a storage pool. Sizes in bytes, as of its last refresh. */
export interface PoolRecord {
  readonly uuid: string;
  readonly name: string;
  /** `virStoragePoolState`: 0 inactive, 1 building, 2 running, 3 degraded, 4 inaccessible. */
  readonly state: number;
  readonly persistent: boolean;
  readonly autostart: boolean;
  readonly capacity: number;
  readonly allocation: number;
  readonly available: number;
}

/** Reads every pool. Source: virConnectListAllStoragePools; pools are not refreshed, so a dead NFS server is no wait. */
export function poolScan(connection: Connection): PoolRecord[] {
  const { symbols } = libvirt();
  const { array, items } = listOf((out) => symbols.virConnectListAllStoragePools(connection.pointer, out, 0));
  return readList(array, items, (item) => symbols.virStoragePoolFree(item), (item) => {
    // struct _virStoragePoolInfo: int state @0, unsigned long long capacity @8, allocation @16, available @24
    const info = new DataView(new ArrayBuffer(32));
    ok(symbols.virStoragePoolGetInfo(item, info));
    const persistent = ok(symbols.virStoragePoolIsPersistent(item)) === 1;
    const autostart = new Int32Array(1);
    if (persistent) ok(symbols.virStoragePoolGetAutostart(item, autostart));
    return {
      uuid: readUuid((buffer) => symbols.virStoragePoolGetUUIDString(item, buffer)),
      name: readString(symbols.virStoragePoolGetName(item)),
      state: info.getInt32(0, true),
      persistent,
      autostart: autostart[0] === 1,
      capacity: Number(info.getBigUint64(8, true)),
      allocation: Number(info.getBigUint64(16, true)),
      available: Number(info.getBigUint64(24, true)),
    };
  });
}

/** A pool's XML. @throws {LibvirtError} code NO_STORAGE_POOL */
export function poolXml(connection: Connection, { pool: name }: { pool: string }): string {
  using pool = connection.pool(name);
  return takeString(libvirt().symbols.virStoragePoolGetXMLDesc(pool.pointer, 0));
}

/** Reads a pool's volumes anew from where it keeps them. A dead server may let this wait. */
export function poolRefresh(connection: Connection, { pool: name }: { pool: string }): null {
  using pool = connection.pool(name);
  ok(libvirt().symbols.virStoragePoolRefresh(pool.pointer, 0));
  return null;
}

/**
 * Defines a pool, builds its target (for a folder: makes it), starts it and has it start with the host. What was done
 * is undone when a later step fails; a folder that was made stays, it may hold something by then.
 */
export function poolMake(connection: Connection, { xml }: { xml: string }): null {
  const { symbols } = libvirt();
  using pool = poolHandle(some(symbols.virStoragePoolDefineXML(connection.pointer, cString(xml), 0)));
  try {
    ok(symbols.virStoragePoolBuild(pool.pointer, 0));
    ok(symbols.virStoragePoolCreate(pool.pointer, 0));
  } catch (error) {
    symbols.virStoragePoolUndefine(pool.pointer);
    throw error;
  }
  ok(symbols.virStoragePoolSetAutostart(pool.pointer, 1));
  return null;
}
