/**
 * Reads the files in the root of a small CD, by the names Linux gives them. The CD may be anybody's: everything it
 * says of itself is checked against what is there. Source: ECMA-119, IEEE P1281 and P1282.
 */
import { DESCRIPTOR, FIRST_DESCRIPTOR, ISO_SECTOR } from "./fields.ts";

/** Volume id of a CD, and its files. */
export interface IsoContent {
  readonly volumeId: string;
  /** Name → content. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** The bytes are no CD, or one that is damaged. */
export class IsoError extends Error {
  override readonly name = "IsoError";
}

/** Most files that are read: a folder of ours has five. */
const MOST_FILES = 1000;
const IS_FOLDER = 2;

/** @throws {IsoError} */
export function readIso(bytes: Uint8Array): IsoContent {
  const descriptor = piece(bytes, FIRST_DESCRIPTOR * ISO_SECTOR, ISO_SECTOR);
  if (descriptor[0] !== DESCRIPTOR.PRIMARY || text(descriptor.subarray(1, 6)) !== "CD001") {
    throw new IsoError("it is not an ISO 9660 image");
  }
  const root = descriptor.subarray(156, 190);
  const folder = extent(bytes, root);
  const files = new Map<string, Uint8Array>();
  for (const record of records(folder)) {
    if (files.size >= MOST_FILES) throw new IsoError("it has too many files");
    if ((record[25]! & IS_FOLDER) !== 0) continue;
    files.set(nameOf(record), extent(bytes, record));
  }
  return { volumeId: text(descriptor.subarray(40, 72)).trimEnd(), files };
}

function text(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

function u32(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(at, true);
}

/** @throws {IsoError} when the image ends before */
function piece(bytes: Uint8Array, at: number, length: number): Uint8Array {
  if (at + length > bytes.length) throw new IsoError("it is damaged: it ends too early");
  return bytes.subarray(at, at + length);
}

/** Content of the file or folder of a record. */
function extent(bytes: Uint8Array, record: Uint8Array): Uint8Array {
  const length = u32(record, 10);
  return length === 0 ? new Uint8Array() : piece(bytes, u32(record, 2) * ISO_SECTOR, length);
}

/** The records of a folder; a zero where a length should be means: the rest of the sector is empty. */
function* records(folder: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < folder.length;) {
    const length = folder[at]!;
    if (length === 0) {
      at += ISO_SECTOR - at % ISO_SECTOR;
      continue;
    }
    const record = piece(folder, at, length);
    if (length < 34 || 33 + record[32]! > length) throw new IsoError("it is damaged: a file's record is");
    yield record;
    at += length;
  }
}

/** The name Rock Ridge gives (NM), else the plain one without its version. */
function nameOf(record: Uint8Array): string {
  const identifier = record.subarray(33, 33 + record[32]!);
  let at = 33 + identifier.length + (1 - identifier.length % 2);
  let name = "";
  while (at + 4 <= record.length) {
    const length = record[at + 2]!;
    if (length < 4 || at + length > record.length) break;
    if (text(record.subarray(at, at + 2)) === "NM") {
      name += new TextDecoder().decode(record.subarray(at + 5, at + length));
    }
    at += length;
  }
  return name !== "" ? name : text(identifier).replace(/\.?;\d+$/, "");
}
