/** Paths as the kernel sees them: two texts may name one file, by a link to it or to a folder above it. */
import { resolve } from "node:path";
import { realPathOf, statFile } from "./host_file.ts";
import { pathFault } from "./files.ts";
import { isNotResponding } from "./mount_gate.ts";
import { log } from "./log.ts";
import { isLocal } from "./libvirt/uri.ts";

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
    return resolve(path);
  }
}

/** What a look at a path gives; undefined where the kernel does not say in time. @throws what the look throws */
async function within<T>(
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
 * What the kernel says of the file that a path of this host leads to: `none` where there is none or it cannot be seen,
 * `late` where the kernel does not say in time, as behind a server that does not answer.
 */
export async function statInTime(path: string): Promise<Deno.FileInfo | "none" | "late"> {
  return await within(path, stats, stat) ?? "late";
}

/**
 * The path with every link followed, to compare it with others. It comes back as it is where nothing is there, where
 * it is none of this host's files (`pool/volume`, a path on another host), and where the kernel does not say in time.
 */
export async function resolvedPath(uri: string, path: string): Promise<string> {
  if (!isLocal(uri) || !path.startsWith("/")) return path;
  // What leads nowhere is compared by its text.
  return await within(path, under, look) ?? resolve(path);
}

/** The same for many, asked at once. */
export function resolvedPaths(uri: string, paths: Iterable<string>): Promise<string[]> {
  return Promise.all([...paths].map((path) => resolvedPath(uri, path)));
}
