/** Room made of what is in the bin. */
import { entryBytes, type StoredEntry } from "../../../lib/bin/entry.ts";
import { lacking, makeRoom } from "../../../lib/bin/retention.ts";
import { bin } from "../../../lib/i18n/en/bin.ts";
import { textsOf } from "../../../lib/i18n/mod.ts";
import type { PoolSpace } from "../../../lib/storage/pool_space.ts";
import { formatBytes } from "../../../lib/text/quantity.ts";
import { ContractError } from "../../../lib/contract/errors.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { isConnectionLost } from "../../libvirt/failure.ts";
import { log } from "../../log.ts";
import { spaceKnown, spaceNow } from "../pool_space.ts";
import { entriesOfPool } from "./of_pool.ts";
import { canGo, purge } from "./purge.ts";
import { isNotResponding } from "../../machine/mount_gate.ts";

const { t } = textsOf(bin);

/** In whose name things are deleted without a request. */
const ACTOR = "kvm-manager";

/** Why an entry stays until something else changes. */
const TOLD_ONCE: ReadonlySet<string> = new Set(["BinEntryInUse", "StorageUnknown"]);
/** Entries that stay for that, and why, which was told once. */
const kept = new Map<string, string>();

/** Deletes an entry for good by itself, and tells why. @returns whether it is gone */
export async function purgeItself(host: LibvirtHost, entry: StoredEntry, why: string): Promise<boolean> {
  const told = { actor: ACTOR, door: "agent", action: "prune_bin" } as const;
  const what = { what: entry.name, size: formatBytes(entryBytes(entry)) };
  try {
    await purge(host, entry, { command: "empty_bin", actor: ACTOR });
  } catch (error) {
    if (isConnectionLost(error)) throw error;
    if (isNotResponding(error)) {
      log.debug("something in the bin is deleted later", { entry: entry.name, error });
      return false;
    }
    if (error instanceof ContractError && TOLD_ONCE.has(error.code)) {
      if (kept.get(entry.id) === error.message) return false;
      kept.set(entry.id, error.message);
    }
    log.warn("something in the bin could not be deleted", { entry: entry.name, error });
    if (error instanceof ContractError && error.code === "StorageBusy") return false;
    const message = t("bin.not_pruned", {
      ...what,
      reason: error instanceof Error ? error.message : String(error),
    });
    host.record({ ...told, result: "error", message });
    return false;
  }
  host.record({ ...told, result: "event", message: t("bin.pruned", { ...what, why }) });
  return true;
}

/**
 * Makes a pool have so many bytes more free, of what is in the bin there: the oldest goes first, and nothing where all of
 * it is too little.
 *
 * @throws {LibvirtError} when libvirt is away
 */
export async function freeRoom(host: LibvirtHost, pool: string, bytes: number): Promise<void> {
  const entries: StoredEntry[] = [];
  for (const entry of await entriesOfPool(host, pool)) if (await canGo(host, entry)) entries.push(entry);
  const going = makeRoom(entries, pool, bytes);
  const sum = going.reduce(
    (total, { files }) => total + entryBytes({ files: files.filter((f) => f.pool === pool) }),
    0,
  );
  if (going.length === 0 || sum < bytes) return;
  for (const entry of going) await purgeItself(host, entry, t("bin.why_full", { pool }));
  await host.inventory.storage.refresh();
}

/**
 * Deletes the oldest entries of pools that run full, one after the other, as long as they do: what is free is asked again
 * before each, and where that is not known nothing goes.
 *
 * @throws {LibvirtError} when libvirt is away
 */
export async function keepPoolsFree(host: LibvirtHost): Promise<void> {
  const { bin } = host, { freePercent } = bin.policy;
  const lacks = (space: PoolSpace) => lacking(space, freePercent);
  if (bin.all(host.id).length === 0) return;
  for (const { name: pool } of host.inventory.storage.records()) {
    const known = spaceKnown(host, pool);
    if (known === undefined || lacks(known) === 0) continue;
    for (const tried = new Set<string>();;) {
      const space = await spaceNow(host, pool, (each) => lacks(each) === 0);
      if (space === undefined || lacks(space) === 0) break;
      const left = (await entriesOfPool(host, pool)).filter(({ id }) => !tried.has(id));
      const [oldest] = makeRoom(left, pool, lacks(space));
      if (oldest === undefined) break;
      tried.add(oldest.id);
      await purgeItself(host, oldest, t("bin.why_full", { pool }));
    }
  }
}
