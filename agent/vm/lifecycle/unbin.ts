/** A VM out of the bin: whole, under its own name or another one. */
import { message, type Sentence, type Unrendered, vmName } from "../../../lib/i18n/message.ts";
import { confineDefinition, confineFiles } from "../../../lib/backup/confine.ts";
import { restoreDefinition } from "../../../lib/bin/definition.ts";
import type { KeptFile, StoredEntry } from "../../../lib/bin/entry.ts";
import { freeFileName, joinPath, splitPath } from "../../../lib/bin/place.ts";
import { ContractError, type Output } from "../../../lib/contract/mod.ts";
import { ownPath } from "../../../lib/formats/xml/host_identities.ts";
import { summarizeDomain } from "../../../lib/formats/xml/domain.ts";
import { XmlDocument } from "../../../lib/formats/xml/edit.ts";
import { identityOf } from "../../../lib/formats/xml/identity.ts";
import { hasUsualNvram, usualNvram } from "../../../lib/formats/xml/nvram.ts";
import { isTaken } from "../../machine/files.ts";
import { plainPath } from "../../machine/host_file.ts";
import { hostFiles } from "../../machine/host_files.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { contractError } from "../../libvirt/failure.ts";
import { log } from "../../log.ts";
import type { VmUnbinned } from "../../operations/bin_steps.ts";
import { keyOf } from "../../operations/operation_record.ts";
import { bringOut, forgetEntry, poolsOf, refreshPools } from "../../storage/bin/keep.ts";
import { poolNow } from "../../storage/bin/of_pool.ts";
import { planRebases, rebase } from "../../storage/bin/rebase.ts";
import { poolGone, restoreFault } from "../../storage/bin/volume.ts";
import { imageConflicts } from "../../storage/image_conflicts.ts";
import { NO_POOL } from "../../storage/locks.ts";
import { requireStorageKnown } from "../../storage/shared.ts";
import { recordSnapshots } from "./bin.ts";
import { macOwner } from "../mac_owner.ts";
import { leftByName } from "./named_files.ts";
import { requireFreeVmName } from "./rename.ts";
import { restoredWarnings } from "./restored_warnings.ts";
import { defineAgain } from "./undefine.ts";
import { withSaved } from "../../storage/saved_devices.ts";

/** A file, and where it goes. */
interface Placed extends KeptFile {
  readonly to: string;
}

/** The definition that an entry keeps. One that was found next to its files stays within its VM. */
function documentOf(entry: StoredEntry, warnings: Sentence[]): XmlDocument {
  if (entry.definition === undefined) {
    throw new ContractError("BinRestoreFailed", { reason: message`no definition of ${entry.name} is kept` });
  }
  const document = new XmlDocument(entry.definition.xml);
  if (entry.found) {
    warnings.push(
      ...confineDefinition(document, undefined),
      ...confineFiles(document, new Set(entry.files.map(({ path }) => path))),
      "Passwords of its screens were not kept.",
    );
  }
  return document;
}

/** @throws {ContractError} InvalidName, BinNameTaken */
function requireName(host: LibvirtHost, name: string): void {
  try {
    requireFreeVmName(host, name);
  } catch (error) {
    if (!(error instanceof ContractError) || error.code !== "VmNameExists") throw error;
    const free = freeFileName(name, (tried) => host.inventory.vmByName(tried) !== undefined);
    throw new ContractError("BinNameTaken", { what: "A VM", name, free }, { cause: error });
  }
}

/** Decides each file's path: the former one, or one next to it for a new name. @throws {ContractError} BinNameTaken */
async function place(
  host: LibvirtHost,
  { files, name: before, vmId }: StoredEntry,
  document: XmlDocument,
  { name, uuid, isRenamed }: { readonly name: string; readonly uuid: string; readonly isRenamed: boolean },
): Promise<Placed[]> {
  const placed: Placed[] = [], own = new Set(files.map(({ path }) => path));
  const isClaimed = (to: string, path: string) =>
    (to !== path && own.has(to)) || placed.some((each) => each.to === to);
  const left = await leftByName(host, name);
  if (left.memory !== undefined) throw left.memory;
  const brings = files.some(({ role }) => role === "nvram");
  if (left.nvram !== undefined && hasUsualNvram(document) && !brings) throw left.nvram;
  for (const file of files) {
    const { folder, name: last } = splitPath(file.path);
    let to = file.path;
    if (file.role === "tpm" && uuid !== vmId) to = joinPath(folder, uuid);
    if (file.role === "nvram" && hasUsualNvram(document)) to = usualNvram(name);
    if (await isTaken(plainPath(to))) {
      if (!isRenamed) {
        const free = freeFileName(before, (tried) => host.inventory.vmByName(tried) !== undefined);
        throw new ContractError("BinNameTaken", { what: "A file", name: to, free });
      }
      to = ownPath(file.path, before, name);
      if (isClaimed(to, file.path) || await isTaken(plainPath(to))) {
        const taken = new Set<string>();
        for (const entry of await hostFiles.readDir(plainPath(folder))) taken.add(entry.name);
        const isFree = (tried: string) => !taken.has(tried) && !isClaimed(joinPath(folder, tried), file.path);
        to = joinPath(folder, freeFileName(last, (tried) => !isFree(tried)));
      }
    }
    placed.push({ ...file, pool: await poolNow(host, file), to });
  }
  return placed;
}

/** Refuses volumes whose pool has another folder by now: the VM would not have its own. @throws {ContractError} BinRestoreFailed */
function requirePoolsSame(document: XmlDocument, { files }: StoredEntry, placed: readonly Placed[]): void {
  const named = new Set(
    summarizeDomain(document.toString()).disks.flatMap(({ type, source }) =>
      type === "volume" ? [source] : []
    ),
  );
  for (const [index, { pool, path }] of files.entries()) {
    const { folder, name } = splitPath(path);
    if (pool === null || !named.has(`${pool}/${name}`)) continue;
    if (placed[index]!.pool !== pool) throw poolGone(pool, folder);
  }
}

/**
 * Refuses to give a VM back disks that were left where they are and another VM has by now. What is built on them is safe: such
 * a VM does not start.
 *
 * @throws {ContractError} BinRestoreFailed
 */
async function requireDisksFree(
  host: LibvirtHost,
  { vmId = "", files }: StoredEntry,
  document: XmlDocument,
): Promise<void> {
  const own = new Set(files.map(({ path }) => path));
  const disks = summarizeDomain(document.toString()).disks.filter(({ source }) => !own.has(source ?? ""));
  const conflict = (await imageConflicts(host, { id: vmId, disks })).find(({ isBase }) => !isBase);
  if (conflict === undefined) return;
  const { path, user: { name } } = conflict;
  const reason =
    `${name} has its disk ${path} by now. Take it from that VM first, or have the VM work on a copy`;
  throw new ContractError("BinRestoreFailed", { reason });
}

/** The XML that a step defines. */
export function definitionFor(entry: StoredEntry, step: Omit<VmUnbinned, "kind" | "entry">): string {
  const document = documentOf(entry, []);
  restoreDefinition(document, step, entry.files);
  return document.toString();
}

/**
 * Brings a VM back.
 *
 * @param wanted another name than its own
 * @throws {ContractError} those of restore_bin_entry
 */
export async function restoreBinnedVm(
  host: LibvirtHost,
  entry: StoredEntry,
  wanted: string | undefined,
  actor: string,
): Promise<Unrendered<Output<"restore_bin_entry">>> {
  const { bin, link, operations, inventory } = host;
  host.requireFilled();
  const admissions = host.requireAdmissions();
  requireStorageKnown(host);
  const warnings: Sentence[] = [];
  const document = documentOf(entry, warnings);
  const name = wanted ?? entry.name, isRenamed = name !== entry.name;
  const own = entry.vmId!, same = host.vmAnywhere(own);
  const uuid = same === undefined ? own : crypto.randomUUID();
  const keys = [keyOf.vm(uuid), keyOf.vmName(name), keyOf.binEntry(entry.id)];
  await operations.ready(keys);
  requireName(host, name);
  if (same !== undefined && !isRenamed) throw new ContractError("VmIdTaken", { id: own, name: vmName(same) });
  const mac = macOwner(await withSaved(host, inventory.vms()), identityOf(document).macs);
  if (mac !== undefined && !isRenamed) throw new ContractError("MacInUse", mac);
  if (same !== undefined) warnings.push(message`It has a new UUID: ${vmName(same)} has the one it had.`);
  if (mac !== undefined) warnings.push(message`It has new MAC addresses: ${mac.vm} has ${mac.mac}.`);
  await requireDisksFree(host, entry, document);
  const placed = await place(host, entry, document, { name, uuid, isRenamed });
  requirePoolsSame(document, entry, placed);
  const rebased = await planRebases(host, placed);
  const moved = placed.filter(({ path, to }) => path !== to).map(({ path, to }) => [path, to] as const);
  const step = { uuid, name, newMacs: mac !== undefined, moved, rebased };
  using held = new DisposableStack();
  for (const { pool, to } of placed) {
    held.use(host.locks.take(pool ?? NO_POOL, pool === null ? to : splitPath(to).name));
  }
  const { autostart, snapshots } = entry.definition!;
  const { cpuCount: cpus, maxMemoryMb: memoryMb } = summarizeDomain(document.toString());
  using admission = admissions.admit(
    { vmId: uuid, name, project: host.projects.projectOf(own) },
    { cpus, memoryMb, diskGb: host.projects.lastSize(own)?.diskGb ?? 0 },
  );
  const spec = { command: "restore_bin_entry", subject: name, vmId: uuid, actor, keys } as const;
  await operations.run(spec, async (operation) => {
    operation.addAll([
      ...placed.map(({ pool, to: path, as, file }) => ({
        kind: "file-unbinned" as const,
        pool,
        path,
        as,
        file,
      })),
      { kind: "vm-unbinned", entry: entry.id, ...step },
      { kind: "entry-unbinned", entry: entry.id },
    ]);
    bin.put({ ...entry, state: "moving" });
    for (const { to: path, as, file } of placed) {
      try {
        await bringOut(host, { path, as, file });
      } catch (error) {
        throw restoreFault(error, path);
      }
    }
    await rebase(rebased);
    await refreshPools(host, poolsOf(placed));
    const xml = definitionFor(entry, step);
    try {
      await defineAgain(link, { uuid, xml, autostart });
    } catch (error) {
      const told = contractError(error, "LibvirtFailed", "restore_bin_entry");
      if (!(told instanceof ContractError) || told.code !== "LibvirtFailed") throw told;
      throw new ContractError("BinRestoreFailed", { reason: told.message }, { cause: error });
    }
    const isSame = uuid === own &&
      moved.every(([from]) => placed.find(({ path }) => path === from)?.role !== "disk");
    if (isSame) warnings.push(...await recordSnapshots(host, uuid, snapshots));
    else if (snapshots.length > 0) {
      warnings.push("Its snapshots are not there any more: they are of other disks.");
    }
    warnings.push(...await restoredWarnings(host, xml, entry, placed.map(({ to }) => to)));
    await forgetEntry(host, entry);
  });
  admission.keep();
  await inventory.refresh(uuid).catch((error) =>
    log.debug("a restored domain could not be read", { name, error })
  );
  return { kind: "vm", name, vmId: uuid, warnings };
}
