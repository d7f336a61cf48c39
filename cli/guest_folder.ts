/** Files and folders that are copied into a guest, and out of it; a folder as one tar file. */
import { type Message, message, render } from "../lib/i18n/message.ts";
import { dirname, join } from "node:path";
import { ApiError } from "../lib/client/api.ts";
import { COMMANDS, type GuestFile, type Output } from "../lib/contract/mod.ts";
import { ArchiveError } from "../lib/formats/tar/entries.ts";
import { FolderArchive } from "../lib/formats/tar/folder.ts";
import { longTarHead, tarEnd, tarPadding } from "../lib/formats/tar/tar.ts";
import { stepsTo } from "../lib/guest/paths.ts";
import type { Server } from "./connect/server.ts";
import type { Terminal } from "./terminal.ts";
import { unreadable } from "./unreadable.ts";
import { escapeControlCharacters } from "./verb/cells.ts";
import { download, fetchFor, saveFile, sendMade, upload } from "./verb/content.ts";
import { UsageError } from "./verb/values.ts";

/** Server and VM of a copy, and the terminal for its progress. */
export interface Copying {
  readonly server: Server;
  readonly vmId: string;
  readonly terminal: Terminal;
}

/** How something is copied out of a guest. */
interface CopyOut {
  /** Files here are replaced. */
  readonly overwrite: boolean;
  /** Permissions, where they are known. */
  readonly mode?: string | undefined;
}

/** Permissions of a folder whose own are not known. */
const NEW_FOLDER = "0755";

/** Bytes of a file that are read at once. */
const PIECE = 256 * 1024;

/** Permissions as the contract has them. */
const modeText = (mode: number) => (mode & 0o777).toString(8).padStart(4, "0");

/** Reports an entry that is not copied. */
const leftOut = (what: Message) => console.error(render(what));

/** The guest's file at a path; undefined if the guest does not report it, as in a folder that cannot be listed. */
export async function guestFileAt(
  { server, vmId }: Copying,
  path: string,
): Promise<Pick<GuestFile, "kind" | "mode"> | undefined> {
  const [{ name } = { name: "" }, folder] = stepsTo(path).toReversed();
  if (folder === undefined) return undefined;
  try {
    const { files } = await server.call("guest_list_files", { vmId, path: folder.path }) as Output<
      "guest_list_files"
    >;
    return files.find((file) => file.name === name);
  } catch (error) {
    if (error instanceof ApiError && error.code.startsWith("Guest")) return undefined;
    throw error;
  }
}

/** Whether the guest has a folder at a path. @throws {ApiError} */
export async function isGuestFolder({ server, vmId }: Copying, path: string): Promise<boolean> {
  try {
    await server.call("guest_list_files", { vmId, path });
    return true;
  } catch (error) {
    if (error instanceof ApiError && /^GuestFile(NotFound|Denied)$/.test(error.code)) return false;
    throw error;
  }
}

/** Copies a file out of the guest, with its permissions where they are known. @throws {ApiError, UsageError} */
export async function fileFrom(
  { server, vmId, terminal }: Copying,
  path: string,
  to: string,
  options: CopyOut,
): Promise<void> {
  // Whoever it runs as, in a guest: here it is a file of who copies
  const mode = options.mode === undefined ? undefined : parseInt(options.mode, 8) & 0o777;
  const where = { to, overwrite: options.overwrite, mode };
  await download(server, COMMANDS.guest_copy_from, { vmId, path }, where, terminal);
}

/** Makes a folder here that other users cannot read before it has its permissions. @returns whether it is new @throws {UsageError} */
async function folderHere(to: string, overwrite: boolean): Promise<boolean> {
  try {
    await Deno.mkdir(to, { mode: 0o700 });
    return true;
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) {
      throw new UsageError(unreadable("the folder", to, error));
    }
    if (!(await Deno.lstat(to)).isDirectory) {
      throw new UsageError(message`${to} is there already, and is no folder`);
    }
    if (!overwrite) {
      throw new UsageError(message`${to} is there already. Say --yes to replace the files in it`);
    }
    return false;
  }
}

/** Unpacks what comes into a folder here. Only what lies in a folder that it made or found itself is taken. */
async function unpack(archive: FolderArchive, to: string, { overwrite, mode }: CopyOut): Promise<void> {
  const modes = new Map<string, number>(), there = new Set([to]);
  if (await folderHere(to, overwrite)) modes.set(to, parseInt(mode ?? NEW_FOLDER, 8) & 0o777);
  for (let entry = await archive.entry(); entry !== null; entry = await archive.entry()) {
    const { names, kind, mode } = entry, here = join(to, ...names);
    if (names.length === 0) continue;
    if (!there.has(dirname(here))) throw new ArchiveError(`${names.join("/")} is in no folder of it`);
    if (kind === "file") await saveFile(here, () => archive.content(), { overwrite, mode });
    else if (kind === "folder") {
      if (await folderHere(here, overwrite)) modes.set(here, mode);
      there.add(here);
    }
  }
  for (const [path, mode] of [...modes].reverse()) await Deno.chmod(path, mode);
}

/** Copies a folder and all in it out of the guest. Links are left out: they may lead anywhere. @throws {ApiError, UsageError} */
export async function folderFrom(
  { server, vmId, terminal }: Copying,
  path: string,
  to: string,
  options: CopyOut,
): Promise<void> {
  const read = async (content: ReadableStream<Uint8Array>) => {
    const reader = content.getReader();
    const next = async () => (await reader.read()).value ?? null;
    const archive = new FolderArchive(next, (comment) => console.error(escapeControlCharacters(comment)));
    try {
      await unpack(archive, to, options);
    } catch (error) {
      await reader.cancel();
      if (!(error instanceof ArchiveError)) throw error;
      throw new ApiError("Unreachable", render(message`the copy is not whole: ${error.message}. Try again`));
    }
  };
  const shown = { title: `download ${path}`, terminal };
  await fetchFor(server, COMMANDS.guest_copy_folder_from, { vmId, path }, read, shown);
}

/** Copies a file into the guest. @throws {ApiError, UsageError} */
export async function fileTo(
  { server, vmId, terminal }: Copying,
  source: string,
  path: string,
): Promise<void> {
  const mode = await Deno.stat(source).then(({ mode }) => mode, () => null);
  const input = { vmId, path, ...(mode !== null && { mode: modeText(mode) }) };
  const { verified } = await upload(server, COMMANDS.guest_copy_to, input, source, terminal) as Output<
    "guest_copy_to"
  >;
  if (!verified) {
    console.error(
      render(message`Copied ${escapeControlCharacters(path)}. The guest could not count its checksum.`),
    );
  }
}

/** A file or folder here that is copied. */
interface Source {
  readonly from: string;
  /** In the archive; a folder's ends with `/`. */
  readonly name: string;
  readonly mode: number;
  readonly size: number;
}

/** A folder here and all in it. @throws {UsageError} */
async function sourcesIn(from: string, name: string): Promise<Source[]> {
  let entries: Deno.DirEntry[];
  try {
    entries = await Array.fromAsync(Deno.readDir(from));
  } catch (error) {
    throw new UsageError(unreadable("the folder", from, error));
  }
  const { mode } = await Deno.stat(from);
  const sources: Source[] = [{ from, name, mode: (mode ?? 0o755) & 0o777, size: 0 }];
  for (const entry of entries.toSorted((a, b) => a.name < b.name ? -1 : 1)) {
    const path = join(from, entry.name), inside = `${name}${entry.name}`;
    if (entry.isDirectory) sources.push(...await sourcesIn(path, `${inside}/`));
    else if (entry.isFile) {
      const { mode, size } = await Deno.stat(path);
      sources.push({ from: path, name: inside, mode: (mode ?? 0o644) & 0o777, size });
    } else {
      const shown = escapeControlCharacters(path);
      leftOut(
        entry.isSymlink
          ? message`Left out: ${shown} is a link`
          : message`Left out: ${shown} is neither a file nor a folder`,
      );
    }
  }
  return sources;
}

/** Exactly so many bytes of a file: what was added meanwhile is not taken. @throws {UsageError} */
async function* contentOf({ from, size }: Source): AsyncGenerator<Uint8Array> {
  let file: Deno.FsFile;
  try {
    file = await Deno.open(from);
  } catch (error) {
    throw new UsageError(unreadable("the file", from, error));
  }
  using _file = file;
  for (let left = size; left > 0;) {
    const buffer = new Uint8Array(Math.min(PIECE, left)), length = await file.read(buffer);
    if (length === null) throw new UsageError(message`${from} became shorter while it was copied. Try again`);
    yield buffer.subarray(0, length);
    left -= length;
  }
}

async function* archiveOf(sources: readonly Source[]): AsyncGenerator<Uint8Array> {
  for (const source of sources) {
    yield longTarHead(source);
    yield* contentOf(source);
    yield tarPadding(source.size);
  }
  yield tarEnd();
}

/** Copies a folder and all in it into the guest. Links are left out. @throws {ApiError, UsageError} */
export async function folderTo(
  { server, vmId, terminal }: Copying,
  source: string,
  path: string,
): Promise<void> {
  const sources = await sourcesIn(source, "./");
  const size = sources.reduce(
    (sum, each) => sum + longTarHead(each).length + each.size + tarPadding(each.size).length,
    tarEnd().length,
  );
  const made = { title: `upload ${source}`, size, content: archiveOf(sources) };
  const { verified } = await sendMade(
    server,
    COMMANDS.guest_copy_folder_to,
    { vmId, path },
    made,
    terminal,
  ) as Output<"guest_copy_folder_to">;
  if (!verified) {
    console.error(
      render(message`Copied ${escapeControlCharacters(path)}. The guest could not count its checksum.`),
    );
  }
}
