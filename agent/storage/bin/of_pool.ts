/** What of a pool is in the bin. */
import type { StoredEntry } from "../../../lib/bin/entry.ts";
import { splitPath } from "../../../lib/bin/place.ts";
import type { Host } from "../../hosts/host.ts";
import { resolvedByFolder } from "../../resolved_path.ts";
import { poolFolder } from "../reachable.ts";

/**
 * The entries of a host with files in a pool, the newest first: in the folder that it has now, for another pool may have
 * had its name.
 */
export async function entriesOfPool(host: Host, pool: string): Promise<StoredEntry[]> {
  const named = host.app.bin.all(host.id).filter(({ files }) => files.some((file) => file.pool === pool));
  const folder = poolFolder(host, pool);
  if (folder === undefined || named.length === 0) return named;
  const folders = named.flatMap(({ files }) => files.map(({ path }) => splitPath(path).folder));
  const at = await resolvedByFolder(host.link.uri, [folder, ...folders]), own = at(folder);
  return named.filter(({ files }) =>
    files.some((file) => file.pool === pool && at(splitPath(file.path).folder) === own)
  );
}
