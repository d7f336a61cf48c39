/** A VM into the bin, with all that makes it whole. */
import { LibvirtError } from "../../../ffi/error.ts";
import { LEFT_NVRAM, type LeftFile, type StoredEntry } from "../../../lib/bin/entry.ts";
import type { VM } from "../../../lib/contract/mod.ts";
import { TPM_FOLDER } from "../../../lib/formats/swtpm.ts";
import { XmlDocument } from "../../../lib/formats/xml/edit.ts";
import { nvramHolder, nvramPath } from "../../../lib/formats/xml/nvram.ts";
import { hasEmulatedTpm } from "../../../lib/formats/xml/tpm.ts";
import { child } from "../../../lib/formats/xml/tree.ts";
import { plainPath } from "../../machine/host_file.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { isConnectionLost, isUnsupported } from "../../libvirt/failure.ts";
import { log } from "../../log.ts";
import type { Step } from "../../operations/step.ts";
import { mayBeFile, pathOfDisk } from "../../storage/disk_path.ts";
import { fileAt } from "../../storage/file_id.ts";
import { resolvedPath } from "../../machine/resolved_path.ts";
import { type BinCandidate, newEntry, planKeeping, poolAround } from "../../storage/bin/keep.ts";
import { findVolumeAt } from "../../storage/volumes.ts";
import { otherUserOf } from "./other_user.ts";
import { hasMemorySaved } from "../saved_memory.ts";

/** Files and entry of a VM that goes into the bin. */
export interface BinPlan {
  readonly entry: StoredEntry;
  /** The entry as the note next to its files has it: without passwords. */
  readonly open: StoredEntry;
  /** Disks that the bin cannot keep: they are deleted for good. */
  readonly lostDisks: readonly string[];
  /** XML that names the UEFI variables that the bin does not keep: they are elsewhere, or not found. */
  readonly lostNvram: string | undefined;
}

/** Files of a VM other than its disks. */
async function filesOfDefinition(
  host: LibvirtHost,
  document: XmlDocument,
  uuid: string,
): Promise<BinCandidate[]> {
  const { link } = host;
  if (link.machine === null) return [];
  const nvram = nvramPath(document), tpm = `${TPM_FOLDER}/${uuid}`;
  const found: BinCandidate[] = [];
  const isShared = nvram !== undefined && await otherUserOf(host, uuid, nvram) !== undefined;
  if (nvram !== undefined && !isShared && await link.machine.files.isThere(plainPath(nvram))) {
    found.push({ path: nvram, pool: null, role: "nvram" });
  }
  if (link.machine?.isSystem && hasEmulatedTpm(document) && await link.machine.files.isThere(tpm)) {
    found.push({ path: tpm, pool: null, role: "tpm" });
  }
  return found;
}

/**
 * Files of a VM that stay where they are, each with its identity: disks that are not binned, and UEFI variables that
 * another VM has, too.
 *
 * @throws {LibvirtError}
 */
async function leftOf(
  host: LibvirtHost,
  { id, disks }: VM,
  document: XmlDocument,
  going: readonly string[],
): Promise<LeftFile[]> {
  const { link } = host, found: LeftFile[] = [];
  const { machine } = link;
  if (machine === null) return found;
  const add = async (target: string, path: string) => {
    const file = await fileAt(machine, await resolvedPath(machine, path));
    if (typeof file === "string") found.push({ target, path, file });
  };
  for (const disk of disks) {
    const path = disk.device === "disk" && mayBeFile(disk) ? await pathOfDisk(link, disk) : undefined;
    if (path !== undefined && !going.includes(path)) await add(disk.target, path);
  }
  const nvram = nvramPath(document);
  if (nvram !== undefined && await otherUserOf(host, id, nvram) !== undefined) await add(LEFT_NVRAM, nvram);
  return found;
}

/** The records of a VM's snapshots. None where the driver does not know any. @throws {LibvirtError} */
async function snapshotsOf(
  { link }: LibvirtHost,
  uuid: string,
): Promise<{ xml: string; isCurrent: boolean }[]> {
  try {
    return [...await link.call("snapshotScan", { uuid })];
  } catch (error) {
    if (isUnsupported(error)) return [];
    throw error;
  }
}

/**
 * Plans the bin's entry of a VM: its definition, the disks to bin, its UEFI variables and its TPM's state.
 *
 * @param xml its stored definition with passwords
 * @param paths the disks to bin
 * @throws {LibvirtError}
 */
export async function planBin(
  host: LibvirtHost,
  vm: VM,
  xml: string,
  paths: readonly string[],
  actor: string,
): Promise<BinPlan> {
  const { link } = host, id = crypto.randomUUID(), uuid = vm.id;
  const document = new XmlDocument(xml);
  const going: BinCandidate[] = [];
  for (const path of paths) {
    const volume = await findVolumeAt(link, path);
    going.push({ path, pool: volume?.pool ?? poolAround(host, path), role: "disk" });
  }
  going.push(...await filesOfDefinition(host, document, uuid));
  const { files, lost } = await planKeeping(host, id, going);
  const gone = new Set(lost.map(({ path }) => path));
  const snapshots = await snapshotsOf(host, uuid);
  const records = await Promise.all(snapshots.map(async ({ isCurrent, xml: plain }) => ({
    isCurrent,
    xml: await link.call("snapshotXml", { uuid, name: snapshotName(plain) }),
  })));
  const left = await leftOf(host, vm, document, paths);
  const lostMemory = await hasMemorySaved(host, vm);
  const kept = { autostart: vm.autostart, left, ...(lostMemory && { lostMemory }) };
  const entry = newEntry(host, {
    id,
    kind: "vm",
    name: vm.name,
    vmId: uuid,
    ...(vm.group !== undefined && { group: vm.group }),
    deletedBy: actor,
    files,
    lost: [...gone],
    definition: { ...kept, xml, snapshots: records },
  });
  const open = await link.call("domainXml", { uuid, secure: false, inactive: true });
  const keepsNvram = files.some(({ role }) => role === "nvram");
  return {
    entry,
    open: { ...entry, definition: { ...kept, xml: open, snapshots } },
    lostDisks: paths.filter((path) => gone.has(path)),
    // Left where it is, another VM of that name would begin with it.
    lostNvram: keepsNvram ? undefined : nvramHolder(xml, crypto.randomUUID()),
  };
}

const snapshotName = (xml: string): string => child(new XmlDocument(xml).root, "name")?.text ?? "";

/** The moves of an entry's files as steps. */
export const movesOf = ({ id: entry, files }: Pick<StoredEntry, "id" | "files">): Step[] =>
  files.map(({ pool, path, as, file }) => ({ kind: "file-binned", entry, pool, path, as, file }));

/**
 * Restores libvirt's snapshot records, which it keeps in addition to a definition.
 *
 * @returns the records that could not be restored, as sentences
 * @throws {LibvirtError} when libvirt is away
 */
export async function recordSnapshots(
  { link }: LibvirtHost,
  uuid: string,
  snapshots: readonly { readonly xml: string; readonly isCurrent: boolean }[],
): Promise<string[]> {
  const warnings: string[] = [];
  for (const { xml, isCurrent } of snapshots) {
    try {
      await link.call("snapshotRecord", { uuid, xml, isCurrent });
    } catch (error) {
      if (isConnectionLost(error) || !(error instanceof LibvirtError)) throw error;
      log.warn("the record of a snapshot could not be put back", { uuid, error });
      warnings.push(`The snapshot ${snapshotName(xml)} is not there any more: ${error.message}`);
    }
  }
  return warnings;
}
