/** Calls on volumes. What a volume is, is told by its XML (`lib/formats/xml/volume.ts`). */
import {
  type Connection,
  Handle,
  listOf,
  poolHandle,
  readList,
  volumeHandle,
  type VolumePlace,
} from "../connection.ts";
import { libvirt, notNull, ok, takeString } from "../library.ts";
import { cString, readString } from "../memory.ts";
import { BIN_FOLDER } from "../../lib/bin/place.ts";

/** A volume as libvirt describes it, and the pool it is in. */
export interface VolumeRecord {
  readonly pool: string;
  readonly xml: string;
}

/** Bits of `virStorageVolCreateFlags`. */
const PREALLOCATE_METADATA = 1;
/** Of `virStorageVolGetInfoFlags`: the physical size in the place of the allocation. */
const GET_PHYSICAL = 1;
/** Bytes handed to libvirt at a time: its largest message is 4 MiB with its head, its own tools send 256 KiB. */
const CHUNK = 256 * 1024;

const xmlOf = (volume: Handle) => takeString(libvirt().symbols.virStorageVolGetXMLDesc(volume.pointer, 0));

function record(volume: Handle): VolumeRecord {
  const { symbols } = libvirt();
  using pool = poolHandle(notNull(symbols.virStoragePoolLookupByVolume(volume.pointer)));
  return { pool: readString(symbols.virStoragePoolGetName(pool.pointer)), xml: xmlOf(volume) };
}

/** Every volume of a pool, as of its last refresh; one that goes in between is left out, and so is the bin. */
export function volumeScan(connection: Connection, { pool: name }: { pool: string }): VolumeRecord[] {
  const { symbols } = libvirt();
  using pool = connection.pool(name);
  const { array, items } = listOf((out) => symbols.virStoragePoolListAllVolumes(pool.pointer, out, 0));
  return readList(array, items, (item) => symbols.virStorageVolFree(item), (item) => {
    if (readString(symbols.virStorageVolGetName(item)) === BIN_FOLDER) return null;
    const xml = symbols.virStorageVolGetXMLDesc(item, 0);
    if (xml !== null) return { pool: name, xml: takeString(xml) };
    symbols.virResetLastError();
    return null;
  });
}

/** The volume at a path. @throws {LibvirtError} code NO_STORAGE_VOL when no active pool knows it */
export function volumeAt(connection: Connection, place: VolumePlace): VolumeRecord {
  using volume = connection.volumeAt(place);
  return record(volume);
}

/** The volume of this name in a pool. @throws {LibvirtError} codes NO_STORAGE_POOL, NO_STORAGE_VOL */
export function volumeNamed(
  connection: Connection,
  { pool: poolName, name }: { pool: string; name: string },
): VolumeRecord {
  using pool = connection.pool(poolName);
  using volume = volumeHandle(notNull(
    libvirt().symbols.virStorageVolLookupByName(pool.pointer, cString(name)),
  ));
  return { pool: poolName, xml: xmlOf(volume) };
}

/** Bytes that the volume at `path` has where it is kept: what a download gives. */
export function volumePhysical(connection: Connection, place: VolumePlace): number {
  using volume = connection.volumeAt(place);
  // struct _virStorageVolInfo: int type @0, unsigned long long capacity @8, allocation @16 (physical, by the flag)
  const info = new DataView(new ArrayBuffer(24));
  ok(libvirt().symbols.virStorageVolGetInfoFlags(volume.pointer, info, GET_PHYSICAL));
  return Number(info.getBigUint64(16, true));
}

/** Makes a volume. `preallocate` lays out a qcow2's tables before, which makes its first writes quicker. */
export function volumeCreate(
  connection: Connection,
  { pool: name, xml, preallocate }: { pool: string; xml: string; preallocate?: boolean },
): VolumeRecord {
  using pool = connection.pool(name);
  const flags = preallocate ? PREALLOCATE_METADATA : 0;
  using volume = volumeHandle(notNull(
    libvirt().symbols.virStorageVolCreateXML(pool.pointer, cString(xml), flags),
  ));
  return { pool: name, xml: xmlOf(volume) };
}

/** Makes a volume with the content of the one at `path`, in the format that the XML asks for. Copies: takes long. */
export function volumeCopy(
  connection: Connection,
  { pool: name, xml, source: place }: { pool: string; xml: string; source: VolumePlace },
): VolumeRecord {
  using pool = connection.pool(name);
  using source = connection.volumeAt(place);
  using volume = volumeHandle(notNull(
    libvirt().symbols.virStorageVolCreateXMLFrom(pool.pointer, cString(xml), source.pointer, 0),
  ));
  return { pool: name, xml: xmlOf(volume) };
}

/** Makes the volume at `path` larger, to `bytes`. Smaller is refused by libvirt. */
export function volumeResize(
  connection: Connection,
  { bytes, ...place }: VolumePlace & { bytes: number },
): null {
  using volume = connection.volumeAt(place);
  ok(libvirt().symbols.virStorageVolResize(volume.pointer, BigInt(bytes), 0));
  return null;
}

/** Writes `bytes` at the start of the volume at `path`. For what fits in memory. */
export function volumeUpload(
  connection: Connection,
  { bytes, ...place }: VolumePlace & { bytes: Uint8Array<ArrayBuffer> },
): null {
  const { symbols } = libvirt();
  using volume = connection.volumeAt(place);
  using stream = new Handle(
    notNull(symbols.virStreamNew(connection.pointer, 0)),
    (pointer) => symbols.virStreamFree(pointer),
  );
  ok(symbols.virStorageVolUpload(volume.pointer, stream.pointer, 0n, BigInt(bytes.length), 0));
  try {
    for (let at = 0; at < bytes.length;) {
      const chunk = bytes.subarray(at, at + CHUNK);
      at += ok(symbols.virStreamSend(stream.pointer, chunk, BigInt(chunk.length)));
    }
  } catch (error) {
    symbols.virStreamAbort(stream.pointer);
    throw error;
  }
  ok(symbols.virStreamFinish(stream.pointer));
  return null;
}

/** The first bytes of the volume at `path`, at most so many. For what fits in memory. */
export function volumeRead(
  connection: Connection,
  { most, ...place }: VolumePlace & { most: number },
): Uint8Array<ArrayBuffer> {
  const { symbols } = libvirt();
  using volume = connection.volumeAt(place);
  using stream = new Handle(
    notNull(symbols.virStreamNew(connection.pointer, 0)),
    (pointer) => symbols.virStreamFree(pointer),
  );
  ok(symbols.virStorageVolDownload(volume.pointer, stream.pointer, 0n, BigInt(most), 0));
  const bytes = new Uint8Array(most);
  let length = 0;
  try {
    while (length < most) {
      const room = bytes.subarray(length, length + CHUNK);
      const got = ok(symbols.virStreamRecv(stream.pointer, room, BigInt(room.length)));
      if (got === 0) break;
      length += got;
    }
  } catch (error) {
    symbols.virStreamAbort(stream.pointer);
    throw error;
  }
  ok(symbols.virStreamFinish(stream.pointer));
  return bytes.slice(0, length);
}

/** Overwrites the volume at `path` with zeros. Takes long. */
export function volumeWipe(connection: Connection, place: VolumePlace): null {
  using volume = connection.volumeAt(place);
  ok(libvirt().symbols.virStorageVolWipe(volume.pointer, 0));
  return null;
}

/** Deletes the volume at `path`. @throws {LibvirtError} code NO_STORAGE_VOL when no active pool knows the path */
export function volumeDelete(connection: Connection, place: VolumePlace): null {
  using volume = connection.volumeAt(place);
  ok(libvirt().symbols.virStorageVolDelete(volume.pointer, 0));
  return null;
}
