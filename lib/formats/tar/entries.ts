/**
 * Lists the files of a tar archive with their positions, without unpacking it. Regular files with plain names alone:
 * nothing of it is ever written under a name that the archive chose, and names that would lead elsewhere are refused
 * all the same. Pure.
 */

/** Reads bytes of the archive: fewer at its end. */
export type ReadAt = (offset: number, length: number) => Promise<Uint8Array>;

/** A file in the archive. */
export interface ArchiveEntry {
  readonly name: string;
  /** Of its content, in bytes. */
  readonly offset: number;
  readonly size: number;
}

/** Why an archive is not taken, fit to be shown. */
export class ArchiveError extends Error {
  override readonly name = "ArchiveError";
}

const BLOCK = 512;
/** Files in an archive; no VM has so many disks. */
export const MOST_ENTRIES = 128;
/** Bytes of a head that says more of the entry behind it. */
export const MOST_EXTENDED = 64 * 1024;
const MOST_NAME = 255;

const decoder = new TextDecoder("utf-8", { fatal: true });

/** Text in a field, up to its first zero. @throws {ArchiveError} */
export function headText(head: Uint8Array, at: number, length: number): string {
  const field = head.subarray(at, at + length);
  const end = field.indexOf(0);
  try {
    return decoder.decode(end < 0 ? field : field.subarray(0, end));
  } catch {
    throw new ArchiveError("a name in it is no UTF-8");
  }
}

/** A number: octal text, or binary where the first bit is set (GNU's and star's way to more than 8 GiB). */
export function headNumber(head: Uint8Array, at: number, length: number): number {
  if (head[at]! === 0x80) {
    let value = 0;
    for (const byte of head.subarray(at + 1, at + length)) value = value * 256 + byte;
    if (!Number.isSafeInteger(value)) throw new ArchiveError("a number in it is too large");
    return value;
  }
  const text = headText(head, at, length).trim();
  if (!/^[0-7]{1,12}$/.test(text)) throw new ArchiveError("a number in it is none");
  return Number.parseInt(text, 8);
}

const textOf = (bytes: Uint8Array) => String.fromCharCode(...bytes);

/** Refuses a head that is none, or damaged. @throws {ArchiveError} */
export function requireSum(head: Uint8Array): void {
  const sum = head.reduce((all, byte, at) => all + (at >= 148 && at < 156 ? 0x20 : byte), 0);
  const said = textOf(head.subarray(148, 156));
  if (!/^ *[0-7]{1,7}[ \0]*$/.test(said) || Number.parseInt(said, 8) !== sum) {
    throw new ArchiveError("it is no tar file, or damaged");
  }
}

/** A file's name as it is used here. @throws {ArchiveError} for one that leads anywhere */
export function plainName(name: string): string {
  const plain = name.startsWith("./") ? name.slice(2) : name;
  // deno-lint-ignore no-control-regex -- these are the very characters that no name may have
  const isPlain = plain.length > 0 && plain.length <= MOST_NAME && !/[/\\\u0000-\u001f\u007f]/.test(plain) &&
    plain !== "." && plain !== "..";
  if (!isPlain) throw new ArchiveError(`the name ${JSON.stringify(name.slice(0, 80))} is not allowed`);
  return plain;
}

/**
 * Attributes of the next entry in an extended header (POSIX pax): `LENGTH KEY=VALUE
 * `, again and again.
 */
export function extendedIn(bytes: Uint8Array): Map<string, string> {
  const found = new Map<string, string>();
  for (let at = 0; at < bytes.length;) {
    const blank = bytes.indexOf(0x20, at);
    const digits = blank < 0 ? "" : String.fromCharCode(...bytes.subarray(at, Math.min(blank, at + 8)));
    const length = /^\d{1,6}$/.test(digits) ? Number(digits) : 0;
    if (length < 5 || at + length > bytes.length) throw new ArchiveError("a head in it is damaged");
    const line = headText(bytes.slice(blank + 1, at + length - 1), 0, length);
    const equals = line.indexOf("=");
    if (equals < 1) throw new ArchiveError("a head in it is damaged");
    found.set(line.slice(0, equals), line.slice(equals + 1));
    at += length;
  }
  return found;
}

/** Bytes of an entry's content. @throws {ArchiveError} */
export function sizeOf(head: Uint8Array, extended: Map<string, string> | undefined): number {
  const said = extended?.get("size");
  if (said === undefined) return headNumber(head, 124, 12);
  if (!/^\d{1,15}$/.test(said)) throw new ArchiveError("a number in it is none");
  return Number(said);
}

/**
 * The files of an archive in its order.
 *
 * @param size of the whole archive, in bytes
 * @throws {ArchiveError} saying what is wrong with it @throws what `read` throws
 */
export async function archiveEntries(read: ReadAt, size: number): Promise<ArchiveEntry[]> {
  const entries: ArchiveEntry[] = [];
  const names = new Set<string>();
  let extended: Map<string, string> | undefined;
  for (let at = 0, heads = 0;; heads++) {
    if (heads > 4 * MOST_ENTRIES) throw new ArchiveError("it has too many entries");
    const head = await read(at, BLOCK);
    // Some tools leave the end out.
    if (head.length === 0 && entries.length > 0 && extended === undefined) return entries;
    if (head.length < BLOCK) throw new ArchiveError("it is cut off");
    if (head.every((byte) => byte === 0)) return entries;
    requireSum(head);
    const kind = String.fromCharCode(head[156]!);
    const own = headText(head, 0, 100);
    const isPosix = headText(head, 257, 6) === "ustar";
    const prefix = isPosix ? headText(head, 345, 155) : "";
    const length = sizeOf(head, extended);
    const content = at + BLOCK;
    if (content + length > size) throw new ArchiveError("it is cut off");
    at = content + Math.ceil(length / BLOCK) * BLOCK;
    if (kind === "x" || kind === "g") {
      if (length > MOST_EXTENDED) throw new ArchiveError("a head in it is too long");
      const said = extendedIn(await read(content, length));
      const isSparse = [...said.keys()].some((key) => key.startsWith("GNU.sparse"));
      if (isSparse || (kind === "g" && (said.has("size") || said.has("path")))) {
        throw new ArchiveError("it is written in a way that is not taken. Make it with tar --format=ustar");
      }
      if (kind === "x") extended = said;
      continue;
    }
    const told = extended?.get("path") ?? (prefix === "" ? own : `${prefix}/${own}`);
    extended = undefined;
    // The folder that `tar -c .` begins with holds nothing itself.
    if (kind === "5" && (told === "./" || told === ".")) continue;
    if (kind !== "0" && kind !== "\0" && kind !== "7") {
      throw new ArchiveError(`${JSON.stringify(told.slice(0, 80))} in it is no regular file`);
    }
    const name = plainName(told);
    if (names.has(name)) throw new ArchiveError(`${JSON.stringify(name)} is in it twice`);
    if (entries.length === MOST_ENTRIES) throw new ArchiveError(`it has more than ${MOST_ENTRIES} files`);
    names.add(name);
    entries.push({ name, offset: content, size: length });
  }
}
