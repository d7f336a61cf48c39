/** Paths as the kernel sees them: two texts may name one file, by a link to it or to a folder above it. */
import { resolve } from "node:path";
import { realPathOf } from "./host_file.ts";
import { pathFault } from "./files.ts";
import { log } from "./log.ts";
import { isLocal } from "./libvirt/uri.ts";

/** Milliseconds the kernel may take. A link behind a server that does not answer leads to no file that does. */
const MOST_MS = 5000;

/** Look-ups under way: one that never returns is not begun again. */
const under = new Map<string, Promise<string>>();

async function look(path: string): Promise<string> {
  try {
    return await realPathOf(path);
  } catch (error) {
    const isNone = error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory ||
      pathFault(error) !== undefined;
    if (!isNone) log.warn("where a path leads cannot be told", { path, error });
    return resolve(path);
  }
}

/** @throws nothing: what leads nowhere is compared by its text */
async function within(path: string, ms: number): Promise<string> {
  let looking = under.get(path);
  if (looking === undefined) under.set(path, looking = look(path).finally(() => under.delete(path)));
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<undefined>((done) => timer = setTimeout(() => done(undefined), ms));
  const found = await Promise.race([looking, late]).finally(() => clearTimeout(timer));
  if (found === undefined) log.warn("where a path leads is not known in time", { path });
  return found ?? resolve(path);
}

/**
 * The path with every link followed, to compare it with others. It comes back as it is where nothing is there, where
 * it is none of this host's files (`pool/volume`, a path on another host), and where the kernel does not say in time.
 */
export function resolvedPath(uri: string, path: string): Promise<string> {
  return isLocal(uri) && path.startsWith("/") ? within(path, MOST_MS) : Promise.resolve(path);
}

/** The same for many, asked at once. */
export function resolvedPaths(uri: string, paths: Iterable<string>): Promise<string[]> {
  return Promise.all([...paths].map((path) => resolvedPath(uri, path)));
}
