/** Calls on storage pools and volumes. */
import { type Connection, listOf, readList } from "../connection.ts";
import { libvirt, ok } from "../library.ts";
import { readString, readUuid } from "../memory.ts";

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

/** Deletes the volume at `path`. @throws {LibvirtError} code NO_STORAGE_VOL when no active pool knows the path */
export function volumeDelete(connection: Connection, { path }: { path: string }): null {
  using volume = connection.volumeByPath(path);
  ok(libvirt().symbols.virStorageVolDelete(volume.pointer, 0));
  return null;
}
