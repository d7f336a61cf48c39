/**
 * Writes a small CD: files in one folder, with their real names for Linux (Rock Ridge) and for Windows (Joliet).
 *
 * No npm library does this in JavaScript alone. Source: ECMA-119 (ISO 9660), Microsoft's Joliet Specification,
 * IEEE P1282 (Rock Ridge).
 */
import {
  DESCRIPTOR,
  Fields,
  FIRST_DESCRIPTOR,
  ISO_SECTOR,
  latin,
  recordDate,
  sectors,
  ucs2,
  volumeDate,
} from "./fields.ts";
import * as rock from "./rock_ridge.ts";

/** A file to be written. */
export interface IsoFile {
  /** 1 to 64 letters, digits, dots, dashes and underscores, not a dot first. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Content of a CD to write. */
export interface IsoImage {
  /** The label that Linux shows: 1 to 16 letters, digits, dashes and underscores. */
  readonly volumeId: string;
  readonly files: readonly IsoFile[];
  /** When it was made. */
  readonly date: Date;
  /** Permissions of the files, as in chmod(2); the folder has them too, with the right to enter it. */
  readonly permissions: number;
}

/** Joliet's longest name. */
const LONGEST_NAME = 64;
const NAME = /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/;
const VOLUME_ID = /^[A-Za-z0-9_-]{1,16}$/;
/** Bits of a directory record's flags. */
const IS_FOLDER = 2;
/** Identifiers of a folder's records of itself and of its parent. */
const SELF = Uint8Array.of(0), PARENT = Uint8Array.of(1);
/** Escape sequence for names in UCS-2, level 3. */
const JOLIET = latin("%/E");
/** A path table with nothing but the root. */
const PATH_TABLE_BYTES = 10;

/** Location of a file's content. */
interface Place {
  readonly sector: number;
  readonly bytes: number;
}

/** One of the CD's two folders: the same files under other names. */
interface Tree {
  /** A file's identifier. */
  readonly identifiers: readonly Uint8Array[];
  /** System use fields of the records. */
  readonly systemUse: {
    readonly self: (date: Date) => Uint8Array;
    readonly parent: (date: Date) => Uint8Array;
    readonly file: (index: number, date: Date) => Uint8Array;
  };
}

/**
 * Writes the CD.
 *
 * @throws {TypeError} for a name or a label the format has no room for: they come from the program, never from people
 */
export function writeIso(image: IsoImage): Uint8Array<ArrayBuffer> {
  check(image);
  // ECMA-119 9.3 wants the records in the order of their identifiers; both trees then have the same order.
  const files = [...image.files].sort((a, b) => a.name < b.name ? -1 : 1);
  const { date, permissions } = image;
  const folderMode = permissions | ((permissions & 0o444) >> 2);
  const at = layout(files);
  const nothing = () => new Uint8Array();
  const trees: readonly [Tree, Tree] = [
    {
      identifiers: files.map((_, index) => latin(plainName(index))),
      systemUse: {
        self: () => rock.ofRoot(folderMode, date, at.extension),
        parent: () => rock.ofParent(folderMode, date),
        file: (index) => rock.ofFile(files[index]!.name, permissions, date),
      },
    },
    {
      identifiers: files.map(({ name }) => ucs2(name)),
      systemUse: { self: nothing, parent: nothing, file: nothing },
    },
  ];
  const out = new Fields(new Uint8Array(at.end * ISO_SECTOR));
  const roots = trees.map((tree, index) => {
    const root = { sector: at.folders[index]!, bytes: at.folderSectors * ISO_SECTOR };
    out.put(root.sector * ISO_SECTOR, folder(tree, root, at.files, date, root.bytes));
    return root;
  });
  const describe = (kind: number, root: Place, pathTables: number) =>
    descriptor({ kind, volumeId: image.volumeId, date, root, pathTables, end: at.end });
  out.put(FIRST_DESCRIPTOR * ISO_SECTOR, describe(DESCRIPTOR.PRIMARY, roots[0]!, at.pathTables[0]!));
  out.put(
    (FIRST_DESCRIPTOR + 1) * ISO_SECTOR,
    describe(DESCRIPTOR.SUPPLEMENTARY, roots[1]!, at.pathTables[1]!),
  );
  out.put((FIRST_DESCRIPTOR + 2) * ISO_SECTOR, Uint8Array.of(DESCRIPTOR.TERMINATOR, ...latin("CD001"), 1));
  roots.forEach((root, index) => {
    for (const [offset, littleEndian] of [[0, true], [1, false]] as const) {
      out.put((at.pathTables[index]! + offset) * ISO_SECTOR, pathTable(root, littleEndian));
    }
  });
  out.put(at.extension * ISO_SECTOR, rock.extension());
  files.forEach(({ bytes }, index) => out.put(at.files[index]!.sector * ISO_SECTOR, bytes));
  return out.bytes;
}

function check({ volumeId, files }: IsoImage): void {
  if (!VOLUME_ID.test(volumeId)) throw new TypeError(`${JSON.stringify(volumeId)} is no volume label`);
  const names = files.map(({ name }) => name);
  for (const name of names) {
    if (!NAME.test(name) || name.length > LONGEST_NAME) {
      throw new TypeError(`${JSON.stringify(name)} is no file name of a CD`);
    }
  }
  if (new Set(names).size !== names.length) throw new TypeError("two files have the same name");
}

/** A name of 8.3 capitals, which only readers see that know neither Rock Ridge nor Joliet. */
function plainName(index: number): string {
  return `F${String(index).padStart(7, "0")}.DAT;1`;
}

/** Computes the locations of all parts, in sectors. */
function layout(files: readonly IsoFile[]) {
  const pathTables = [FIRST_DESCRIPTOR + 3, FIRST_DESCRIPTOR + 5];
  const extension = FIRST_DESCRIPTOR + 7;
  // The largest record there can be, so that the folders' sizes need not be known before they are written.
  const folderSectors = sectors(ISO_SECTOR + files.length * 256) + 1;
  const folders = [extension + 1, extension + 1 + folderSectors];
  let end = extension + 1 + 2 * folderSectors;
  const places = files.map(({ bytes }): Place => {
    const place = { sector: bytes.length === 0 ? 0 : end, bytes: bytes.length };
    end += sectors(bytes.length);
    return place;
  });
  return { pathTables, extension, folders, folderSectors, files: places, end };
}

/** A directory record (9.1). */
function record(
  identifier: Uint8Array,
  place: Place,
  flags: number,
  date: Date,
  systemUse: Uint8Array,
): Uint8Array {
  const head = 33 + identifier.length;
  const padded = head + head % 2;
  const length = padded + systemUse.length + systemUse.length % 2;
  const fields = new Fields(new Uint8Array(length));
  fields.u8(0, length);
  fields.u32both(2, place.sector);
  fields.u32both(10, place.bytes);
  fields.put(18, recordDate(date));
  fields.u8(25, flags);
  fields.u16both(28, 1);
  fields.u8(32, identifier.length);
  fields.put(33, identifier);
  fields.put(padded, systemUse);
  return fields.bytes;
}

/** The content of a folder: records that never cross from one sector into the next (6.8.1.1). */
function folder(
  { identifiers, systemUse }: Tree,
  root: Place,
  files: readonly Place[],
  date: Date,
  size: number,
): Uint8Array {
  const bytes = new Uint8Array(size);
  const records = [
    record(SELF, root, IS_FOLDER, date, systemUse.self(date)),
    record(PARENT, root, IS_FOLDER, date, systemUse.parent(date)),
    ...identifiers.map((identifier, index) =>
      record(identifier, files[index]!, 0, date, systemUse.file(index, date))
    ),
  ];
  let at = 0;
  for (const each of records) {
    const left = ISO_SECTOR - at % ISO_SECTOR;
    if (each.length > left) at += left;
    bytes.set(each, at);
    at += each.length;
  }
  return bytes;
}

/** A path table's one entry: the root (9.4). */
function pathTable(root: Place, littleEndian: boolean): Uint8Array {
  const fields = new Fields(new Uint8Array(PATH_TABLE_BYTES));
  fields.u8(0, 1);
  if (littleEndian) {
    fields.u32le(2, root.sector);
    fields.u16le(6, 1);
  } else {
    fields.u32be(2, root.sector);
    fields.u16be(6, 1);
  }
  return fields.bytes;
}

/** A volume descriptor (8.4, 8.5). */
function descriptor({ kind, volumeId, date, root, pathTables, end }: {
  kind: number;
  volumeId: string;
  date: Date;
  root: Place;
  pathTables: number;
  end: number;
}): Uint8Array {
  const joliet = kind === DESCRIPTOR.SUPPLEMENTARY;
  const fields = new Fields(new Uint8Array(ISO_SECTOR));
  const encode = joliet ? ucs2 : latin;
  const text = (at: number, length: number, value: string) =>
    fields.text(at, length, encode(value), encode(" "));
  fields.u8(0, kind);
  fields.put(1, latin("CD001"));
  fields.u8(6, 1);
  text(8, 32, "LINUX");
  text(40, 32, volumeId);
  fields.u32both(80, end);
  if (joliet) fields.put(88, JOLIET);
  fields.u16both(120, 1); // volumes in the set
  fields.u16both(124, 1); // the number of this one
  fields.u16both(128, ISO_SECTOR);
  fields.u32both(132, PATH_TABLE_BYTES);
  fields.u32le(140, pathTables);
  fields.u32be(148, pathTables + 1);
  fields.put(156, record(SELF, root, IS_FOLDER, date, new Uint8Array()));
  text(190, 128, ""); // volume set
  text(318, 128, ""); // publisher
  text(446, 128, ""); // preparer
  text(574, 128, "KVM MANAGER"); // application
  for (const at of [702, 739, 776]) text(at, 37, ""); // copyright, abstract, bibliographic files
  fields.put(813, volumeDate(date)); // made
  fields.put(830, volumeDate(date)); // changed
  fields.put(847, volumeDate(null)); // expires
  fields.put(864, volumeDate(date)); // effective
  fields.u8(881, 1); // file structure version
  return fields.bytes;
}
