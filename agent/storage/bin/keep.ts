/** Decides which files of a deletion the bin can keep, and moves them. */
import { BIN_FOLDER, isInBin, keptName, noteName, splitPath } from "../../../lib/bin/place.ts";
import type { FileRole, KeptFile, StoredEntry } from "../../../lib/bin/entry.ts";
import { writeNote } from "../../../lib/bin/note.ts";
import { DAY_MS } from "../../../lib/duration.ts";
import type { BinKind, BinReceipt } from "../../../lib/contract/bin.ts";
import { describePool } from "../../../lib/formats/xml/pool.ts";
import { messageOf } from "../../../lib/text/message.ts";
import { pathFault } from "../../machine/files.ts";
import { isNameable } from "../../machine/host_file.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { failureKind, isConnectionLost } from "../../libvirt/failure.ts";
import { log } from "../../log.ts";
import { isNotResponding } from "../../machine/mount_gate.ts";
import { backingChain } from "../disk_images/backing.ts";
import { isReadOnlyHere } from "../mounts.ts";
import { keepsFiles } from "../volumes.ts";
import { binFault, findKeepable, isKept, type Move, moveOut, putNote, removeNote } from "./folder.ts";
import { requirePoolReachable } from "../reachable.ts";

/** A file that goes, as far as it is known before. */
export interface BinCandidate {
  readonly path: string;
  /** The pool it is a volume of. */
  readonly pool: string | null;
  readonly role: FileRole;
}

/** The files that are kept, and the reason for each that is not. */
export interface KeepResult {
  readonly files: KeptFile[];
  readonly lost: readonly { readonly path: string; readonly reason: string }[];
}

/** Whether what is deleted on a host goes into the bin. */
export const isBinOn = ({ bin }: LibvirtHost): boolean => bin.policy.days > 0;

/** Why the bin cannot keep a file; undefined where it can. @throws {LibvirtError} */
export async function unkeepable(
  host: LibvirtHost,
  { path, pool }: Omit<BinCandidate, "role">,
): Promise<string | undefined> {
  const { link } = host;
  if (link.machine === null) return "KVM Manager has no access to the files of its host";
  if (pool !== null && !await keepsFiles(link, pool)) return "its storage pool keeps no files";
  if (!isNameable(path)) return "its name is no UTF-8";
  if (isInBin(path)) return "it is in the bin already";
  try {
    const found = await findKeepable(path);
    if (found === undefined) return "it is not a regular file";
    const { folder } = splitPath(path);
    if (await isReadOnlyHere(folder)) {
      return "KVM Manager may not write there. ReadWritePaths= of its unit allows it, see docs/bin.md";
    }
    return await binFault(folder);
  } catch (error) {
    // Nothing is known of it: it is not given up for that.
    if (isNotResponding(error)) throw error;
    return pathFault(error) ?? messageOf(error);
  }
}

/** The images that one is built on; none where that cannot be read: it is moved all the same. */
async function chainOf({ path, role }: BinCandidate): Promise<string[]> {
  if (role !== "disk") return [];
  try {
    return await backingChain(path);
  } catch (error) {
    log.warn("what an image in the bin is built on cannot be read", { path, error });
    return [];
  }
}

/** Decides which of these files the bin keeps under an entry's id. @throws {LibvirtError} */
export async function planKeeping(
  host: LibvirtHost,
  entryId: string,
  going: readonly BinCandidate[],
): Promise<KeepResult> {
  const files: KeptFile[] = [], lost: { path: string; reason: string }[] = [];
  for (const each of going) {
    const reason = await unkeepable(host, each);
    const found = reason === undefined ? await findKeepable(each.path) : undefined;
    if (found === undefined) {
      lost.push({ path: each.path, reason: reason ?? "it is not there" });
      continue;
    }
    const as = keptName(entryId, files.length);
    const format = each.role === "disk" ? await host.formats.formatAt(each.path) : undefined;
    files.push({
      ...each,
      as,
      file: found.file,
      bytes: found.bytes,
      backing: await chainOf(each),
      ...(format !== undefined && { format }),
    });
  }
  return { files, lost };
}

/** Fields of a new entry. */
export interface NewEntry extends
  Pick<
    StoredEntry,
    "id" | "kind" | "name" | "deletedBy" | "files" | "lost" | "vmId" | "group" | "definition" | "template"
  > {
  readonly kind: BinKind;
}

/** An entry on its way in. */
export function newEntry({ id: host, clock, bin }: LibvirtHost, made: NewEntry): StoredEntry {
  const now = clock.now();
  return {
    ...made,
    host,
    deletedAt: now,
    until: now + bin.policy.days * DAY_MS,
    found: false,
    state: "moving",
  };
}

/** The receipt that the caller who deleted it gets. */
export const receiptOf = ({ id, until, files }: StoredEntry): BinReceipt => ({
  entryId: id,
  until,
  paths: files.filter(({ role }) => role === "disk").map(({ path }) => path),
});

/** The folders that an entry has files in. */
export const foldersOf = ({ files }: Pick<StoredEntry, "files">): string[] => [
  ...new Set(files.map(({ path }) => splitPath(path).folder)),
];

/** Writes an entry down, in the database and next to its files. @throws {ContractError} StoreUnavailable */
export async function writeEntry({ bin }: LibvirtHost, entry: StoredEntry, open: StoredEntry): Promise<void> {
  bin.put(entry);
  const note = writeNote(open);
  for (const folder of foldersOf(entry)) await putNote(folder, noteName(entry.id), note);
}

/** Forgets an entry whose files are no longer in the bin. @throws {ContractError} StoreUnavailable */
export async function forgetEntry({ bin }: LibvirtHost, entry: StoredEntry): Promise<void> {
  for (const folder of foldersOf(entry)) {
    try {
      await removeNote(folder, noteName(entry.id));
    } catch (error) {
      // A note without files describes nothing.
      log.debug("a note of the bin could not be removed", { folder, bin: BIN_FOLDER, error });
    }
  }
  bin.remove(entry.id);
}

/** Forgets an entry that was taken back; one of which a file could not be put back stays, and can be restored. */
export async function forgetUnlessKept(host: LibvirtHost, entry: StoredEntry): Promise<void> {
  for (const file of entry.files) {
    if (await isKept(file)) return host.bin.put({ ...entry, state: "kept" });
  }
  await forgetEntry(host, entry);
}

/**
 * Moves a file out of the bin, which knows in which format VMs had it, be it under another name by now.
 *
 * @returns as {@link moveOut} @throws as {@link moveOut}
 */
export async function bringOut(host: LibvirtHost, move: Move): Promise<boolean> {
  const isMoved = await moveOut(move);
  const entry = host.bin.all(host.id).find(({ files }) => files.some(({ as }) => as === move.as));
  const format = entry?.files.find(({ as }) => as === move.as)?.format;
  // Whoever wrote a note next to files has no say in what is followed as qcow2
  if (format === "raw" || (format !== undefined && !entry?.found)) await host.formats.set(move.path, format);
  return isMoved;
}

/** The pools that files are in. */
export const poolsOf = (files: readonly Pick<KeptFile, "pool">[]): string[] => [
  ...new Set(files.flatMap(({ pool }) => pool ?? [])),
];

/**
 * Has libvirt see what was moved in its pools. What cannot be looked at just now is looked at later: a pool in which
 * something is made is not read again before that is over.
 *
 * @throws {LibvirtError} when libvirt is away
 */
export async function refreshPools(
  host: LibvirtHost,
  pools: readonly string[],
): Promise<void> {
  const { link, bin, id } = host;
  for (const pool of pools) {
    try {
      await requirePoolReachable(host, pool);
      await link.call("poolRefresh", { pool });
      bin.stale.delete(`${id} ${pool}`);
    } catch (error) {
      if (isConnectionLost(error)) throw error;
      if (failureKind(error) === undefined && !isNotResponding(error)) throw error;
      log.debug("a storage pool is read again later", { pool, error });
      bin.stale.add(`${id} ${pool}`);
    }
  }
}

/** The pool whose folder a path is in, as far as the pools are known. */
export function poolAround({ inventory }: LibvirtHost, path: string): string | null {
  const { folder } = splitPath(path);
  return inventory.storage.records().find(({ xml }) => describePool(xml).path === folder)?.name ?? null;
}
