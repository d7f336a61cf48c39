/**
 * Files of this host by the paths that libvirt and people give: text that may stand for bytes which are no UTF-8
 * (lib/text/byte_text.ts). Given to Deno's functions or to a program as it is, such a path would be another file's.
 */
import { type FileHandle, holdFile, realPathOfBytes } from "../../ffi/file_handle.ts";
import { plainText, textOfBytes } from "../../lib/text/byte_text.ts";
import { guarded, mountGate, requireResponding } from "./mount_gate.ts";

/** Whether programs and libvirt's XML, which are UTF-8, can name a path. */
export const isNameable = (path: string): boolean => plainText(path) !== undefined;

/** That the bytes of a path are no UTF-8, where only text will do. */
class NameError extends Error {
  override readonly name = "NameError";
  /** As the kernel says it: "Invalid or incomplete multibyte or wide character". */
  readonly code = "EILSEQ";
}

/** The path as Deno's functions and programs take it. @throws {Error} code EILSEQ for bytes that are no UTF-8 */
export function plainPath(path: string): string {
  const plain = plainText(path);
  if (plain === undefined) throw new NameError(`the name of ${path} is no UTF-8`);
  return plain;
}

/** As {@link reach}, without the gate: within an access that it let through. */
async function hold(path: string): Promise<FileHandle> {
  const plain = plainText(path);
  return plain === undefined ? await holdFile(path) : { path: plain, [Symbol.dispose]: () => {} };
}

/**
 * The file at a path, by a path that Deno's functions and programs take until it is disposed of.
 *
 * @throws {ContractError} StorageNotResponding
 */
export async function reach(path: string): Promise<FileHandle> {
  if (plainText(path) === undefined) {
    return await mountGate.access(path, () => holdFile(path), { discard: (file) => file[Symbol.dispose]() });
  }
  await requireResponding(path);
  return await hold(path);
}

/**
 * File information of a path, links followed. @throws {ContractError} StorageNotResponding @throws {Error} as
 * Deno.stat does
 */
export async function statFile(path: string): Promise<Deno.FileInfo> {
  return await mountGate.access(path, async () => {
    using file = await hold(path);
    return await Deno.stat(file.path);
  });
}

/** Opens a file to be read. @throws {ContractError} StorageNotResponding @throws {Error} as Deno.open does */
export async function openFile(path: string): Promise<Deno.FsFile> {
  const opening = mountGate.access(path, () => openDirectly(path), { discard: (file) => file.close() });
  return await guarded(path, opening);
}

/** As {@link openFile}, without the gate. */
async function openDirectly(path: string): Promise<Deno.FsFile> {
  using file = await hold(path);
  return await Deno.open(file.path);
}

/**
 * The first bytes of a file: so many, or all of a shorter one. The file is opened and read as one access.
 *
 * @throws {ContractError} StorageNotResponding @throws {Error} when it cannot be read
 */
export async function readStart(path: string, length: number): Promise<Uint8Array> {
  return await mountGate.access(path, async () => {
    const file = await openDirectly(path);
    // Not `using`: the bundler takes a variable out that is read once, and then nothing is closed.
    try {
      return await readAt(file, 0, length);
    } finally {
      file.close();
    }
  });
}

/** Bytes of a file from a place on: fewer at its end. One read at a time. */
export async function readAt(file: Deno.FsFile, offset: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  await file.seek(offset, Deno.SeekMode.Start);
  let read = 0;
  while (read < length) {
    const more = await file.read(bytes.subarray(read));
    if (more === null) break;
    read += more;
  }
  return bytes.subarray(0, read);
}

/** The path with every link followed. @throws {ContractError} StorageNotResponding @throws {Error} as Deno.realPath does */
export async function realPathOf(path: string): Promise<string> {
  return await mountGate.access(path, () => realPathDirectly(path));
}

/** As {@link realPathOf}, without the gate. */
async function realPathDirectly(path: string): Promise<string> {
  const plain = plainText(path);
  if (plain === undefined) return await realPathOfBytes(path);
  try {
    return textOfBytes(new TextEncoder().encode(await Deno.realPath(plain)));
  } catch (error) {
    // A link to such a name.
    if (error instanceof Deno.errors.InvalidData) return await realPathOfBytes(path);
    throw error;
  }
}
