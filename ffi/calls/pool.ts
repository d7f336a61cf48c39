/** Calls on storage pools. */
import { type Connection, listOf, poolHandle, readList } from "../connection.ts";
import { LibvirtError, VIR_ERR } from "../error.ts";
import { libvirt, notNull, ok, takeString } from "../library.ts";
import { cString, readString, readUuid } from "../memory.ts";

/** A storage pool as libvirt reports it. Sizes in bytes, as of its last refresh. */
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
  /** How many volumes; null for a pool that is not active. */
  readonly volumes: number | null;
  readonly xml: string;
}

function recordOf(item: Deno.PointerObject): PoolRecord {
  const { symbols } = libvirt();
  // struct _virStoragePoolInfo: int state @0, unsigned long long capacity @8, allocation @16, available @24
  const info = new DataView(new ArrayBuffer(32));
  ok(symbols.virStoragePoolGetInfo(item, info));
  const persistent = ok(symbols.virStoragePoolIsPersistent(item)) === 1;
  const autostart = new Int32Array(1);
  if (persistent) ok(symbols.virStoragePoolGetAutostart(item, autostart));
  const isActive = ok(symbols.virStoragePoolIsActive(item)) === 1;
  return {
    uuid: readUuid((buffer) => symbols.virStoragePoolGetUUIDString(item, buffer)),
    name: readString(symbols.virStoragePoolGetName(item)),
    state: info.getInt32(0, true),
    persistent,
    autostart: autostart[0] === 1,
    capacity: Number(info.getBigUint64(8, true)),
    allocation: Number(info.getBigUint64(16, true)),
    available: Number(info.getBigUint64(24, true)),
    volumes: isActive ? ok(symbols.virStoragePoolNumOfVolumes(item)) : null,
    xml: takeString(symbols.virStoragePoolGetXMLDesc(item, 0)),
  };
}

/** Whether a read failed because its pool stopped or went in the middle of it. */
const isPassing = (error: unknown) =>
  error instanceof LibvirtError &&
  (error.code === VIR_ERR.NO_STORAGE_POOL || error.code === VIR_ERR.OPERATION_INVALID);

/**
 * Reads every pool; one that goes in between is left out. Pools are not refreshed, but libvirt holds one that it
 * refreshes itself: behind a dead server this waits. Source: virConnectListAllStoragePools.
 */
export function poolScan(connection: Connection): PoolRecord[] {
  const { symbols } = libvirt();
  const { array, items } = listOf((out) => symbols.virConnectListAllStoragePools(connection.pointer, out, 0));
  return readList(array, items, (item) => symbols.virStoragePoolFree(item), (item) => {
    try {
      return recordOf(item);
    } catch (error) {
      if (isPassing(error)) return null;
      throw error;
    }
  });
}

/** Reads one pool, whatever the others are like; null when it is gone. */
export function poolRead(connection: Connection, { pool: name }: { pool: string }): PoolRecord | null {
  try {
    using pool = connection.pool(name);
    return recordOf(pool.pointer);
  } catch (error) {
    if (isPassing(error)) return null;
    throw error;
  }
}

/** A pool's XML. @throws {LibvirtError} code NO_STORAGE_POOL */
export function poolXml(connection: Connection, { pool: name }: { pool: string }): string {
  using pool = connection.pool(name);
  return takeString(libvirt().symbols.virStoragePoolGetXMLDesc(pool.pointer, 0));
}

/** Reads a pool's volumes again from where it keeps them. A dead server may let this wait. */
export function poolRefresh(connection: Connection, { pool: name }: { pool: string }): null {
  using pool = connection.pool(name);
  ok(libvirt().symbols.virStoragePoolRefresh(pool.pointer, 0));
  return null;
}

/** How a pool is made. */
export interface PoolRequest {
  readonly xml: string;
  /** Bits of `virStoragePoolBuildFlags`; null: there is nothing to build. */
  readonly build?: number | null;
  /** Building makes files or a format that were not there before: they are removed if the pool cannot be started. */
  readonly undoBuild?: boolean;
  readonly autostart?: boolean;
}

/**
 * Defines a pool, builds its target (for a folder: makes it), starts it and has it start with the host. What was done
 * is undone when a later step fails.
 */
export function poolMake(
  connection: Connection,
  { xml, build = 0, undoBuild = false, autostart = true }: PoolRequest,
): null {
  const { symbols } = libvirt();
  using pool = poolHandle(notNull(symbols.virStoragePoolDefineXML(connection.pointer, cString(xml), 0)));
  const undo: (() => unknown)[] = [() => symbols.virStoragePoolUndefine(pool.pointer)];
  try {
    if (build !== null) ok(symbols.virStoragePoolBuild(pool.pointer, build));
    if (undoBuild) undo.unshift(() => symbols.virStoragePoolDelete(pool.pointer, 0));
    ok(symbols.virStoragePoolCreate(pool.pointer, 0));
    undo.unshift(() => symbols.virStoragePoolDestroy(pool.pointer));
    if (autostart) ok(symbols.virStoragePoolSetAutostart(pool.pointer, 1));
  } catch (error) {
    for (const step of undo) step();
    throw error;
  }
  return null;
}

/** Starts a pool. May mount, and so wait for a server. */
export function poolStart(connection: Connection, { pool: name }: { pool: string }): null {
  using pool = connection.pool(name);
  ok(libvirt().symbols.virStoragePoolCreate(pool.pointer, 0));
  return null;
}

/** Stops a pool: its storage is let go of, nothing in it changes. */
export function poolStop(connection: Connection, { pool: name }: { pool: string }): null {
  using pool = connection.pool(name);
  ok(libvirt().symbols.virStoragePoolDestroy(pool.pointer));
  return null;
}

/** Whether a pool starts with the host. */
export function poolSetAutostart(
  connection: Connection,
  { pool: name, autostart }: { pool: string; autostart: boolean },
): null {
  using pool = connection.pool(name);
  ok(libvirt().symbols.virStoragePoolSetAutostart(pool.pointer, autostart ? 1 : 0));
  return null;
}

/** Takes away what a stopped pool was built on: an empty folder, a volume group, … */
export function poolUnbuild(connection: Connection, { pool: name }: { pool: string }): null {
  using pool = connection.pool(name);
  ok(libvirt().symbols.virStoragePoolDelete(pool.pointer, 0));
  return null;
}

/** Forgets a stopped pool. What is in it stays. */
export function poolUndefine(connection: Connection, { pool: name }: { pool: string }): null {
  using pool = connection.pool(name);
  ok(libvirt().symbols.virStoragePoolUndefine(pool.pointer));
  return null;
}

/** The types of pools this libvirt knows, as XML. Source: virConnectGetStoragePoolCapabilities. */
export function poolCapabilities(connection: Connection): string {
  return takeString(libvirt().symbols.virConnectGetStoragePoolCapabilities(connection.pointer, 0));
}

/**
 * Sources for pools on a server or this host, as XML. Asks the server, and so may wait for it. Source:
 * virConnectFindStoragePoolSources.
 *
 * @param spec the source to search, as a pool's `<source>`; null for a type that needs none
 */
export function poolSources(
  connection: Connection,
  { type, spec }: { type: string; spec: string | null },
): string {
  return takeString(
    libvirt().symbols.virConnectFindStoragePoolSources(
      connection.pointer,
      cString(type),
      spec === null ? null : cString(spec),
      0,
    ),
  );
}
