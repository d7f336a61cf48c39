/**
 * Rock Ridge: what Linux reads next to a directory record, so that a file has its real name and mode.
 * Source: IEEE P1281 (SUSP) 1.12 and P1282 (RRIP) 1.12.
 */
import { Fields, latin, recordDate } from "./fields.ts";

/** Types of files in a mode, as in stat(2). */
const TYPE = { DIRECTORY: 0o040000, REGULAR: 0o100000 } as const;

/** One entry: two letters, its length, version 1, its data. */
function entry(signature: string, data: Uint8Array): Uint8Array {
  return Uint8Array.of(...latin(signature), 4 + data.length, 1, ...data);
}

/** Mode, links and owner (PX); owner is root. The form of 1.10, without a serial number, is what every reader takes. */
function attributes(mode: number, links: number): Uint8Array {
  const fields = new Fields(new Uint8Array(32));
  fields.u32both(0, mode);
  fields.u32both(8, links);
  return entry("PX", fields.bytes);
}

/** When it was changed (TF). */
function changed(date: Date): Uint8Array {
  const MODIFY = 2;
  return entry("TF", Uint8Array.of(MODIFY, ...recordDate(date)));
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

/** Next to a file's record. @param permissions as in chmod(2) */
export function ofFile(name: string, permissions: number, date: Date): Uint8Array {
  const NO_FLAGS = 0;
  return joined(
    attributes(TYPE.REGULAR | permissions, 1),
    changed(date),
    entry("NM", Uint8Array.of(NO_FLAGS, ...new TextEncoder().encode(name))),
  );
}

/** Next to the folder's record of its parent, which for the root is itself. */
export function ofParent(permissions: number, date: Date): Uint8Array {
  return joined(attributes(TYPE.DIRECTORY | permissions, 2), changed(date));
}

/**
 * Next to the root's record of itself: says that Rock Ridge is used (SP), and where it says which one (CE).
 *
 * @param sector where {@link extension} is
 */
export function ofRoot(permissions: number, date: Date, sector: number): Uint8Array {
  const continued = new Fields(new Uint8Array(24));
  continued.u32both(0, sector);
  continued.u32both(8, 0);
  continued.u32both(16, extension().length);
  return joined(
    entry("SP", Uint8Array.of(0xbe, 0xef, 0)),
    ofParent(permissions, date),
    entry("CE", continued.bytes),
  );
}

/** The field that names the extension in use (ER): too long for the record, so it has a sector of its own. */
export function extension(): Uint8Array {
  const id = "RRIP_1991A";
  const what = "THE ROCK RIDGE INTERCHANGE PROTOCOL PROVIDES SUPPORT FOR POSIX FILE SYSTEM SEMANTICS";
  const where =
    "PLEASE CONTACT DISC PUBLISHER FOR SPECIFICATION SOURCE.  SEE PUBLISHER IDENTIFIER IN PRIMARY VOLUME " +
    "DESCRIPTOR FOR CONTACT INFORMATION.";
  return entry(
    "ER",
    joined(Uint8Array.of(id.length, what.length, where.length, 1), latin(id + what + where)),
  );
}
