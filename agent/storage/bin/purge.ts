/** Things in the bin that go for good. */
import type { VmReference } from "../../../lib/i18n/message.ts";
import { LibvirtError } from "../../../ffi/error.ts";
import { messageOf } from "../../../lib/text/message.ts";
import type { StoredEntry } from "../../../lib/bin/entry.ts";
import { binPath } from "../../../lib/bin/place.ts";
import { ContractError } from "../../../lib/contract/errors.ts";
import { isSystemError, undefinedIfMissing } from "../../machine/files.ts";
import { plainPath } from "../../machine/host_file.ts";
import { hostFiles } from "../../machine/host_files.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { isConnectionLost } from "../../libvirt/failure.ts";
import { log } from "../../log.ts";
import { keyOf } from "../../operations/operation_record.ts";
import { LOCKS_HERE, NO_POOL } from "../locks.ts";
import { BinFolderError, removeKept } from "./folder.ts";
import { forgetEntry, poolsOf, refreshPools } from "./keep.ts";
import { whyUnremovable } from "../removable.ts";
import { exactUsers } from "../exact_users.ts";
import { forgetPassphrase, isLuks } from "../passphrases.ts";

const lockName = ({ id, name }: StoredEntry) => `${name} in the bin, ${id}`;

/** Keeps others from an entry until disposed of. @throws {ContractError} StorageBusy */
export const lockEntry = (entry: StoredEntry): Disposable => LOCKS_HERE.take(NO_POOL, lockName(entry));

/** Whether somebody works on an entry. */
export const isLocked = (entry: StoredEntry): boolean => LOCKS_HERE.isHeld(NO_POOL, lockName(entry));

/** Milliseconds for which an answer on who uses what counts: a bin that is emptied asks for many things at once. */
const USERS_MS = 3000;
const users = new WeakMap<
  LibvirtHost,
  { readonly at: number; readonly read: ReturnType<typeof exactUsers> }
>();

/** Users of all files at this moment, cached for {@link USERS_MS}. */
async function usersNow(host: LibvirtHost): ReturnType<typeof exactUsers> {
  const known = users.get(host);
  if (known !== undefined && performance.now() - known.at < USERS_MS) return await known.read;
  const read = exactUsers(host);
  // It counts from its end: a host with many VMs takes longer than that for it
  users.set(host, { at: Infinity, read });
  try {
    const found = await read;
    users.set(host, { at: performance.now(), read });
    return found;
  } catch (error) {
    users.delete(host);
    throw error;
  }
}

/** Whether QEMU has an image open. */
async function isOpen(path: string): Promise<boolean> {
  // Not `using`: the bundler takes out what is read once, and then nothing is closed.
  const lock = await hostFiles.lockImage(path);
  try {
    return lock.state === "open";
  } finally {
    lock[Symbol.dispose]();
  }
}

/**
 * Refuses to remove for good what is used all the same: by a VM that names it where it was and nothing else is since, or
 * that has it where it is now, or has it open. All is looked at before anything goes.
 *
 * @throws {ContractError} BinEntryInUse, StorageUnknown
 */
export async function refuseUsedEntry(host: LibvirtHost, { id, name, files }: StoredEntry): Promise<void> {
  if (host.machine === null || files.length === 0) return;
  const useOf = await usersNow(host);
  for (const file of files) {
    const { path } = file,
      info = await undefinedIfMissing(host.machine.files.lstat(plainPath(binPath(file))));
    if (info === undefined) continue; // removed already, or by somebody else
    const type = info.isDirectory ? "dir" : "file";
    const refuse = (vm: VmReference | string, where: string) =>
      new ContractError("BinEntryInUse", { name, vm, path: where });
    // A VM of the same name makes its variables and its TPM's state again where there are none.
    const then = file.role !== "disk" || await host.machine.files.isTaken(plainPath(path))
      ? undefined
      : await useOf({ pool: file.pool ?? "", name: path, path, type }, id);
    if (then !== undefined) throw refuse(then.user, then.what);
    const now = await useOf({ pool: "", name: path, path: binPath(file), type }, id);
    if (now !== undefined) throw refuse(now.user, now.what);
    if (info.isFile && await isOpen(binPath(file))) throw refuse("a program that has it open", path);
  }
}

/** Whether an entry can go for good, as far as that is known before: it is neither used nor kept by its folder. */
export async function canGo(host: LibvirtHost, entry: StoredEntry): Promise<boolean> {
  try {
    await refuseUsedEntry(host, entry);
    await requireRemovable(host, entry);
    return true;
  } catch (error) {
    if (!(error instanceof ContractError) || isConnectionLost(error.cause)) throw error;
    log.debug("something in the bin stays", { entry: entry.name, error });
    return false;
  }
}

/** Looks at all files of an entry before the first of them goes. @throws {ContractError} BinDeleteFailed, StorageUnknown */
async function requireRemovable({ link }: LibvirtHost, { files }: StoredEntry): Promise<void> {
  if (link.machine === null) return;
  for (const file of files) {
    const error = await whyUnremovable(link.machine, binPath(file), true);
    if (error !== undefined) throw new ContractError("BinDeleteFailed", { path: file.path, error });
  }
}

/** Removes the files of an entry, and then the entry. Does the rest where a part was done before. */
export async function purgeNow(host: LibvirtHost, entry: StoredEntry): Promise<void> {
  const { machine } = host;
  for (const file of entry.files) {
    // Of one that was removed before a cut nothing tells: then it is asked who needs the passphrase
    const place = binPath(file);
    const isPlain = machine !== null && await machine.files.isTaken(plainPath(place)) &&
      await isLuks(machine, place) === false;
    await removeKept(file);
    if (file.role === "disk" && !isPlain) await forgetPassphrase(host, file.path, entry.id);
  }
  await forgetEntry(host, entry);
  await refreshPools(host, poolsOf(entry.files));
}

/**
 * Deletes an entry for good, as an operation: cut short, it is finished later.
 *
 * @throws {ContractError} BinDeleteFailed, BinEntryInUse, StorageBusy, StorageUnknown, StoreUnavailable
 */
export async function purge(
  host: LibvirtHost,
  entry: StoredEntry,
  { command, actor }: { readonly command: "delete_bin_entry" | "empty_bin"; readonly actor: string },
): Promise<void> {
  const { bin, operations } = host;
  using _alone = lockEntry(entry);
  const keys = [keyOf.binEntry(entry.id)];
  await operations.ready(keys);
  const there = bin.get(entry.id);
  if (there === undefined) return; // somebody else was quicker
  if (there.state === "moving") throw new ContractError("StorageBusy", { what: there.name });
  await refuseUsedEntry(host, there);
  await requireRemovable(host, there);
  await operations.run({ command, subject: entry.name, actor, keys }, async (operation) => {
    operation.add({ kind: "bin-doomed", entry: entry.id });
    try {
      await purgeNow(host, there);
    } catch (error) {
      const isAnswer = isSystemError(error) || error instanceof BinFolderError ||
        error instanceof LibvirtError;
      if (isConnectionLost(error) || !isAnswer) throw error;
      const [path = entry.name] = there.files.map((file) => file.path);
      throw new ContractError("BinDeleteFailed", { path, error: messageOf(error) }, { cause: error });
    }
  });
}
