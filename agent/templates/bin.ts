/** Templates into the bin, and back. */
import type { StoredEntry } from "../../lib/bin/entry.ts";
import { freeFileName, splitPath } from "../../lib/bin/place.ts";
import { ContractError, type Output } from "../../lib/contract/mod.ts";
import { isTaken } from "../machine/files.ts";
import { plainPath } from "../machine/host_file.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import type { Operation } from "../operations/operation.ts";
import { keyOf } from "../operations/operation_record.ts";
import { moveIn } from "../storage/bin/folder.ts";
import {
  bringOut,
  forgetEntry,
  isBinOn,
  newEntry,
  planKeeping,
  poolsOf,
  refreshPools,
  writeEntry,
} from "../storage/bin/keep.ts";
import { isConnectionLost } from "../libvirt/failure.ts";
import { poolNow } from "../storage/bin/of_pool.ts";
import { poolGone, restoreFault } from "../storage/bin/volume.ts";
import { requireStorageKnown } from "../storage/shared.ts";
import { labelOf, lockTemplate } from "./lock.ts";
import {
  type MadeVm,
  type StoredTemplate,
  type StoredVersion,
  type TemplateRecords,
  templateVolumes,
} from "./records.ts";
import { message } from "../../lib/i18n/message.ts";

/** The bin's data of a template in addition to its files. */
interface Kept {
  /** With the versions that were deleted alone. */
  readonly template: StoredTemplate;
  /** The VMs made of these. */
  readonly vms: readonly MadeVm[];
}

/** A template, or a version of it, on its way into the bin, as a part of an operation. */
export interface TemplateMove {
  readonly entry: StoredEntry;
  /** Writes down what is to be moved. @throws {ContractError} StoreUnavailable */
  begin(operation: Operation): Promise<void>;
  /** Moves it, once the template is off the record. @throws {Error} an error of the file system */
  move(): Promise<void>;
}

/**
 * How a template goes into the bin.
 *
 * @param versions those that go
 * @returns undefined where the bin is off, or cannot keep all of its volumes
 * @throws {LibvirtError}
 */
export async function planTemplate(
  host: LibvirtHost,
  template: StoredTemplate,
  versions: readonly StoredVersion[],
  made: readonly MadeVm[],
  actor: string,
): Promise<TemplateMove | undefined> {
  if (!isBinOn(host)) return undefined;
  const { bin, inventory } = host, id = crypto.randomUUID();
  const going = versions.flatMap(templateVolumes).map(({ pool, path }) => ({
    pool,
    path,
    role: "disk" as const,
  }));
  const { files, lost } = await planKeeping(host, id, going);
  // A template without its disks is none.
  if (lost.length > 0) return undefined;
  const isWhole = versions.length === template.versions.length;
  const vms = made.filter(({ version }) => versions.some((each) => each.version === version));
  const kept: Kept = { template: { ...template, versions }, vms };
  const entry = newEntry(host, {
    id,
    kind: "template",
    deletedBy: actor,
    files,
    lost: [],
    template: kept,
    name: isWhole ? template.name : `${template.name}, version ${versions[0]!.version}`,
  });
  return {
    entry,
    begin: async (operation) => {
      bin.require();
      operation.addAll([
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
      await writeEntry(host, entry, { ...entry, state: "kept" });
    },
    move: async () => {
      for (const file of files) await moveIn(file);
      bin.put({ ...entry, state: "kept" });
      for (const { path } of files) inventory.storage.removeAt(path);
      await refreshPools(host, poolsOf(files));
    },
  };
}

/** The template that versions come back to, or the one that comes back. @throws {ContractError} BinNameTaken */
function joined(
  { id: host }: LibvirtHost,
  records: TemplateRecords,
  { template }: Kept,
  wanted: string | undefined,
): StoredTemplate {
  const there = records.get(host, template.id);
  if (there !== undefined) {
    const versions = [...there.versions, ...template.versions].sort((a, b) => a.version - b.version);
    return { ...there, versions };
  }
  const name = wanted ?? template.name;
  const names = new Set(records.of(host).map((each) => each.name));
  if (names.has(name)) {
    const free = freeFileName(template.name, (tried) => names.has(tried));
    throw new ContractError("BinNameTaken", { what: "A template", name, free });
  }
  return { ...template, name };
}

/**
 * Brings a template back, or a version of it.
 *
 * @param wanted another name than its own
 * @throws {ContractError} those of restore_bin_entry
 */
export async function restoreTemplate(
  records: TemplateRecords,
  host: LibvirtHost,
  entry: StoredEntry,
  wanted: string | undefined,
  actor: string,
): Promise<Output<"restore_bin_entry">> {
  const { bin, operations } = host, { files } = entry;
  if (entry.found || entry.template === undefined) {
    const reason = "the database does not know what it was; its disks can be taken out of the bin by hand";
    throw new ContractError("BinRestoreFailed", { reason });
  }
  // The database is ours alone, and it was put there by `planTemplate()`.
  const kept = entry.template as Kept, { id } = kept.template;
  const keys = [keyOf.template(id), keyOf.binEntry(entry.id)];
  await operations.ready(keys);
  const before = records.get(host.id, id), { name } = joined(host, records, kept, wanted);
  // A version that is made or deleted meanwhile would be lost, or come back.
  using _alone = lockTemplate({ id, name });
  using held = new DisposableStack();
  requireStorageKnown(host);
  for (const { pool, path } of files) {
    // The record of a template names its volumes by their pool
    if (pool !== null && await poolNow(host, { pool, path }) !== pool) {
      throw poolGone(pool, splitPath(path).folder);
    }
    held.use(host.locks.take(pool ?? "", path.slice(path.lastIndexOf("/") + 1)));
    if (await isTaken(plainPath(path))) {
      throw new ContractError("BinRestoreFailed", { reason: message`${path} is taken` });
    }
  }
  const spec = { command: "restore_bin_entry", subject: labelOf(name), actor, keys } as const;
  await operations.run(spec, async (operation) => {
    operation.addAll([
      ...files.map(({ pool, path, as, file }) => ({
        kind: "file-unbinned" as const,
        pool,
        path,
        as,
        file,
      })),
      { kind: "entry-unbinned", entry: entry.id },
    ]);
    bin.put({ ...entry, state: "moving" });
    // First on record: cut short after this, its files follow.
    const after = joined(host, records, kept, wanted);
    records.put(after);
    for (const vm of kept.vms) records.putVm(vm);
    try {
      for (const { path, as, file } of files) {
        try {
          await bringOut(host, { path, as, file });
        } catch (error) {
          throw restoreFault(error, path);
        }
      }
      await refreshPools(host, poolsOf(files));
      await forgetEntry(host, entry);
    } catch (error) {
      // Where libvirt did not answer, the operation is finished once it does: the record stays for that.
      if (!isConnectionLost(error)) {
        if (before === undefined) records.remove(id);
        else records.put(before);
      }
      throw error;
    }
  });
  return { kind: "template", name: records.get(host.id, id)?.name ?? name, warnings: [] };
}
