/** Things in the bin that go for good. */
import { LibvirtError } from "../../../ffi/error.ts";
import { messageOf } from "../../../lib/text/message.ts";
import type { StoredEntry } from "../../../lib/bin/entry.ts";
import { ContractError } from "../../../lib/contract/errors.ts";
import { isSystemError, isTaken } from "../../files.ts";
import { plainPath } from "../../host_file.ts";
import type { Host } from "../../hosts/host.ts";
import { isAway, isUnsupported } from "../../libvirt/failure.ts";
import { isLocal } from "../../libvirt/uri.ts";
import { log } from "../../log.ts";
import { keyOf } from "../../operations/step.ts";
import { isHeld, lockVolume, NO_POOL } from "../shared.ts";
import { BinFolderError, removeKept } from "./folder.ts";
import { forgetEntry, poolsOf, refreshPools } from "./keep.ts";

const lockName = ({ id, name }: StoredEntry) => `${name} in the bin, ${id}`;

/** Keeps others from an entry until disposed of. @throws {ContractError} StorageBusy */
export const lockEntry = (entry: StoredEntry): Disposable => lockVolume(NO_POOL, lockName(entry));

/** Whether somebody works on an entry. */
export const isLocked = (entry: StoredEntry): boolean => isHeld(NO_POOL, lockName(entry));

/** Forgets the passphrase of a volume that is gone, unless another volume has its path by now. @throws {LibvirtError} */
async function forgetSecret({ link }: Host, path: string): Promise<void> {
  if (!isLocal(link.uri) || await isTaken(plainPath(path))) return;
  try {
    await link.call("secretForget", { path });
  } catch (error) {
    if (isAway(error)) throw error;
    if (isUnsupported(error)) return;
    log.error("the passphrase of a volume that left the bin could not be removed", { path, error });
  }
}

/** Removes the files of an entry, and then the entry. Does the rest where a part was done before. */
export async function purgeNow(host: Host, entry: StoredEntry): Promise<void> {
  for (const file of entry.files) {
    await removeKept(file);
    if (file.role === "disk") await forgetSecret(host, file.path);
  }
  await forgetEntry(host, entry);
  await refreshPools(host, poolsOf(entry.files));
}

/**
 * Deletes an entry for good, as an operation: cut short, it is finished later.
 *
 * @throws {ContractError} BinDeleteFailed, StorageBusy, StoreUnavailable
 */
export async function purge(
  host: Host,
  entry: StoredEntry,
  { command, actor }: { readonly command: "delete_bin_entry" | "empty_bin"; readonly actor: string },
): Promise<void> {
  const { app, operations } = host;
  using _alone = lockEntry(entry);
  const keys = [keyOf.binEntry(entry.id)];
  await operations.ready(keys);
  const there = app.bin.get(entry.id);
  if (there === undefined) return; // somebody else was quicker
  if (there.state === "moving") throw new ContractError("StorageBusy", { what: there.name });
  await operations.run({ command, subject: entry.name, actor, keys }, async (operation) => {
    operation.add({ kind: "bin-doomed", entry: entry.id });
    try {
      await purgeNow(host, there);
    } catch (error) {
      const isAnswer = isSystemError(error) || error instanceof BinFolderError ||
        error instanceof LibvirtError;
      if (isAway(error) || !isAnswer) throw error;
      const [path = entry.name] = there.files.map((file) => file.path);
      throw new ContractError("BinDeleteFailed", { path, error: messageOf(error) }, { cause: error });
    }
  });
}
