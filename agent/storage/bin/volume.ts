/** A volume into the bin, and back. */
import type { StoredEntry } from "../../../lib/bin/entry.ts";
import { binPath, freeFileName, joinPath, splitPath } from "../../../lib/bin/place.ts";
import { checker } from "../../../lib/typebox/compile.ts";
import { ContractError, NewVolumeName, type Output } from "../../../lib/contract/mod.ts";
import { messageOf } from "../../../lib/text/message.ts";
import { isSystemError, isTaken } from "../../machine/files.ts";
import { plainPath } from "../../machine/host_file.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import type { Operation } from "../../operations/operation.ts";
import type { Step } from "../../operations/step.ts";
import { keyOf } from "../../operations/operation_record.ts";
import { requireWritable } from "../volume_checks.ts";
import { requireActive, requireStorageKnown } from "../shared.ts";
import { isLuks } from "../passphrases.ts";
import { findVolumeNamed, type PoolVolume } from "../volumes.ts";
import { BinFolderError, moveIn } from "./folder.ts";
import { poolNow } from "./of_pool.ts";
import { bringOut, forgetEntry, isBinOn, newEntry, planKeeping, refreshPools, writeEntry } from "./keep.ts";
import { message } from "../../../lib/i18n/message.ts";

const isNewName = checker(NewVolumeName);

/** A volume that is to go into the bin, as a part of an operation. */
export interface VolumeMove {
  readonly entry: StoredEntry;
  /**
   * Writes down what is to be moved.
   *
   * @param before steps of the same operation, which are written down with it
   * @throws {ContractError} VolumeDeleteFailed, StoreUnavailable
   */
  begin(operation: Operation, before?: readonly Step[]): Promise<void>;
  /** Moves it. @throws {ContractError} VolumeDeleteFailed, StoreUnavailable @throws {LibvirtError} */
  move(): Promise<void>;
}

/**
 * How a volume goes into the bin.
 *
 * @returns undefined where the bin is off, or cannot keep it
 * @throws {LibvirtError}
 */
export async function planVolume(
  host: LibvirtHost,
  { pool, name, path }: PoolVolume,
  actor: string,
): Promise<VolumeMove | undefined> {
  const { bin, inventory } = host;
  if (!isBinOn(host)) return undefined;
  const id = crypto.randomUUID();
  const { files } = await planKeeping(host, id, [{ path, pool, role: "disk" }]);
  if (files.length === 0) return undefined;
  const entry = newEntry(host, {
    id,
    kind: "volume",
    name: `${pool}/${name}`,
    deletedBy: actor,
    files,
    lost: [],
  });
  return {
    entry,
    begin: async (operation, before = []) => {
      bin.require();
      operation.addAll([
        ...before,
        { kind: "entry-binned", entry: id },
        ...files.map(({ pool, path, as, file }) => ({
          kind: "file-binned" as const,
          entry: id,
          pool,
          path,
          as,
          file,
        })),
      ]);
      await failing(name, pool, () => writeEntry(host, entry, { ...entry, state: "kept" }));
    },
    move: async () => {
      await failing(name, pool, async () => {
        for (const file of files) await moveIn(file);
      });
      bin.put({ ...entry, state: "kept" });
      inventory.storage.remove(pool, name);
      await refreshPools(host, [pool]);
    },
  };
}

/**
 * Moves an unused volume that the caller holds into the bin.
 *
 * @returns undefined where the bin is off, or cannot keep it
 * @throws {ContractError} VolumeDeleteFailed, StoreUnavailable @throws {LibvirtError}
 */
export async function binVolume(
  host: LibvirtHost,
  volume: PoolVolume,
  actor: string,
): Promise<StoredEntry | undefined> {
  const move = await planVolume(host, volume, actor);
  if (move === undefined) return undefined;
  const { entry } = move, keys = [keyOf.volume(volume.pool, volume.name), keyOf.binEntry(entry.id)];
  const spec = { command: "delete_volume", subject: entry.name, actor, keys } as const;
  await host.operations.run(spec, async (operation) => {
    await move.begin(operation);
    await move.move();
  });
  return entry;
}

/** Turns errors of the file system into errors of the contract. */
async function failing(name: string, pool: string, run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    if (!isSystemError(error) && !(error instanceof BinFolderError)) throw error;
    const why = `it cannot be moved into the bin: ${messageOf(error)}. Delete it permanently instead`;
    throw new ContractError("VolumeDeleteFailed", { name, pool, error: why }, { cause: error });
  }
}

/**
 * The volume that an entry keeps: the pool of its folder now, its name, and its file.
 *
 * @throws {ContractError} BinRestoreFailed, StorageUnknown
 */
async function volumeIn(host: LibvirtHost, { files: [file], name: label }: StoredEntry) {
  if (file === undefined || file.pool === null) {
    throw new ContractError("BinRestoreFailed", { reason: message`nothing is kept of ${label}` });
  }
  requireStorageKnown(host);
  const pool = await poolNow(host, file), { folder, name } = splitPath(file.path);
  if (pool === null) throw poolGone(file.pool, folder);
  return { file, pool, folder, name };
}

/** That no pool has the folder any more that something comes back to. */
export function poolGone(pool: string, folder: string): ContractError {
  const reason =
    `the storage pool ${pool} does not have the folder ${folder} any more. Create a storage pool ` +
    "that has it, then restore this";
  return new ContractError("BinRestoreFailed", { reason });
}

/**
 * Brings a volume back into its pool.
 *
 * @param wanted another name than its own
 * @throws {ContractError} those of restore_bin_entry
 */
export async function restoreVolume(
  host: LibvirtHost,
  entry: StoredEntry,
  wanted: string | undefined,
  actor: string,
): Promise<Output<"restore_bin_entry">> {
  const { bin, link, operations, inventory } = host;
  const { file, pool, folder, name: own } = await volumeIn(host, entry);
  const name = wanted ?? own;
  if (name !== own && !isNewName(name)) {
    throw new ContractError("InvalidInput", {
      reason: message`${name} is no name for a volume`,
      field: "name",
    });
  }
  requireActive(host, pool);
  await requireWritable(host, pool);
  using _taken = host.locks.take(pool, name);
  const path = joinPath(folder, name);
  if (
    name !== own && await link.call("secretOfVolume", { path: file.path }) !== null &&
    (host.machine === null || await isLuks(host.machine, binPath(file)) !== false)
  ) {
    const reason = `it is encrypted, and its passphrase belongs to the name ${own}`;
    throw new ContractError("BinRestoreFailed", { reason });
  }
  const there = new Set((await inventory.storage.volumes(pool)).map((each) => each.name));
  if (there.has(name) || await isTaken(plainPath(path))) {
    const free = freeFileName(own, (tried) => there.has(tried));
    throw new ContractError("BinNameTaken", { what: message`A volume of the pool ${pool}`, name, free });
  }
  const keys = [keyOf.volume(pool, name), keyOf.binEntry(entry.id)];
  const spec = { command: "restore_bin_entry", subject: `${pool}/${name}`, actor, keys } as const;
  await operations.ready(keys);
  await operations.run(spec, async (operation) => {
    const move = { path, as: file.as, file: file.file };
    operation.addAll([
      { kind: "file-unbinned", pool, ...move },
      { kind: "entry-unbinned", entry: entry.id },
    ]);
    bin.put({ ...entry, state: "moving" });
    try {
      await bringOut(host, move);
    } catch (error) {
      throw restoreFault(error, path);
    }
    await refreshPools(host, [pool]);
    await forgetEntry(host, entry);
  });
  const volume = await findVolumeNamed(link, pool, name);
  if (volume !== undefined) inventory.storage.put(volume);
  return { kind: "volume", name: `${pool}/${name}`, warnings: [] };
}

/** Why a file did not come out, as an error of the contract. */
export function restoreFault(error: unknown, path: string): unknown {
  if (error instanceof BinFolderError || error instanceof Deno.errors.AlreadyExists) {
    const reason = `${path}: ${messageOf(error)}`;
    return new ContractError("BinRestoreFailed", { reason }, { cause: error });
  }
  return error;
}
