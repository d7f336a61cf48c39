/** Writing and reading tar files: POSIX ustar, regular files and folders alone. The same entries give the same bytes. */

import { joined } from "../../bytes.ts";

/** A file or folder in an archive. */
export interface TarEntry {
  /** Path in the archive; a folder's ends with `/`. */
  readonly name: string;
  readonly mode: number;
  readonly content: Uint8Array;
  /** Seconds since 1970. */
  readonly mtime?: number;
}

/** The time of everything that has none of its own: 2020-01-01, which no tool takes for a mistake. */
const MTIME = 1_577_836_800;
/** Bytes that everything in an archive is filled up to. */
export const TAR_BLOCK = 512;
const BLOCK = TAR_BLOCK;
const encoder = new TextEncoder(), decoder = new TextDecoder("utf-8", { fatal: true });

/** A field of a head: text, cut at its place's end by zeros. */
function put(head: Uint8Array, at: number, length: number, text: string): void {
  const bytes = encoder.encode(text);
  if (bytes.length > length) throw new RangeError(`too long for a tar file: ${text}`);
  head.set(bytes, at);
}

const octal = (value: number, digits: number) => `${value.toString(8).padStart(digits, "0")}\0`;

/** A name of more than 100 bytes is split at a slash. */
function splitName(name: string): { prefix: string; name: string } {
  if (encoder.encode(name).length <= 100) return { prefix: "", name };
  for (let at = name.indexOf("/"); at > 0 && at < name.length - 1; at = name.indexOf("/", at + 1)) {
    const rest = name.slice(at + 1);
    if (encoder.encode(rest).length <= 100) return { prefix: name.slice(0, at), name: rest };
  }
  throw new RangeError(`too long for a tar file: ${name}`);
}

function sumOf(head: Uint8Array): number {
  // The sum's own place counts as spaces
  return head.reduce((sum, byte, at) => sum + (at >= 148 && at < 156 ? 0x20 : byte), 0);
}

/** A size: octal, or GNU's binary for what eleven digits cannot hold. */
function putSize(head: Uint8Array, size: number): void {
  if (size < 8 ** 11) return put(head, 124, 12, octal(size, 11));
  head[124] = 0x80;
  new DataView(head.buffer, head.byteOffset).setBigUint64(128, BigInt(size));
}

/** Header of an entry, written before its content. @throws {RangeError} for a name that is too long */
export function tarHead(
  { name, mode, size, mtime = MTIME, kind = name.endsWith("/") ? "5" : "0" }:
    & Omit<TarEntry, "content">
    & { readonly size: number; readonly kind?: string },
): Uint8Array<ArrayBuffer> {
  const head = new Uint8Array(BLOCK);
  const split = splitName(name);
  put(head, 0, 100, split.name);
  put(head, 100, 8, octal(mode, 7));
  put(head, 108, 8, octal(0, 7));
  put(head, 116, 8, octal(0, 7));
  putSize(head, size);
  put(head, 136, 12, octal(mtime, 11));
  put(head, 156, 1, kind);
  put(head, 257, 8, "ustar\x0000");
  put(head, 265, 32, "root");
  put(head, 297, 32, "root");
  put(head, 345, 155, split.prefix);
  put(head, 148, 8, `${sumOf(head).toString(8).padStart(6, "0")}\0 `);
  return head;
}

/** An extended head of POSIX (pax): `x` for the entry behind it, `g` for all. */
function paxHead(kind: "x" | "g", key: string, value: string): Uint8Array<ArrayBuffer> {
  const rest = encoder.encode(` ${key}=${value}\n`).length;
  // The length counts its own digits
  let length = rest;
  while (length !== rest + String(length).length) length = rest + String(length).length;
  const content = encoder.encode(`${length} ${key}=${value}\n`);
  return joined([
    tarHead({ name: "PaxHeader", mode: 0o644, size: content.length, kind }),
    content,
    tarPadding(content.length),
  ]);
}

/** Words for people, which tools pass over. */
export const tarComment = (text: string): Uint8Array<ArrayBuffer> => paxHead("g", "comment", text);

/** A head that says the name of the entry behind it; nothing where that fits into its own. */
function nameHead(name: string): Uint8Array<ArrayBuffer> {
  try {
    splitName(name);
    return new Uint8Array();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return paxHead("x", "path", name);
  }
}

/** Header of an entry or folder, however long its name is. */
export function longTarHead(
  entry: Omit<TarEntry, "content"> & { readonly size: number },
): Uint8Array<ArrayBuffer> {
  const longer = nameHead(entry.name);
  if (longer.length === 0) return tarHead(entry);
  return joined([longer, tarHead({ ...entry, name: entry.name.endsWith("/") ? "folder/" : "file" })]);
}

/** Zeros that fill a file's last block. */
export const tarPadding = (size: number): Uint8Array<ArrayBuffer> =>
  new Uint8Array((BLOCK - size % BLOCK) % BLOCK);

/** End of an archive: two empty blocks. */
export const tarEnd = (): Uint8Array<ArrayBuffer> => new Uint8Array(2 * BLOCK);

/** The archive of these entries, all owned by root. @throws {RangeError} for a name that is too long */
export function writeTar(entries: readonly TarEntry[]): Uint8Array<ArrayBuffer> {
  const pieces = entries.flatMap((entry) => [
    tarHead({ ...entry, size: entry.content.length }),
    entry.content,
    tarPadding(entry.content.length),
  ]);
  return joined([...pieces, tarEnd()]);
}

const textIn = (head: Uint8Array, at: number, length: number) => {
  const field = head.subarray(at, at + length);
  const end = field.indexOf(0);
  return decoder.decode(end < 0 ? field : field.subarray(0, end));
};

function numberIn(head: Uint8Array, at: number, length: number): number {
  const text = textIn(head, at, length).trim();
  if (!/^[0-7]+$/.test(text)) throw new Error("a number in it is none");
  return Number.parseInt(text, 8);
}

/**
 * The regular files of an archive, by name. Anything else than a regular file, and names that lead out of the folder
 * it is unpacked into, are refused.
 *
 * @throws {Error} saying what is wrong with it
 */
export function readTar(bytes: Uint8Array): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  for (let at = 0;;) {
    const head = bytes.subarray(at, at + BLOCK);
    if (head.length < BLOCK) throw new Error("it is cut off");
    if (head.every((byte) => byte === 0)) return files;
    if (numberIn(head, 148, 8) !== sumOf(head)) throw new Error("it is damaged");
    const prefix = textIn(head, 345, 155), own = textIn(head, 0, 100);
    const name = prefix === "" ? own : `${prefix}/${own}`;
    if (textIn(head, 156, 1) !== "0") throw new Error(`${name} is no regular file`);
    if (!isInside(name)) throw new Error(`the name ${JSON.stringify(name)} is not allowed`);
    if (files.has(name)) throw new Error(`${name} is in it twice`);
    const size = numberIn(head, 124, 12);
    const content = bytes.subarray(at + BLOCK, at + BLOCK + size);
    if (content.length < size) throw new Error("it is cut off");
    files.set(name, content);
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
}

function isInside(name: string): boolean {
  return name.split("/").every((part) => /^[\w.@+-]+$/.test(part) && part !== "." && part !== "..");
}
