import assert from "node:assert/strict";
import { ntfsFault } from "./state.ts";

const RECORD = 1024, TABLE_AT = 4096;

/** A file system of 64 KiB without partitions: the table of files, and in it the records that are given. */
function fileSystem(records: Readonly<Record<number, Uint8Array>>): Uint8Array {
  const disk = new Uint8Array(65_536), boot = new DataView(disk.buffer);
  boot.setBigUint64(3, 0x202020205346544en, true);
  boot.setUint16(11, 512, true);
  boot.setUint8(13, 8);
  boot.setBigUint64(48, BigInt(TABLE_AT / 4096), true);
  boot.setInt8(64, -10);
  for (const [number, record] of Object.entries(records)) {
    disk.set(record, TABLE_AT + Number(number) * RECORD);
  }
  return disk;
}

/** A record with these attributes. */
function record(...attributes: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(RECORD), view = new DataView(bytes.buffer);
  view.setUint32(0, 0x46494c45);
  view.setUint16(4, 48, true);
  view.setUint16(6, 3, true);
  view.setUint16(20, 56, true);
  let at = 56;
  for (const attribute of attributes) {
    bytes.set(attribute, at);
    at += attribute.length;
  }
  view.setUint32(at, 0xffffffff, true);
  // The ends of sectors have a mark each, and stand before
  for (const [place, end] of [[50, 510], [52, 1022]] as const) {
    view.setUint16(place, view.getUint16(end));
    view.setUint16(end, 0);
  }
  return bytes;
}

/** An attribute whose value stands in the record. */
function resident(type: number, value: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(24 + value.length), view = new DataView(bytes.buffer);
  view.setUint32(0, type, true);
  view.setUint32(4, bytes.length, true);
  view.setUint32(16, value.length, true);
  view.setUint16(20, 24, true);
  bytes.set(value, 24);
  return bytes;
}

/** The root of an index with one entry of that length, which says that its name is so long. */
function index(length: number, key: number): Uint8Array {
  const bytes = new Uint8Array(32 + length), view = new DataView(bytes.buffer);
  view.setUint32(8, 4096, true);
  view.setUint32(16, 16, true);
  view.setUint16(32 + 8, length, true);
  view.setUint16(32 + 10, key, true);
  return bytes;
}

const readIn = (disk: Uint8Array) => (offset: number, length: number) =>
  Promise.resolve(disk.slice(Math.min(offset, disk.length), Math.min(offset + length, disk.length)));

/** A file system that is dirty, with an index of one entry. */
const dirty = (entry: Uint8Array) => {
  const information = new Uint8Array(12);
  information[10] = 1;
  return fileSystem({ 3: record(resident(0x70, information)), 5: record(resident(0x90, entry)) });
};

Deno.test("ntfsFault() reads a file system whose index has an entry that is too short for its name", async () => {
  for (const [length, key] of [[16, 66], [80, 66], [81, 66], [82, 66], [16, 0xffff]] as const) {
    assert.equal(await ntfsFault(readIn(dirty(index(length, key)))), "dirty", `${length} ${key}`);
  }
});

Deno.test("ntfsFault() says something of every damaged file system, and never fails", async () => {
  // The same numbers each time
  let seed = 1;
  const random = (below: number) => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor(seed / 2 ** 32 * below);
  };
  const whole = dirty(index(90, 66));
  const found = new Set<string | undefined>();
  for (let round = 0; round < 20_000; round++) {
    const disk = whole.slice();
    for (let change = random(6); change >= 0; change--) {
      const start = [0, TABLE_AT, TABLE_AT + 3 * RECORD, TABLE_AT + 5 * RECORD][random(4)]!;
      disk[start + random(200)] = [0, 1, 0x20, 0x80, 0x90, 0xff, random(256)][random(7)]!;
    }
    found.add(await ntfsFault(readIn(disk)));
  }
  assert.ok(found.has("dirty") && found.has(undefined));
});

Deno.test("ntfsFault() reads a disk some hundred times, however much it says that there is", async () => {
  // Each sector is a boot sector, and leads to another partition; each index has thousands of blocks
  const boot = fileSystem({}).slice(0, 512), view = new DataView(boot.buffer);
  view.setUint16(510, 0xaa55, true);
  for (const [at, type] of [[446, 7], [462, 5]] as const) {
    boot[at + 4] = type;
    view.setUint32(at + 8, 1, true);
    view.setUint32(at + 12, 1, true);
  }
  const runs = new Uint8Array(64 + 200 * 3), attribute = new DataView(runs.buffer);
  attribute.setUint32(0, 0xa0, true);
  attribute.setUint32(4, runs.length, true);
  attribute.setUint8(8, 1);
  attribute.setUint16(32, 64, true);
  for (let run = 0; run < 200; run++) runs.set([0x11, 2, 1], 64 + run * 3);
  const root = record(resident(0x90, index(16, 0)), runs);
  let reads = 0;
  const disk = (_offset: number, length: number) => {
    reads++;
    return Promise.resolve(length === 512 ? boot : length === RECORD ? root : new Uint8Array(length));
  };
  assert.equal(await ntfsFault(disk), undefined);
  assert.ok(reads > 400 && reads <= 500, String(reads));
});
