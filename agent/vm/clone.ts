/** Copying a machine: its definition, and its disks through libvirt's volume API. */
import { ContractError, type Disk, type Input, type Output, type VM } from "../../lib/contract/mod.ts";
import { messageOf } from "../../lib/message.ts";
import { makeCopy, ownPath } from "../../lib/xml/clone.ts";
import { XmlDocument } from "../../lib/xml/edit.ts";
import { nvramOf } from "../../lib/xml/identity.ts";
import { summarizePool } from "../../lib/xml/volume.ts";
import type { Principal } from "../access.ts";
import { isLocal } from "../host/local.ts";
import type { JobHandle } from "../jobs/jobs.ts";
import { contractError } from "../libvirt/failure.ts";
import { log } from "../log.ts";
import { copyVolume } from "../storage/copy.ts";
import {
  cloneVolume,
  deleteVolume,
  keepsFiles,
  type Volume,
  volumeAt,
  volumeNamed,
} from "../storage/volumes.ts";
import { requireFreeName, requireOff } from "./rename.ts";
import type { VmServices } from "./services.ts";
import { editableXml } from "./xml.ts";

/** Undoes one step. */
type Undo = () => Promise<unknown>;

/** A disk to be copied: which, its volume, and where the copy goes. */
interface Copy {
  readonly target: string;
  readonly source: Volume;
  readonly pool: string;
}

/** Disks that a machine writes to alone; CDs, read-only and shared ones are used by the copy as well. */
const isOwn = ({ device, readOnly, shareable, source }: Disk) =>
  source !== undefined && !readOnly && !shareable && device !== "cdrom" && device !== "floppy";

/** The volume of a file that lies in a pool's folder although the pool has not seen it yet. */
async function volumeAfterRefresh({ link }: VmServices, path: string): Promise<Volume | undefined> {
  const folder = path.slice(0, path.lastIndexOf("/"));
  for (const { name, state } of await link.call("poolScan")) {
    if (state !== 2 || summarizePool(await link.call("poolXml", { pool: name })).path !== folder) continue;
    await link.call("poolRefresh", { pool: name });
    return await volumeAt(link, path);
  }
}

async function volumeOfDisk(services: VmServices, { type, source = "" }: Disk): Promise<Volume | undefined> {
  const { link } = services;
  if (type === "volume") {
    const [pool = "", ...name] = source.split("/");
    return await volumeNamed(link, pool, name.join("/"));
  }
  if (type !== "file" && type !== "block") return undefined;
  return await volumeAt(link, source) ?? await volumeAfterRefresh(services, source);
}

/** @throws {ContractError} DiskNotClonable, before anything is made */
async function copyOf(
  services: VmServices,
  disk: Disk,
  { pool, linked = false }: Input<"clone_vm">,
): Promise<Copy> {
  const { target, source: path = "" } = disk;
  const refuse = (reason: string) => new ContractError("DiskNotClonable", { target, path, reason });
  const source = await volumeOfDisk(services, disk);
  if (source === undefined) {
    throw refuse("it is in no storage pool. Make a pool of the folder it is in, then try again");
  }
  if (source.encryption?.secret !== undefined) {
    throw refuse("it is encrypted, and its passphrase belongs to it alone");
  }
  // libvirt guesses a volume's format from what is in it, and a guest can write what it likes into a raw disk: copied
  // as the qcow2 it pretends to be, it could name any file of the host as its content (CVE-2013-1922 and its kin).
  const format = disk.format ?? "raw";
  if (format !== (source.format ?? "raw")) {
    throw refuse(`it is used as ${format}, but its content looks like ${source.format}`);
  }
  const goal = pool ?? source.pool;
  if (
    (linked || pool !== undefined) && (linked || format !== "raw") && !await keepsFiles(services.link, goal)
  ) {
    throw refuse(`the pool ${goal} cannot keep ${linked ? "linked disks" : `${format} disks`}`);
  }
  return { target, source, pool: goal };
}

/** Copies the file of UEFI variables: boot entries and keys are in it. Without one libvirt makes it anew. */
async function copyNvram(
  { link }: VmServices,
  document: XmlDocument,
  vm: VM,
  name: string,
  undo: Undo[],
): Promise<string | undefined> {
  const from = nvramOf(document);
  if (from === undefined || !isLocal(link.uri)) return undefined;
  const to = ownPath(from, vm.name, name);
  try {
    using source = await Deno.open(from);
    using copy = await Deno.open(to, { write: true, createNew: true, mode: 0o600 });
    undo.push(() => Deno.remove(to));
    await source.readable.pipeTo(copy.writable);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined; // it was never started
    throw new ContractError("CloneFailed", {
      error: `the UEFI variables cannot be copied: ${messageOf(error)}`,
    }, { cause: error });
  }
  return to;
}

/**
 * Makes a copy of a stopped machine, as a job. When a step fails or the job is cancelled, what the steps before made
 * is removed.
 *
 * @throws {ContractError} VmNotFound, InvalidName, VmNameExists, VmMustBeOff, DiskNotClonable, CloneFailed, VmBusy,
 * JobCancelled
 */
export async function cloneVm(
  services: VmServices,
  input: Input<"clone_vm">,
  principal: Principal,
): Promise<Output<"clone_vm">> {
  const { inventory, jobs } = services;
  const { name, linked = false } = input;
  const vm = services.requireVm(input.vmId);
  requireFreeName(services, name);
  requireOff(services, vm);
  const vmId = crypto.randomUUID();
  let disks: Output<"clone_vm">["disks"] = [];
  await services.operate(vm, "cloning", async () => {
    const copies: Copy[] = [];
    for (const disk of vm.disks.filter(isOwn)) copies.push(await copyOf(services, disk, input));
    const spec = {
      command: "clone_vm",
      title: `Clone ${vm.name} to ${name}`,
      actor: principal.name,
      vmId: vm.id,
      ...(!linked && { lane: "copy" as const }),
      ifInterrupted: `Delete what it left (${
        copies.map(({ pool, target }) => `${pool}/${name}-${target}.*`).join(", ") || "nothing"
      }), then clone again.`,
    } as const;
    disks = await jobs.run(spec, (job) => carryOut(services, { vm, vmId, name, linked, copies }, job));
  });
  await inventory.refresh(vmId).catch((error) => log.debug("a clone could not be read", { name, error }));
  return { vmId, name, disks };
}

/** What is to be made. */
interface Plan {
  readonly vm: VM;
  readonly vmId: string;
  readonly name: string;
  readonly linked: boolean;
  readonly copies: readonly Copy[];
}

async function carryOut(
  services: VmServices,
  { vm, vmId, name, linked, copies }: Plan,
  job: JobHandle,
): Promise<Output<"clone_vm">["disks"]> {
  const { link } = services;
  const undo: Undo[] = [];
  const made = new Map<string, Volume>();
  const total = linked ? 0 : copies.reduce((sum, { source }) => sum + source.allocation, 0);
  let before = 0;
  try {
    for (const { target, source, pool } of copies) {
      const format = linked ? "qcow2" : source.format ?? "raw";
      const volumeName = `${name}-${target}.${format}`;
      job.log(`${linked ? "Linking" : "Copying"} ${target}: ${source.path} to ${pool}/${volumeName}`);
      const volume = linked
        ? await cloneVolume(link, source.path, { pool, name: volumeName, linked })
        : await copyVolume(link, { source: source.path, pool, name: volumeName }, job, { before, total });
      undo.push(() => deleteVolume(link, volume.path));
      made.set(target, volume);
      before += source.allocation;
      if (!linked) job.progress(Math.min(before, total), total);
    }
    const document = new XmlDocument(await editableXml(services, vm));
    const nvram = await copyNvram(services, document, vm, name, undo);
    makeCopy(document, { name, uuid: vmId, disks: made, nvram });
    job.signal.throwIfAborted();
    job.log(`Defining ${name}`);
    await link.call("domainDefineXml", { xml: document.toString() });
  } catch (error) {
    job.log("Removing what was made");
    await undoAll(undo, name);
    throw contractError(error, "CloneFailed", "clone_vm");
  }
  return copies.map(({ target, source }) => ({
    target,
    source: source.path,
    path: made.get(target)?.path ?? "",
  }));
}

async function undoAll(undo: readonly Undo[], name: string): Promise<void> {
  for (const step of undo.toReversed()) {
    try {
      await step();
    } catch (error) {
      log.error("what was made for a clone that failed could not be removed", { name, error });
    }
  }
}
