/** Finds the starts of a disk's partitions: MBR with logical ones, GPT, and disks without any. Pure. */

/** Reads bytes of a disk as a guest sees it: fewer at its end. */
export type ReadDisk = (offset: number, length: number) => Promise<Uint8Array>;

export const SECTOR = 512;
/** Partitions that are looked at. */
const MOST_PARTITIONS = 128, MOST_LOGICAL = 32;
const GPT = 0xee;
const EXTENDED: ReadonlySet<number> = new Set([0x05, 0x0f, 0x85]);

export const dataViewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

/** An offset in bytes that can be counted with; undefined for one that no disk has. */
export function countable(value: bigint): number | undefined {
  return value >= 0n && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : undefined;
}

async function gptStarts(read: ReadDisk): Promise<number[]> {
  const head = dataViewOf(await read(SECTOR, SECTOR));
  if (head.byteLength < 92 || head.getBigUint64(0, true) !== 0x5452415020494645n) return [];
  const at = countable(head.getBigUint64(72, true) * BigInt(SECTOR));
  const count = Math.min(MOST_PARTITIONS, head.getUint32(80, true)), size = head.getUint32(84, true);
  if (at === undefined || size < 128 || size > 4096) return [];
  const table = dataViewOf(await read(at, count * size)), starts: number[] = [];
  for (let entry = 0; (entry + 1) * size <= table.byteLength; entry++) {
    if (table.getBigUint64(entry * size, true) === 0n) continue;
    const start = countable(table.getBigUint64(entry * size + 32, true) * BigInt(SECTOR));
    if (start !== undefined) starts.push(start);
  }
  return starts;
}

/** The logical partitions in an extended one. */
async function logicalStarts(read: ReadDisk, extended: number): Promise<number[]> {
  const starts: number[] = [];
  for (let at = extended; starts.length < MOST_LOGICAL;) {
    const sector = dataViewOf(await read(at * SECTOR, SECTOR));
    if (sector.byteLength < SECTOR || sector.getUint16(510, true) !== 0xaa55) break;
    const [own, next] = [446, 462].map((entry) => ({
      type: sector.getUint8(entry + 4),
      first: sector.getUint32(entry + 8, true),
    }));
    if (own!.type !== 0) starts.push((at + own!.first) * SECTOR);
    // A chain that leads back would never end.
    if (!EXTENDED.has(next!.type) || extended + next!.first <= at) break;
    at = extended + next!.first;
  }
  return starts;
}

/** Offsets on a disk where file systems may begin, in bytes. */
export async function partitionStarts(read: ReadDisk): Promise<number[]> {
  const sector = dataViewOf(await read(0, SECTOR));
  if (sector.byteLength < SECTOR || sector.getUint16(510, true) !== 0xaa55) return [0];
  const entries = [0, 1, 2, 3].map((entry) => ({
    type: sector.getUint8(446 + entry * 16 + 4),
    first: sector.getUint32(446 + entry * 16 + 8, true),
  }));
  if (entries.some(({ type }) => type === GPT)) return await gptStarts(read);
  const starts: number[] = [0];
  for (const { type, first } of entries) {
    if (EXTENDED.has(type)) starts.push(...await logicalStarts(read, first));
    else if (type !== 0 && first > 0) starts.push(first * SECTOR);
  }
  return starts;
}
