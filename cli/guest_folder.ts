/** Folders that are copied into a guest, and out of it: file by file, each as a single one is. */
import { join } from "node:path";
import { ApiError } from "../lib/client/api.ts";
import { COMMANDS, type GuestFile, type Output } from "../lib/contract/mod.ts";
import { inFolder, stepsTo } from "../lib/guest/paths.ts";
import type { Server } from "./connect/server.ts";
import type { Terminal } from "./terminal.ts";
import { unreadable } from "./unreadable.ts";
import { harmless } from "./verb/cells.ts";
import { download, upload } from "./verb/content.ts";
import { UsageError } from "./verb/values.ts";

/** Where the guest is, and what tells of a copy. */
export interface Copying {
  readonly server: Server;
  readonly vmId: string;
  readonly terminal: Terminal;
}

/** Permissions as the contract has them. */
const modeText = (mode: number) => (mode & 0o777).toString(8).padStart(4, "0");

/** Whether a guest's name of a file may become one here. It may be a lie: one that leads elsewhere is none. */
const isName = (name: string) => !/^\.{0,2}$/.test(name) && !/[/\p{Cc}]/u.test(name);

/** Tells of what no copy is made. */
const leftOut = (path: string, why: string) => console.error(`Left out: ${harmless(path)} ${why}`);

async function listFolder({ server, vmId }: Copying, path: string): Promise<GuestFile[]> {
  const { files, truncated } = await server.call("guest_list_files", { vmId, path }) as Output<
    "guest_list_files"
  >;
  if (!truncated) return files;
  throw new UsageError(
    `${path} has more files than are listed: pack them into one in the guest, and copy that`,
  );
}

/** What the guest has at a path; undefined where it does not say, as of what lies in a folder that is not listed. */
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
  options: { readonly overwrite: boolean; readonly mode?: string | undefined },
): Promise<void> {
  // Whoever it runs as, in a guest: here it is a file of who copies
  const mode = options.mode === undefined ? undefined : parseInt(options.mode, 8) & 0o777;
  const where = { to, overwrite: options.overwrite, mode };
  await download(server, COMMANDS.guest_copy_from, { vmId, path }, where, terminal);
}

/** Copies a folder and all in it out of the guest. Links are left out: they may lead anywhere. @throws {ApiError, UsageError} */
export async function folderFrom(
  copying: Copying,
  path: string,
  to: string,
  options: { readonly overwrite: boolean; readonly mode: string },
): Promise<void> {
  const { overwrite, mode } = options;
  let isNew = true;
  try {
    await Deno.mkdir(to, { mode: 0o700 });
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) {
      throw new UsageError(unreadable("the folder", to, error));
    }
    if (!(await Deno.lstat(to)).isDirectory) throw new UsageError(`${to} is there already, and is no folder`);
    if (!overwrite) throw new UsageError(`${to} is there already. Say --yes to replace the files in it`);
    isNew = false;
  }
  for (const file of await listFolder(copying, path)) {
    const { name, kind } = file, from = inFolder(path, name), here = join(to, name);
    if (!isName(name)) leftOut(from, "has no name that a file here may have");
    else if (kind === "folder") await folderFrom(copying, from, here, { overwrite, mode: file.mode });
    else if (kind === "file") await fileFrom(copying, from, here, { overwrite, mode: file.mode });
    else leftOut(from, kind === "link" ? "is a link" : "is neither a file nor a folder");
  }
  if (isNew) await Deno.chmod(to, parseInt(mode, 8) & 0o777);
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
  if (!verified) console.error(`Copied ${harmless(path)}. The guest could not count its checksum.`);
}

/** Copies a folder and all in it into the guest. Links are left out. @throws {ApiError, UsageError} */
export async function folderTo(copying: Copying, source: string, path: string): Promise<void> {
  const { server, vmId } = copying;
  const { mode } = await Deno.stat(source);
  await server.call("guest_create_folder", { vmId, path, ...(mode !== null && { mode: modeText(mode) }) });
  let entries: Deno.DirEntry[];
  try {
    entries = await Array.fromAsync(Deno.readDir(source));
  } catch (error) {
    throw new UsageError(unreadable("the folder", source, error));
  }
  for (
    const { name, isDirectory, isFile, isSymlink } of entries.toSorted((a, b) => a.name < b.name ? -1 : 1)
  ) {
    const from = join(source, name), to = inFolder(path, name);
    if (isDirectory) await folderTo(copying, from, to);
    else if (isFile) await fileTo(copying, from, to);
    else leftOut(from, isSymlink ? "is a link" : "is neither a file nor a folder");
  }
}
