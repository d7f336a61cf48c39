/** Paths as the kernel sees them: two texts may name one file, by a link to it or to a folder above it. */
import { basename, dirname, join, resolve } from "node:path";
import { isNameable, plainPath, realPathOf, statFile } from "./host_file.ts";
import { hostFiles } from "./host_files.ts";
import { pathFault } from "./files.ts";
import { isNotResponding } from "./mount_gate.ts";
import { log } from "../log.ts";
import { within } from "../within.ts";
import type { LocalMachine } from "./machine.ts";

/** Milliseconds the kernel may take. A link behind a server that does not answer leads to no file that does. */
const MOST_MS = 5000;

/** Look-ups under way: one that never returns is not begun again. */
const under = new Map<string, Promise<string>>();
const stats = new Map<string, Promise<Deno.FileInfo | "none" | "late">>();

async function look(path: string): Promise<string> {
  try {
    return await realPathOf(path);
  } catch (error) {
    const isNone = error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory ||
      pathFault(error) !== undefined;
    if (isNotResponding(error)) log.debug("where a path leads is not known now", { path, error });
    else if (!isNone) log.warn("where a path leads cannot be told", { path, error });
    // What is not there would lie in a folder that is.
    else if (dirname(path) !== path && basename(path) !== "..") {
      return join(await look(dirname(path)), basename(path));
    }
    return resolve(path);
  }
}

/** Result of a look at a path; undefined if the kernel does not answer in time. @throws errors of the look */
async function lookInTime<T>(
  path: string,
  looks: Map<string, Promise<T>>,
  begin: (path: string) => Promise<T>,
): Promise<T | undefined> {
  let looking = looks.get(path);
  if (looking === undefined) looks.set(path, looking = begin(path).finally(() => looks.delete(path)));
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<undefined>((done) => timer = setTimeout(() => done(undefined), MOST_MS));
  const found = await Promise.race([looking, late]).finally(() => clearTimeout(timer));
  if (found === undefined) log.warn("where a path leads is not known in time", { path });
  return found;
}

async function stat(path: string): Promise<Deno.FileInfo | "none" | "late"> {
  try {
    return await statFile(path);
  } catch (error) {
    if (isNotResponding(error)) return "late";
    const isNone = error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory;
    if (!isNone) log.warn("a path cannot be looked at", { path, error });
    return "none";
  }
}

/**
 * File information of a path of this host, links followed: `none` if there is no file or it may not be read,
 * `late` if the kernel does not answer in time, as behind a server that does not respond.
 */
export async function statInTime(path: string): Promise<Deno.FileInfo | "none" | "late"> {
  return await lookInTime(path, stats, stat) ?? "late";
}

/**
 * The path with every link followed, to compare it with others. It comes back as it is where nothing is there, where
 * it is none of this host's files (`pool/volume`, a path on another host), and where the kernel does not say in time.
 */
export async function resolvedPath(machine: LocalMachine | null, path: string): Promise<string> {
  if (machine === null || !path.startsWith("/")) return path;
  // What leads nowhere is compared by its text.
  return await lookInTime(path, under, look) ?? resolve(path);
}

/** So many paths of one folder are asked for one by one; of more, the folder tells which of its names are links. */
const FEW = 4;
/** Milliseconds for which the links of a folder are remembered, and for which it must not have changed before that. */
const LINKS_MS = 60_000, STILL_MS = 2000;

/** A folder, and where the links in it lead, by name. */
interface ReadFolder {
  readonly real: string;
  readonly links: ReadonlyMap<string, string>;
}
const folders = new Map<
  string,
  { readonly key: string; readonly until: number; readonly read: ReadFolder }
>();

/** Key that changes when a folder is replaced, or gets other names; undefined if unknown. */
async function folderKey(real: string): Promise<string | undefined> {
  const info = await statInTime(real), now = Date.now();
  if (typeof info === "string" || !info.isDirectory) return undefined;
  const changed = info.mtime?.getTime() ?? now;
  return now - changed < STILL_MS ? undefined : `${info.dev} ${info.ino} ${changed}`;
}

/** A folder's links; undefined where it cannot be read. */
async function readFolder(machine: LocalMachine | null, folder: string): Promise<ReadFolder | undefined> {
  const real = await resolvedPath(machine, folder), key = await folderKey(real), now = performance.now();
  const known = folders.get(folder);
  if (known !== undefined && known.key === key && known.read.real === real && now < known.until) {
    return known.read;
  }
  folders.delete(folder);
  try {
    const found = await hostFiles.readDir(plainPath(real));
    const names = found.flatMap(({ name, isSymlink }) => isSymlink ? [name] : []);
    const links = await Promise.all(
      names.map(async (name) => [name, await resolvedPath(machine, join(real, name))] as const),
    );
    const read = { real, links: new Map(links) };
    if (key !== undefined) folders.set(folder, { key, until: now + LINKS_MS, read });
    return read;
  } catch (error) {
    log.debug("the links of a folder cannot be read", { folder, error });
    return undefined;
  }
}

/** Resolved paths, folder by folder. */
class PathsRead {
  readonly #single = new Map<string, string>();
  readonly #folders = new Map<string, ReadFolder>();

  /** Looks at each folder once. @param whole folders of which any path may be asked for */
  read(machine: LocalMachine | null, paths: Iterable<string>, whole: Iterable<string>): Promise<void>[] {
    const byFolder = Map.groupBy(new Set(paths), dirname), all = new Set(whole);
    return [...new Set([...byFolder.keys(), ...all])].map(async (folder) => {
      const own = byFolder.get(folder) ?? [];
      const isMany = folder.startsWith("/") && (all.has(folder) || own.length > FEW);
      const found = isMany ? await readFolder(machine, folder) : undefined;
      if (found !== undefined) this.#folders.set(folder, found);
      const odd = found === undefined ? own : own.filter((path) => path.endsWith("/..") || !isNameable(path));
      await Promise.all(odd.map(async (path) => this.#single.set(path, await resolvedPath(machine, path))));
    });
  }

  /** Returns a function that resolves paths by the present results; any other path comes back as it is. */
  lookup(): (path: string) => string {
    const single = new Map(this.#single), folders = new Map(this.#folders);
    return (path) => {
      const known = single.get(path), slash = path.lastIndexOf("/");
      if (known !== undefined || slash < 0) return known ?? path;
      const folder = folders.get(slash === 0 ? "/" : path.slice(0, slash)), name = path.slice(slash + 1);
      if (folder === undefined) return path;
      return folder.links.get(name) ?? `${folder.real === "/" ? "" : folder.real}/${name}`;
    };
  }
}

/**
 * As {@link resolvedPath} for a great many paths: each folder is read once.
 *
 * @param whole folders of which any path may be asked for
 * @returns a function that resolves each of the paths; any other comes back as it is
 */
export async function resolvedByFolder(
  machine: LocalMachine | null,
  paths: Iterable<string>,
  whole: Iterable<string> = [],
): Promise<(path: string) => string> {
  const found = new PathsRead();
  if (machine !== null) await Promise.all(found.read(machine, paths, whole));
  return found.lookup();
}

/** The same, as far as folders answer within so many milliseconds. */
export async function resolvedWithin(
  ms: number,
  machine: LocalMachine | null,
  paths: Iterable<string>,
  whole: Iterable<string>,
): Promise<(path: string) => string> {
  const found = new PathsRead();
  if (machine === null) return found.lookup();
  const looks = found.read(machine, paths, whole).map((look) =>
    look.catch((error) => log.debug("where paths of a folder lead is not known", { error }))
  );
  await within(ms, Promise.all(looks));
  return found.lookup();
}

/** The same for many, asked at once. */
export function resolvedPaths(machine: LocalMachine | null, paths: Iterable<string>): Promise<string[]> {
  return Promise.all([...paths].map((path) => resolvedPath(machine, path)));
}
