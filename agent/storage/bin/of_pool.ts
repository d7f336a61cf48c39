/**
 * Finds the pool that a file in the bin belongs to: the one that has its folder now, as pools are deleted,
 * created and renamed.
 */
import type { KeptFile, StoredEntry } from "../../../lib/bin/entry.ts";
import { splitPath } from "../../../lib/bin/place.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { resolvedByFolder } from "../../machine/resolved_path.ts";
import { poolFolder } from "../reachable.ts";

/**
 * The entries of a host with files in a pool, the newest first: in the folder that it has now, for another pool may have
 * had its name, and this one another name. The files there are told as that pool's.
 */
export async function entriesOfPool(host: LibvirtHost, pool: string): Promise<StoredEntry[]> {
  const all = host.bin.all(host.id), folder = poolFolder(host, pool);
  if (folder === undefined) return all.filter(({ files }) => files.some((file) => file.pool === pool));
  const folders = all.flatMap(({ files }) => files.map(({ path }) => splitPath(path).folder));
  const at = await resolvedByFolder(host.machine, [folder, ...folders]), own = at(folder);
  const isHere = ({ path }: KeptFile) => at(splitPath(path).folder) === own;
  return all.filter(({ files }) => files.some(isHere)).map((entry) => ({
    ...entry,
    files: entry.files.map((file) => {
      if (isHere(file)) return { ...file, pool };
      return file.pool === pool ? { ...file, pool: null } : file;
    }),
  }));
}

/** An entry whose files are told as those of the pools that have their folders now, as far as memory tells. */
export const withPoolsNow = (
  { inventory: { storage } }: Pick<LibvirtHost, "inventory">,
  entry: StoredEntry,
): StoredEntry => ({
  ...entry,
  files: entry.files.map((file) =>
    file.pool === null ? file : { ...file, pool: storage.poolOf(file.path) ?? file.pool }
  ),
});

/** The pool that has the folder of a file now; null where there is none. @param file with the pool that it was in */
export async function poolNow(
  host: LibvirtHost,
  { path, pool }: Pick<KeptFile, "path" | "pool">,
): Promise<string | null> {
  const { inventory, link } = host, { folder } = splitPath(path);
  const pools = inventory.storage.records().flatMap(({ name }) => {
    const own = poolFolder(host, name);
    return own === undefined ? [] : [{ name, folder: own }];
  });
  const at = await resolvedByFolder(link.machine, [folder, ...pools.map((each) => each.folder)]);
  const here = pools.filter((each) => at(each.folder) === at(folder)).map(({ name }) => name);
  return here.find((name) => name === pool) ?? here[0] ?? null;
}
