/** Volumes that are built on others, in every pool that can be read. */
import { LibvirtError, VIR_ERR } from "../../ffi/error.ts";
import type { Host } from "../hosts/host.ts";
import { log } from "../log.ts";
import { resolvedByFolder, resolvedPath } from "../resolved_path.ts";
import { isActivePool } from "./shared.ts";
import type { Volume } from "./volumes.ts";

/**
 * Reads the volumes of pools that nobody has looked at yet: they would look like none.
 *
 * @param names all of them when left out; one that is gone or stopped has none @throws {LibvirtError}
 */
export async function readPools({ inventory: { storage } }: Host, names?: Iterable<string>): Promise<void> {
  const wanted = names && new Set(names);
  for (const record of storage.records()) {
    if (!isActivePool(record) || !(wanted?.has(record.name) ?? true)) continue;
    await storage.volumes(record.name).catch((error) => {
      if (!(error instanceof LibvirtError) || error.code !== VIR_ERR.NO_STORAGE_POOL) throw error;
    });
  }
}

/**
 * What tells which volume is built on what is at a path, as the pools tell it.
 *
 * @param own paths of volumes that do not count
 */
export async function overlays(
  { inventory, link: { uri } }: Host,
  own: ReadonlySet<string> = new Set(),
): Promise<(path: string) => Promise<Volume | undefined>> {
  const all = inventory.storage.known().filter(({ backing }) => backing !== undefined);
  const at = await resolvedByFolder(uri, [
    ...own,
    ...all.flatMap(({ path, backing }) => [path, backing!.path]),
  ]);
  const byBase = new Map<string, Volume>(), left = new Set([...own].map(at));
  for (const volume of all) if (!left.has(at(volume.path))) byBase.set(at(volume.backing!.path), volume);
  return async (path) => byBase.get(await resolvedPath(uri, path));
}

/**
 * Reads the pools that can be read now: those there are, and what is built on a volume in any of them.
 *
 * @returns the active pools of which nothing is known: what is in them was never read
 */
export async function readKnownPools(host: Host): Promise<string[]> {
  await host.inventory.storage.refresh().catch((error) =>
    log.debug("the storage pools cannot be read now", { error })
  );
  for (const { name } of host.inventory.storage.records().filter(isActivePool)) {
    await readPools(host, [name]).catch((error) =>
      log.debug("what is in a storage pool is not known", { pool: name, error })
    );
  }
  const { storage } = host.inventory;
  return storage.records().filter(isActivePool).map(({ name }) => name).filter((name) =>
    storage.peek(name) === undefined
  );
}
