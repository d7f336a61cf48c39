/**
 * Whether a Windows has left its NTFS file systems as a shut down one does: not hibernated (fast startup is that, too), not
 * marked dirty, its journal closed. Sources: the structures of NTFS as Linux's driver (fs/ntfs3/ntfs.h) and ntfs-3g describe
 * them. Whatever does not fit counts as no NTFS: another program's task is to repair one. Pure.
 */
import { countable, dataViewOf, partitionStarts, type ReadDisk } from "./partitions.ts";

/** Why a file system is not clean. */
export type NtfsFault = "hibernated" | "dirty" | "journal";

const BOOT = 512;
/** Bytes of the largest record and index block, clusters of the largest cluster size, runs, and index blocks looked at. */
const MOST_RECORD = 65_536,
  MOST_CLUSTER = 2 * 1024 * 1024,
  MOST_RUNS = 4096,
  MOST_BLOCKS = 256,
  MOST_FURTHER = 64;
/** Reads of a disk: what is so much in pieces that it takes more, no Windows has left. */
const MOST_READS = 500;
const ATTRIBUTE = {
  list: 0x20,
  data: 0x80,
  indexRoot: 0x90,
  indexAllocation: 0xa0,
  volumeInformation: 0x70,
  end: 0xffffffff,
};
const RECORD = { table: 0, log: 2, volume: 3, root: 5 };
const IS_DIRTY = 1, IS_CLEAN = 2, NO_CLIENT = 0xffff;
const HIBERFIL = "hiberfil.sys";

/** A stretch of a file: clusters on the disk, or none. */
interface Run {
  readonly clusters: number;
  readonly at: number | undefined;
}

interface Volume {
  readonly read: ReadDisk;
  readonly cluster: number;
  readonly record: number;
  /** Offset of the master file table in the file system, in bytes. */
  readonly tableAt: number;
}

/** An NTFS's measures; undefined for anything else. */
async function volumeAt(disk: ReadDisk, start: number): Promise<Volume | undefined> {
  const boot = dataViewOf(await disk(start, BOOT));
  if (boot.byteLength < BOOT || boot.getBigUint64(3, true) !== 0x202020205346544en) return undefined;
  const sector = boot.getUint16(11, true), sectors = boot.getUint8(13);
  const cluster = sector * (sectors > 0x80 ? 2 ** (256 - sectors) : sectors);
  const perRecord = boot.getInt8(64), record = perRecord < 0 ? 2 ** -perRecord : perRecord * cluster;
  const table = countable(boot.getBigUint64(48, true));
  const fits = sector >= 256 && sector <= 4096 && cluster > 0 && cluster <= MOST_CLUSTER && record >= 256 &&
    record <= MOST_RECORD && table !== undefined && Number.isSafeInteger(table * cluster);
  if (!fits) return undefined;
  return {
    read: (offset, length) => disk(start + offset, length),
    cluster,
    record,
    tableAt: table * cluster,
  };
}

/** Puts back what NTFS keeps of the ends of a block's sectors; undefined where they do not fit, as in a torn write. */
function repaired(bytes: Uint8Array, magic: number): DataView | undefined {
  const copy = bytes.slice(), view = dataViewOf(copy);
  if (view.byteLength < 48 || view.getUint32(0, false) !== magic) return undefined;
  const at = view.getUint16(4, true), count = view.getUint16(6, true);
  if (count < 1 || at + count * 2 > view.byteLength || (count - 1) * 512 > view.byteLength) return undefined;
  const mark = view.getUint16(at, true);
  for (let sector = 1; sector < count; sector++) {
    const end = sector * 512 - 2;
    if (view.getUint16(end, true) !== mark) return undefined;
    view.setUint16(end, view.getUint16(at + sector * 2, true), true);
  }
  return view;
}

const FILE = 0x46494c45, INDX = 0x494e4458, RSTR = 0x52535452;

/** An attribute of a record. */
interface Attribute {
  readonly type: number;
  /** Its value where it stands in the record. */
  readonly value: DataView | undefined;
  /** Runs on the disk that hold the value of a non-resident attribute. */
  readonly runs: readonly Run[];
}

/** The stretches that an attribute lists. */
function runsIn(view: DataView): Run[] {
  const runs: Run[] = [];
  let place = 0;
  for (let at = 0; at < view.byteLength && runs.length < MOST_RUNS;) {
    const head = view.getUint8(at), lengthBytes = head & 15, placeBytes = head >> 4;
    if (head === 0 || lengthBytes === 0 || lengthBytes > 6 || placeBytes > 6) break;
    if (at + 1 + lengthBytes + placeBytes > view.byteLength) break;
    let clusters = 0, step = 0;
    for (let byte = lengthBytes - 1; byte >= 0; byte--) {
      clusters = clusters * 256 + view.getUint8(at + 1 + byte);
    }
    for (let byte = placeBytes - 1; byte >= 0; byte--) {
      const value = view.getUint8(at + 1 + lengthBytes + byte);
      step = step * 256 + (byte === placeBytes - 1 && value > 127 ? value - 256 : value);
    }
    if (placeBytes > 0) place += step;
    runs.push({ clusters, at: placeBytes > 0 && place >= 0 ? place : undefined });
    at += 1 + lengthBytes + placeBytes;
  }
  return runs;
}

function attributesOf(record: DataView): Attribute[] {
  const found: Attribute[] = [];
  for (let at = record.getUint16(20, true); at + 24 <= record.byteLength;) {
    const type = record.getUint32(at, true), length = record.getUint32(at + 4, true);
    if (type === ATTRIBUTE.end || length < 24 || at + length > record.byteLength) break;
    const part = new DataView(record.buffer, record.byteOffset + at, length);
    if (part.getUint8(8) === 0) {
      const size = part.getUint32(16, true), from = part.getUint16(20, true);
      if (from + size <= length) {
        found.push({ type, value: new DataView(part.buffer, part.byteOffset + from, size), runs: [] });
      }
    } else if (length >= 64) {
      const from = part.getUint16(32, true);
      if (from < length) {
        const list = new DataView(part.buffer, part.byteOffset + from, length - from);
        found.push({ type, value: undefined, runs: runsIn(list) });
      }
    }
    at += length;
  }
  return found;
}

/** Bytes of a file from a place on, put together of its stretches; undefined where it is shorter or has none there. */
async function readRuns(
  { read, cluster }: Volume,
  runs: readonly Run[],
  offset: number,
  length: number,
): Promise<Uint8Array | undefined> {
  const whole = new Uint8Array(length);
  let before = 0, done = 0;
  for (const { clusters, at } of runs) {
    const size = clusters * cluster, within = offset + done - before;
    before += size;
    if (within >= size) continue;
    const part = Math.min(length - done, size - within);
    if (at === undefined) return undefined;
    const bytes = await read(at * cluster + within, part);
    if (bytes.length !== part) return undefined;
    whole.set(bytes, done);
    done += part;
    if (done === length) return whole;
  }
  return undefined;
}

/** The attributes in a record itself, by its number. @param table the stretches of the table of files that are known */
async function ownAttributes(volume: Volume, number: number, table: readonly Run[]): Promise<Attribute[]> {
  const { read, record, tableAt } = volume;
  // The first ones are at the beginning of the table.
  const bytes = number < 16
    ? await read(tableAt + number * record, record)
    : await readRuns(volume, table, number * record, record);
  const view = bytes && repaired(bytes, FILE);
  return view === undefined ? [] : attributesOf(view);
}

/** The numbers of the further records that hold attributes of a file, in their order. */
async function furtherRecords(
  volume: Volume,
  own: readonly Attribute[],
  number: number,
): Promise<Set<number>> {
  const list = own.find(({ type }) => type === ATTRIBUTE.list), found = new Set<number>();
  if (list === undefined) return found;
  const size = Math.min(MOST_RECORD, sizeOf(volume, list.runs));
  const bytes = list.value === undefined ? await readRuns(volume, list.runs, 0, size) : undefined;
  const view = list.value ?? (bytes && dataViewOf(bytes));
  for (let at = 0; view !== undefined && at + 26 <= view.byteLength && found.size < MOST_FURTHER;) {
    const length = view.getUint16(at + 4, true);
    if (length < 26) break;
    const record = view.getUint32(at + 16, true) + view.getUint16(at + 20, true) * 2 ** 32;
    if (record !== number) found.add(record);
    at += length;
  }
  return found;
}

const sizeOf = ({ cluster }: Volume, runs: readonly Run[]) =>
  runs.reduce((sum, { clusters }) => sum + clusters * cluster, 0);

/** All attributes of a file. */
async function recordAt(volume: Volume, number: number): Promise<Attribute[]> {
  const first = await ownAttributes(volume, RECORD.table, []);
  let table = dataRuns(first);
  for (const further of await furtherRecords(volume, first, RECORD.table)) {
    table = [...table, ...dataRuns(await ownAttributes(volume, further, table))];
  }
  const own = await ownAttributes(volume, number, table), all = [...own];
  for (const further of await furtherRecords(volume, own, number)) {
    all.push(...await ownAttributes(volume, further, table));
  }
  return all;
}

const dataRuns = (attributes: readonly Attribute[]): readonly Run[] =>
  attributes.filter(({ type }) => type === ATTRIBUTE.data).flatMap(({ runs }) => runs);

/** The record of a file by its name, among the entries of an index. @param from where they begin */
function entryNamed(view: DataView, from: number, name: string): number | undefined {
  for (let at = from; at + 16 <= view.byteLength;) {
    const length = view.getUint16(at + 8, true), key = view.getUint16(at + 10, true);
    const isLast = (view.getUint16(at + 12, true) & 2) !== 0;
    if (isLast || length < 16 || at + length > view.byteLength) return undefined;
    if (key >= 66 && length >= 16 + 66) {
      const letters = view.getUint8(at + 16 + 64);
      if (16 + 66 + letters * 2 <= length) {
        const codes = Array.from(
          { length: letters },
          (_, letter) => view.getUint16(at + 16 + 66 + letter * 2, true),
        );
        if (String.fromCharCode(...codes).toLowerCase() === name) {
          return view.getUint32(at, true) + view.getUint16(at + 4, true) * 2 ** 32;
        }
      }
    }
    at += length;
  }
  return undefined;
}

/** The record of a file in the root folder. */
async function fileInRoot(volume: Volume, name: string): Promise<number | undefined> {
  const attributes = await recordAt(volume, RECORD.root);
  const root = attributes.find(({ type, value }) => type === ATTRIBUTE.indexRoot && value !== undefined)
    ?.value;
  if (root === undefined || root.byteLength < 32) return undefined;
  const found = entryNamed(root, 16 + root.getUint32(16, true), name);
  if (found !== undefined) return found;
  const size = root.getUint32(8, true);
  const blocks = attributes.filter(({ type }) => type === ATTRIBUTE.indexAllocation).flatMap(({ runs }) =>
    runs
  );
  if (size < 512 || size > MOST_RECORD) return undefined;
  const total = sizeOf(volume, blocks);
  for (let block = 0; block < MOST_BLOCKS && (block + 1) * size <= total; block++) {
    const bytes = await readRuns(volume, blocks, block * size, size);
    const view = bytes && repaired(bytes, INDX);
    const entry = view && entryNamed(view, 24 + view.getUint32(24, true), name);
    if (entry !== undefined) return entry;
  }
  return undefined;
}

/** Whether the memory of a Windows that goes on from there is on it. */
async function isHibernated(volume: Volume): Promise<boolean> {
  const number = await fileInRoot(volume, HIBERFIL);
  if (number === undefined) return false;
  const data = (await recordAt(volume, number)).find(({ type }) => type === ATTRIBUTE.data);
  const start = data?.value === undefined
    ? data && await readRuns(volume, data.runs, 0, 512)
    : new Uint8Array(data.value.buffer, data.value.byteOffset, data.value.byteLength);
  // Windows writes "wake" over it when it has gone on.
  return start !== undefined && /^hibr/i.test(String.fromCharCode(...start.subarray(0, 4)));
}

async function isDirty(volume: Volume): Promise<boolean> {
  const information = (await recordAt(volume, RECORD.volume)).find(({ type }) =>
    type === ATTRIBUTE.volumeInformation
  );
  const { value } = information ?? {};
  return value !== undefined && value.byteLength >= 12 && (value.getUint16(10, true) & IS_DIRTY) !== 0;
}

/** Whether changes are in the journal that are not in their places. */
async function hasOpenJournal(volume: Volume): Promise<boolean> {
  const log = (await recordAt(volume, RECORD.log)).find(({ type }) => type === ATTRIBUTE.data);
  if (log === undefined || log.runs.length === 0) return false;
  let newest: { readonly lsn: bigint; readonly isOpen: boolean } | undefined;
  for (const page of [0, 4096]) {
    const bytes = await readRuns(volume, log.runs, page, 4096), view = bytes && repaired(bytes, RSTR);
    if (view === undefined) continue;
    const area = view.getUint16(24, true);
    if (area + 16 > view.byteLength) continue;
    const lsn = view.getBigUint64(area, true);
    const isOpen = view.getUint16(area + 12, true) !== NO_CLIENT &&
      (view.getUint16(area + 14, true) & IS_CLEAN) === 0;
    if (newest === undefined || lsn > newest.lsn) newest = { lsn, isOpen };
  }
  return newest?.isOpen ?? false;
}

/** A disk that is read so often, and is empty beyond: each read may be a program that is started. */
function readAtMost(most: number, disk: ReadDisk): ReadDisk {
  let left = most;
  return (offset, length) => left-- > 0 ? disk(offset, length) : Promise.resolve(new Uint8Array());
}

/** Fault of the NTFS file systems of a disk; undefined if all are clean, and if there are none. */
export async function ntfsFault(whole: ReadDisk): Promise<NtfsFault | undefined> {
  const disk = readAtMost(MOST_READS, whole);
  for (const start of await partitionStarts(disk)) {
    const volume = await volumeAt(disk, start);
    if (volume === undefined) continue;
    if (await isHibernated(volume)) return "hibernated";
    if (await isDirty(volume)) return "dirty";
    if (await hasOpenJournal(volume)) return "journal";
  }
  return undefined;
}
