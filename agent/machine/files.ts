/** Files that may not be there, at paths that may be none. */
import { ContractError } from "../../lib/contract/errors.ts";
import { hostFiles } from "./host_files.ts";
import { mountGate } from "./mount_gate.ts";

/** Why the kernel does not look at a path, by the error's code: nothing is there, and nothing can be known of it. */
const FAULTS: Readonly<Record<string, string>> = {
  ENAMETOOLONG: "it, or a name in it, is longer than this host allows",
  ELOOP: "its symbolic links lead back to themselves",
  EACCES: "KVM Manager may not enter a folder of it",
  EINVAL: "it holds a character that no path has",
  EILSEQ: "its name is no UTF-8, which nothing but its volume can be told",
};

/** Why the kernel refused a path, for people; undefined for errors of any other kind. */
export function pathFault(error: unknown): string | undefined {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return Object.hasOwn(FAULTS, code) ? FAULTS[code] : undefined;
}

/**
 * Whether a failure is what the kernel or a file system said. A mistake of ours – a TypeError, a file that was closed
 * before – is none: it must not become an answer.
 */
export function isSystemError(error: unknown): error is Error {
  if (!(error instanceof Error) || error instanceof Deno.errors.BadResource) return false;
  if ("code" in error && /^E[A-Z0-9]+$/.test(String(error.code))) return true;
  return Object.values(Deno.errors).some((kind) => error instanceof kind);
}

/**
 * Looks at a path that a user gave; undefined if nothing is there.
 *
 * @throws {ContractError} PathRefused @throws {Error} other errors, as they came
 */
export async function lookAt<T>(path: string, look: (path: string) => Promise<T>): Promise<T | undefined> {
  try {
    return await undefinedIfMissing(look(path));
  } catch (error) {
    const reason = pathFault(error);
    throw reason === undefined ? error : new ContractError("PathRefused", { path, reason }, { cause: error });
  }
}

/** Result of a look at a path; undefined if nothing is there. @throws {Error} other errors, as they came */
export async function undefinedIfMissing<T>(look: Promise<T>): Promise<T | undefined> {
  try {
    return await look;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return undefined;
    throw error;
  }
}

/** Whether there is something at a path, behind links too. @throws {ContractError} StorageNotResponding */
export async function isThere(path: string): Promise<boolean> {
  return await undefinedIfMissing(hostFiles.stat(path)) !== undefined;
}

/** Whether a name is taken, be it by a link that leads nowhere. @throws {ContractError} StorageNotResponding */
export async function isTaken(path: string): Promise<boolean> {
  return await undefinedIfMissing(hostFiles.lstat(path)) !== undefined;
}

/** Names of what is in a folder; none where there is no such folder. @throws {Error} from reading it */
export async function namesIn(folder: string): Promise<string[]> {
  const entries = await undefinedIfMissing(Array.fromAsync(Deno.readDir(folder)));
  return (entries ?? []).map(({ name }) => name);
}

/** The text of a file; undefined where there is none. */
export async function textAt(path: string): Promise<string | undefined> {
  return await undefinedIfMissing(Deno.readTextFile(path));
}

/** The file is no regular file, is larger than allowed, or was replaced while it was opened. */
export class FileRefused extends Error {
  override readonly name = "FileRefused";
}

/** How often a file is opened again that was replaced meanwhile: what writes a file as a whole replaces it. */
const MOST_OPENINGS = 5;

/** Opens the regular file that is seen at a path. @throws {FileRefused} @throws {Error} from opening it */
async function openSeen(
  path: string,
): Promise<{ readonly file: Deno.FsFile; readonly seen: Deno.FileInfo }> {
  for (let left = MOST_OPENINGS; left > 0; left--) {
    const seen = await Deno.lstat(path);
    if (!seen.isFile) throw new FileRefused("it holds something that is no regular file");
    const file = await Deno.open(path, { read: true });
    let isSeen = false;
    try {
      const { ino, dev } = await file.stat();
      isSeen = ino === seen.ino && dev === seen.dev;
      if (isSeen) return { file, seen };
    } finally {
      if (!isSeen) file.close();
    }
  }
  throw new FileRefused("a file of it was replaced just now");
}

/**
 * Opens a regular file in a folder that others may have written: no link is followed, be the file replaced by a device
 * that never ends.
 *
 * @throws {FileRefused} @throws {ContractError} StorageNotResponding @throws {Error} from opening it
 */
function withRegular<T>(
  path: string,
  use: (file: Deno.FsFile, seen: Deno.FileInfo) => Promise<T>,
): Promise<T> {
  return mountGate.access(path, async () => {
    const { file, seen } = await openSeen(path);
    // Not `using`: the bundler takes a variable out that is read once, and then nothing is closed.
    try {
      return await use(file, seen);
    } finally {
      file.close();
    }
  }, { kind: "work", follow: false });
}

/** Reads until the bytes are full, or the file ends. */
async function fill(file: Deno.FsFile, bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  let length = 0;
  while (length < bytes.length) {
    const read = await file.read(bytes.subarray(length));
    if (read === null) break;
    length += read;
  }
  return bytes.subarray(0, length);
}

/**
 * The content of a regular file: see {@link withRegular}. No more is read than was looked at.
 *
 * @throws {FileRefused} @throws {Error} from reading it
 */
export async function readRegular(path: string, most: number): Promise<Uint8Array<ArrayBuffer>> {
  return await withRegular(path, async (file, { size }) => {
    if (size > most) throw new FileRefused("a file of it is too large");
    return await fill(file, new Uint8Array(size));
  });
}

/** The end of a file. */
export interface FileEnd {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Whether that is all of it. */
  readonly isWhole: boolean;
  /** When it was written to last, in milliseconds since 1970. */
  readonly changedAt: number;
}

/** The last bytes of a regular file: see {@link withRegular}. @throws {FileRefused} @throws {Error} from reading it */
export async function readRegularEnd(path: string, most: number): Promise<FileEnd> {
  return await withRegular(path, async (file, { size, mtime }) => {
    const from = Math.max(0, size - most);
    await file.seek(from, Deno.SeekMode.Start);
    const bytes = await fill(file, new Uint8Array(size - from));
    return { bytes, isWhole: from === 0, changedAt: mtime?.getTime() ?? 0 };
  });
}
