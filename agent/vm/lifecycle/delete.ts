/** Deleting a VM, with its disks when asked. */
import { FileRefused, isSystemError } from "../../machine/files.ts";
import { plainPath } from "../../machine/host_file.ts";
import { LibvirtError, VIR_ERR } from "../../../ffi/error.ts";
import type { StoredEntry } from "../../../lib/bin/entry.ts";
import { ContractError, type DeleteVmResult, type Input, type VM } from "../../../lib/contract/mod.ts";
import { messageOf } from "../../../lib/text/message.ts";
import { XmlDocument } from "../../../lib/formats/xml/edit.ts";
import { nvramHolder, nvramPath } from "../../../lib/formats/xml/nvram.ts";
import type { Principal } from "../../access.ts";
import { contractError, isConnectionLost } from "../../libvirt/failure.ts";
import { log } from "../../log.ts";
import type { Operation } from "../../operations/operation.ts";
import { keyOf } from "../../operations/operation_record.ts";
import { BinFolderError, moveIn } from "../../storage/bin/folder.ts";
import { isBinOn, poolsOf, receiptOf, refreshPools, writeEntry } from "../../storage/bin/keep.ts";
import { lockEntry } from "../../storage/bin/purge.ts";
import { fileAt } from "../../storage/file_id.ts";
import { fileOf } from "../../storage/volume_steps.ts";
import { NO_POOL } from "../../storage/locks.ts";
import { deleteVolume } from "../../storage/passphrases.ts";
import { findVolumeAt } from "../../storage/volumes.ts";
import { dropCheckpoints } from "../checkpoints.ts";
import { movesOf, planBin } from "./bin.ts";
import { neededByRest, planDisks } from "./delete_plan.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { otherUserOf } from "./other_user.ts";
import { defineAgain, eraseNvram, isOff, undefineStopped } from "./undefine.ts";
import { hasMemorySaved } from "../saved_memory.ts";
import type { Sentence } from "../../../lib/i18n/message.ts";

/** The disks that are deleted, too, and whether without the bin. */
type DisksChosen = Omit<Input<"delete_vm">, "vmId">;

/**
 * The paths to delete: all that can be, or those that were chosen. Refuses before anything is touched when one of them
 * cannot: another VM uses it, or the file system would not let it go.
 */
async function pathsToDelete(
  host: LibvirtHost,
  vm: VM,
  xml: string,
  { deleteDisks = false, disks }: DisksChosen,
): Promise<string[]> {
  if (!deleteDisks && disks === undefined) return [];
  const planned = await planDisks(host, vm, xml);
  const refuse = (path: string, error: Sentence) => new ContractError("DiskDeleteFailed", { path, error });
  for (const path of disks ?? []) {
    const disk = planned.find((each) => each.path === path);
    if (disk === undefined) throw refuse(path, "it is no disk of this VM");
    if (!disk.deletable) throw refuse(path, disk.reason ?? "");
  }
  if (disks !== undefined) {
    const needed = await neededByRest(host, vm, planned, disks);
    if (needed !== undefined) throw refuse(needed, "a disk of this VM that stays is built on it");
    return disks;
  }
  const hindering = planned.find(({ hinders }) => hinders);
  if (hindering) throw refuse(hindering.path, hindering.reason ?? "");
  return planned.filter(({ deletable }) => deletable).map(({ path }) => path);
}

/** Holds the disks that go: what works on one of them is in the way before anything is gone. @throws {ContractError} StorageBusy */
async function holdDisks(
  { link, locks }: LibvirtHost,
  paths: readonly string[],
  held: DisposableStack,
): Promise<void> {
  for (const path of paths) {
    const volume = await findVolumeAt(link, path);
    held.use(
      volume === undefined ? locks.take(NO_POOL, path) : locks.take(volume.pool, volume.name),
    );
  }
}

/** Deletes a disk through its pool; a file no pool knows is removed itself, if it is one and nothing else. */
export async function deleteDisk(host: LibvirtHost, path: string): Promise<void> {
  const { link } = host;
  if (link.machine !== null) await link.machine.files.requireResponding(path);
  try {
    await deleteVolume(host, path);
    return;
  } catch (error) {
    if (!(error instanceof LibvirtError) || error.code !== VIR_ERR.NO_STORAGE_VOL) throw error;
    if (link.machine === null) throw error; // its path is no file of this host
  }
  const info = await link.machine.files.lstat(plainPath(path));
  if (!info.isFile) throw new FileRefused("it is not a regular file");
  await link.machine.files.remove(plainPath(path));
}

/**
 * Forgets a stopped VM with all libvirt keeps for it (saved memory, NVRAM, snapshots' records), then deletes its
 * disks when asked. Whether they can be deleted is looked at first. A VM that is started meanwhile stays whole. If the first disk cannot be deleted all the same,
 * the VM is defined again; saved memory and snapshots' records are lost then. When libvirt or this process goes away
 * in the middle, the disks of a VM that is gone are deleted later. While the bin is on it is moved there instead.
 *
 * @throws {ContractError} VmNotFound, VmStillRunning, DeleteFailed, DiskDeleteFailed, StorageBusy, VmBusy, StoreUnavailable
 */
export async function deleteVm(
  host: LibvirtHost,
  { vmId, ...choice }: DisksChosen & { vmId: string },
  principal: Pick<Principal, "name">,
): Promise<DeleteVmResult> {
  let vm = host.requireVm(vmId);
  const isActive = () => host.inventory.active().includes(vm.id);
  // An event that comes late shows for a moment what was before: no is said only of what libvirt says now.
  if (isActive()) {
    await host.reread(vm);
    vm = host.requireVm(vmId);
    if (isActive()) throw new ContractError("VmStillRunning");
  }
  const spec = {
    command: "delete_vm",
    subject: vm.name,
    vmId: vm.id,
    actor: principal.name,
    keys: [keyOf.vm(vm.id), keyOf.vmName(vm.name)],
  } as const;
  let result: DeleteVmResult = { deletedDisks: [], bin: null };
  const run = async (operation: Operation) => {
    const xml = await host.link.call("domainXml", { uuid: vm.id, secure: true, inactive: true });
    const paths = await pathsToDelete(host, vm, xml, choice);
    using held = new DisposableStack();
    await holdDisks(host, paths, held);
    await host.observeFormats([vm], true);
    const warnings = [...await stayingOf(host, vm, xml), ...await lostMemoryOf(host, vm)];
    const done = choice.permanently || !isBinOn(host)
      ? await deleteForGood(host, vm, { xml, paths, operation })
      : await moveToBin(host, vm, { xml, paths, operation }, principal.name);
    result = warnings.length === 0 ? done : { ...done, warnings };
  };
  await host.claims.operate(vm, "deleting", () => host.operations.run(spec, run));
  await noteLeft(host, vm, result);
  return result;
}

/** Parts of a VM that stay because other VMs have them, too, as sentences. @throws {LibvirtError} */
async function stayingOf(host: LibvirtHost, { id }: VM, xml: string): Promise<string[]> {
  const nvram = nvramPath(new XmlDocument(xml));
  const user = nvram === undefined ? undefined : await otherUserOf(host, id, nvram);
  return user === undefined ? [] : [`The UEFI variables ${nvram} stay: ${user} has them, too.`];
}

/** Losses of a suspended VM, independent of its disks, as sentences. @throws {LibvirtError} */
async function lostMemoryOf(host: LibvirtHost, vm: VM): Promise<string[]> {
  if (!await hasMemorySaved(host, vm)) return [];
  return ["Its saved memory was deleted: what the guest had not written to its disks is lost."];
}

/** Remembers the disks of a VM that is gone and has left them where they are. */
async function noteLeft(
  { leftDisks, id: host, link }: LibvirtHost,
  { name, disks }: VM,
  { deletedDisks }: DeleteVmResult,
): Promise<void> {
  const own = disks.filter(({ device, readOnly }) => device === "disk" && !readOnly);
  for (const { source } of own) {
    if (source === undefined || !source.startsWith("/") || deletedDisks.includes(source)) continue;
    const file = link.machine !== null ? await fileAt(link.machine, source) : undefined;
    // What went into the bin is not there any more
    if (file !== null) leftDisks.add({ host, path: source, file: file ?? null, vm: name });
  }
}

/** A deletion, while it runs. */
interface Deletion {
  /** The VM's stored definition, with passwords. */
  readonly xml: string;
  /** The disks that go. */
  readonly paths: readonly string[];
  readonly operation: Operation;
}

/** Forgets the VM, then deletes its disks. */
async function deleteForGood(
  host: LibvirtHost,
  vm: VM,
  { xml, paths, operation }: Deletion,
): Promise<DeleteVmResult> {
  const deletedDisks: string[] = [];
  await noteWhatGoes(host, vm, xml, paths, operation);
  if (!await forget(host, vm)) throw new ContractError("VmStillRunning");
  for (const path of paths) {
    try {
      await deleteDisk(host, path);
      deletedDisks.push(path);
    } catch (error) {
      if (deletedDisks.length === 0 && !isConnectionLost(error)) await putBack(host, vm, xml);
      throw diskError(path, error);
    }
  }
  return { deletedDisks, bin: null };
}

/**
 * Writes the VM down in the bin, forgets it, and moves its files there. What fails takes all of it back, but for saved
 * memory and the disks that the bin cannot keep.
 */
async function moveToBin(
  host: LibvirtHost,
  vm: VM,
  { xml, paths, operation }: Deletion,
  actor: string,
): Promise<DeleteVmResult> {
  const { link, bin } = host, { id: uuid, name } = vm;
  bin.require();
  const { entry, open, lostDisks, lostNvram } = await planBin(host, vm, xml, paths, actor);
  const doomed = await Promise.all(
    lostDisks.map(async (path) => ({ kind: "disk-doomed" as const, path, file: await fileOf(link, path) })),
  );
  using _alone = lockEntry(entry);
  operation.addAll([
    { kind: "vm-binned", uuid, name, entry: entry.id, ...(lostNvram !== undefined && { nvram: lostNvram }) },
    ...movesOf(entry),
    ...doomed,
  ]);
  await inBin(entry, () => writeEntry(host, entry, { ...open, state: "kept" }));
  // A TPM's state on another host cannot be kept, and it would not be found there later.
  const call = link.machine !== null ? "domainUndefineForBin" : "domainUndefine";
  if (!await forget(host, vm, call)) throw new ContractError("VmStillRunning");
  for (const file of entry.files) await inBin(entry, () => moveIn(file), file.path);
  for (const path of lostDisks) {
    try {
      await deleteDisk(host, path);
    } catch (error) {
      throw diskError(path, error);
    }
  }
  if (lostNvram !== undefined) await eraseNvram(host, uuid, lostNvram);
  bin.put({ ...entry, state: "kept" });
  for (const { pool, path } of entry.files) {
    if (pool !== null) host.inventory.storage.removeAt(path);
  }
  await refreshPools(host, poolsOf(entry.files));
  return { deletedDisks: [...lostDisks], bin: receiptOf(entry) };
}

/** Moves a file of an entry; a refusal by the file system becomes an error of the contract. */
async function inBin(entry: StoredEntry, run: () => Promise<unknown>, path = entry.name): Promise<void> {
  try {
    await run();
  } catch (error) {
    if (!isSystemError(error) && !(error instanceof BinFolderError)) throw error;
    const why = `it cannot be moved into the bin: ${messageOf(error)}. Delete it permanently instead`;
    throw new ContractError("DiskDeleteFailed", { path, error: why }, { cause: error });
  }
}

/** Writes down what goes once the VM is gone: its NVRAM, and its disks where that was asked for. */
async function noteWhatGoes(
  { link }: LibvirtHost,
  { id: uuid, name }: VM,
  xml: string,
  paths: readonly string[],
  operation: Operation,
): Promise<void> {
  const nvram = nvramHolder(xml, crypto.randomUUID());
  if (paths.length === 0 && nvram === undefined) return;
  const doomed = await Promise.all(
    paths.map(async (path) => ({ kind: "disk-doomed" as const, path, file: await fileOf(link, path) })),
  );
  operation.addAll([{ kind: "domain-doomed", uuid, name, ...(nvram !== undefined && { nvram }) }, ...doomed]);
}

/** Undefines the VM. Says false of one that runs by now: it stays, defined as it was. */
async function forget(
  host: LibvirtHost,
  vm: VM,
  call: "domainUndefine" | "domainUndefineForBin" = "domainUndefine",
): Promise<boolean> {
  const { link } = host, { id } = vm;
  try {
    const now = await link.call("domainRead", { uuid: id });
    if (now !== null && !isOff(now)) return false;
    // libvirt forgets them with the VM, and what QEMU notes of them would stay in disks that stay
    await dropCheckpoints(host, vm);
    return await undefineStopped(host, id, call);
  } catch (error) {
    throw contractError(error, "DeleteFailed", "delete_vm");
  }
}

async function putBack({ link }: LibvirtHost, { id: uuid, name, autostart }: VM, xml: string): Promise<void> {
  try {
    await defineAgain(link, { uuid, xml, autostart });
  } catch (error) {
    log.error("a VM could not be put back after its disk could not be deleted", { vm: name, error });
  }
}

function diskError(path: string, thrown: unknown): unknown {
  if (thrown instanceof LibvirtError && thrown.kind !== "libvirt") {
    return contractError(thrown, "DiskDeleteFailed", "delete_vm");
  }
  const isAnswer = thrown instanceof LibvirtError || thrown instanceof FileRefused || isSystemError(thrown);
  if (!isAnswer) return thrown;
  return new ContractError("DiskDeleteFailed", { path, error: thrown.message }, { cause: thrown });
}
