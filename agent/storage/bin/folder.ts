/**
 * Files into the bin of their folder and out of it: one rename each, and no copy. The folders that are worked in are held
 * open, so that a link planted in the place of one leads nowhere; what was moved is looked at afterwards, and goes back
 * where it is not the file that was meant.
 */
import type { FileHandle } from "../../../ffi/file_handle.ts";
import { BIN_FOLDER, splitPath } from "../../../lib/bin/place.ts";
import { writeAll } from "../../../lib/write_all.ts";
import { undefinedIfMissing } from "../../machine/files.ts";
import { plainPath } from "../../machine/host_file.ts";
import { hostFiles } from "../../machine/host_files.ts";
import type { FileIdentity } from "../../operations/file_identity.ts";

/** Why the folder or the file is not what it has to be; told to people as the end of a sentence. */
export class BinFolderError extends Error {
  override readonly name = "BinFolderError";
}

/** No other account writes to it; what is in it keeps its own mode. */
const MODE = 0o755;
/** Bytes of a block in `stat`: stat(2). */
const BLOCK = 512;

const identityOf = (info: Deno.FileInfo): FileIdentity => ({ dev: info.dev, ino: Number(info.ino) });

/** Whether a look found the file, in a folder that is known: device numbers are others after a boot. */
const isIt = (info: Deno.FileInfo | undefined, { ino }: FileIdentity): info is Deno.FileInfo =>
  info !== undefined && Number(info.ino) === ino;

/** File information of a name in a held folder; links are not followed. */
const look = (folder: FileHandle, name: string) =>
  undefinedIfMissing(hostFiles.lstat(`${folder.path}/${name}`));

/** Holds a folder that files are in. Its administrator may have put it behind a link. */
const holdPlace = (folder: string): Promise<FileHandle> => hostFiles.holdFile(plainPath(folder));

/** Holds the bin of a held folder; undefined where there is none. @throws {BinFolderError} */
async function openBin(place: FileHandle): Promise<FileHandle | undefined> {
  using held = new DisposableStack();
  let bin: FileHandle;
  try {
    bin = held.use(await hostFiles.holdFolder(`${place.path}/${BIN_FOLDER}`));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    if (!(error instanceof Deno.errors.NotADirectory)) throw error;
    throw new BinFolderError(`the ${BIN_FOLDER} next to it is no folder`, { cause: error });
  }
  const { uid, mode } = await hostFiles.stat(bin.path);
  // No other account may have put anything into it.
  if (uid !== Deno.uid() || ((mode ?? 0o777) & 0o022) !== 0) {
    throw new BinFolderError(`the ${BIN_FOLDER} next to it is not KVM Manager's own`);
  }
  held.move();
  return bin;
}

/** Holds the bin of a held folder, made where there is none. @throws {BinFolderError} */
async function makeBin(place: FileHandle): Promise<FileHandle> {
  let isNew = true;
  try {
    await hostFiles.mkdir(`${place.path}/${BIN_FOLDER}`, { mode: 0o700 });
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    isNew = false;
  }
  using held = new DisposableStack();
  const opened = await openBin(place);
  if (opened === undefined) throw new BinFolderError(`the ${BIN_FOLDER} next to it was removed just now`);
  const bin = held.use(opened);
  // libvirt must be able to open it, also as the user "nobody" on a share: a pool that it cannot read whole goes off. By the
  // handle: what has its name by now may be a link.
  if (isNew) await hostFiles.chmod(bin.path, MODE);
  held.move();
  return bin;
}

/** Why nothing can be moved into the bin of a folder; undefined where it can. */
export async function binFault(folder: string): Promise<string | undefined> {
  try {
    // Not `using`: the bundler takes out what is read once, and then nothing is closed.
    const bin = await binIn(folder);
    bin?.[Symbol.dispose]();
    return undefined;
  } catch (error) {
    if (error instanceof BinFolderError) return error.message;
    throw error;
  }
}

/** Has the file system write a folder down: a rename that a power failure takes back would not be where it was told. */
async function sync(folder: FileHandle): Promise<void> {
  // Not `using`: the bundler takes out what is read once, and then nothing is closed.
  const opened = await hostFiles.open(`${folder.path}/.`, { read: true });
  try {
    await opened.sync();
  } finally {
    opened.close();
  }
}

/** A file or folder as it can be kept, without links followed; undefined where there is none. */
export async function findKeepable(
  path: string,
): Promise<{ readonly file: FileIdentity; readonly bytes: number; readonly isFolder: boolean } | undefined> {
  const info = await undefinedIfMissing(hostFiles.lstat(plainPath(path)));
  if (info === undefined || !(info.isFile || info.isDirectory)) return undefined;
  return { file: identityOf(info), bytes: (info.blocks ?? 0) * BLOCK, isFolder: info.isDirectory };
}

/** A move into the bin or out of it, of one certain file. */
export interface Move {
  /** Path outside the bin, before or after the move. */
  readonly path: string;
  /** Its name in the bin. */
  readonly as: string;
  readonly file: FileIdentity;
}

/**
 * Moves a file into the bin of its folder.
 *
 * @returns false where it is there already
 * @throws {BinFolderError} where something else is at the path @throws {Error} errors of the kernel
 */
export async function moveIn({ path, as, file }: Move): Promise<boolean> {
  const at = splitPath(plainPath(path)), { name } = at;
  using folder = await holdPlace(at.folder);
  using bin = await makeBin(folder);
  const there = await look(bin, as);
  if (isIt(there, file)) {
    await dropName(folder, name, file);
    return false;
  }
  const info = await look(folder, name);
  if (!isIt(info, file)) {
    throw new BinFolderError(info === undefined ? "it is not there any more" : "it is another file by now");
  }
  await hostFiles.rename(`${folder.path}/${name}`, `${bin.path}/${as}`);
  const moved = await look(bin, as);
  if (!isIt(moved, file)) {
    await putAt(bin, as, folder, name);
    throw new BinFolderError("it was replaced by another file just now");
  }
  await sync(bin);
  await sync(folder);
  return true;
}

/** Removes a second name of a file that is in the bin: a move that was cut short between its two halves. */
async function dropName(folder: FileHandle, name: string, file: FileIdentity): Promise<void> {
  const info = await look(folder, name);
  if (isIt(info, file)) await hostFiles.remove(`${folder.path}/${name}`);
}

/** Gives a file its name where nothing has it. @throws {Deno.errors.AlreadyExists} */
async function putAt(from: FileHandle, as: string, folder: FileHandle, name: string): Promise<void> {
  const source = `${from.path}/${as}`, goal = `${folder.path}/${name}`;
  const isFolder = (await hostFiles.lstat(source)).isDirectory;
  if (!isFolder) {
    try {
      // The kernel refuses a name that is taken, in one step with giving it.
      await hostFiles.link(source, goal);
      await hostFiles.remove(source);
      return;
    } catch (error) {
      if (error instanceof Deno.errors.AlreadyExists) throw error;
      if (!isNoLink(error)) throw error;
    }
  }
  if (await look(folder, name) !== undefined) throw new Deno.errors.AlreadyExists(`${name} is there already`);
  await hostFiles.rename(source, goal);
}

/** A file system without hard links says so in one of these ways: link(2). */
const isNoLink = (error: unknown) =>
  error instanceof Error && "code" in error &&
  ["EPERM", "EOPNOTSUPP", "ENOTSUP"].includes(String(error.code));

/**
 * Moves a file out of the bin to a path in the same folder, or to another name there.
 *
 * @param from the path that it had: its bin is next to that
 * @returns false where it is at the path already
 * @throws {Deno.errors.AlreadyExists} where something else is @throws {BinFolderError} where the bin does not have it
 */
export async function moveOut({ path, as, file }: Move): Promise<boolean> {
  const at = splitPath(plainPath(path)), { name } = at;
  using folder = await holdPlace(at.folder);
  using bin = await openBin(folder);
  const kept = bin && await look(bin, as);
  const there = await look(folder, name);
  // In a folder of our own a name is enough: numbers of files change where a file system is copied.
  const isThere = isIt(there, kept === undefined ? file : identityOf(kept));
  if (bin === undefined || kept === undefined) {
    if (isThere) return false;
    throw new BinFolderError("it is not in the bin any more");
  }
  if (isThere) await hostFiles.remove(`${bin.path}/${as}`); // the other half of a move
  else await putAt(bin, as, folder, name);
  await sync(folder);
  await sync(bin);
  return !isThere;
}

/** Holds the bin next to a path, where there is one. @throws {BinFolderError} */
async function binOf(path: string): Promise<FileHandle | undefined> {
  return await binIn(splitPath(path).folder);
}

/** Holds the bin of a folder, where there is one. @throws {BinFolderError} */
async function binIn(folder: string): Promise<FileHandle | undefined> {
  if (await undefinedIfMissing(hostFiles.stat(plainPath(folder))) === undefined) return undefined;
  const place = await holdPlace(folder);
  try {
    return await openBin(place);
  } finally {
    place[Symbol.dispose]();
  }
}

/** Whether the bin next to a path has the file. @throws {BinFolderError} */
export async function isKept({ path, as }: Omit<Move, "file">): Promise<boolean> {
  using bin = await binOf(path);
  return bin !== undefined && await look(bin, as) !== undefined;
}

/** Deletes a file of the bin for good; one that is not there is gone already. @throws {BinFolderError} */
export async function removeKept({ path, as }: Omit<Move, "file">): Promise<void> {
  using bin = await binOf(path);
  const info = bin && await look(bin, as);
  if (bin === undefined || info === undefined) return;
  await hostFiles.remove(`${bin.path}/${as}`, { recursive: info.isDirectory });
}

/** Under which name a note is written until it is whole. */
const partOf = (name: string) => `${name}.part`;

/** Writes a note into the bin of a folder, whole or not at all. @throws {BinFolderError} */
export async function putNote(folder: string, name: string, text: string): Promise<void> {
  const place = await holdPlace(folder);
  using bin = await makeBin(place).finally(() => place[Symbol.dispose]());
  const part = `${bin.path}/${partOf(name)}`;
  await undefinedIfMissing(hostFiles.remove(part));
  {
    using file = await hostFiles.open(part, { write: true, createNew: true, mode: 0o600 });
    await writeAll(file, new TextEncoder().encode(text));
    await file.sync();
  }
  await hostFiles.rename(part, `${bin.path}/${name}`);
  await sync(bin);
}

/** Removes a note, and the bin of the folder with its last content. @throws {BinFolderError} */
export async function removeNote(folder: string, name: string): Promise<void> {
  using bin = await binIn(folder);
  if (bin === undefined) return;
  // What a kill has left of writing it would keep the folder
  for (const each of [name, partOf(name)]) await undefinedIfMissing(hostFiles.remove(`${bin.path}/${each}`));
  try {
    await undefinedIfMissing(hostFiles.remove(`${plainPath(folder)}/${BIN_FOLDER}`));
  } catch (error) {
    if (!isFull(error)) throw error;
  }
}

/** rmdir(2) of a folder that has something says so. */
const isFull = (error: unknown) => error instanceof Error && "code" in error && error.code === "ENOTEMPTY";

/** The names in the bin of a folder; none where there is no bin. @throws {BinFolderError} */
export async function namesInBin(folder: string): Promise<string[]> {
  using bin = await binIn(folder);
  if (bin === undefined) return [];
  return (await hostFiles.readDir(`${bin.path}/.`)).map(({ name }) => name);
}

/** The text of a note. @throws {BinFolderError} @throws {Error} from reading it */
export async function noteIn(folder: string, name: string, most: number): Promise<string | undefined> {
  using bin = await binIn(folder);
  const info = bin && await look(bin, name);
  if (bin === undefined || info === undefined || !info.isFile || info.size > most) return undefined;
  return await hostFiles.readTextFile(`${bin.path}/${name}`);
}
