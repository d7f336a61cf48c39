/** Making a version of a template: full copies of a stopped VM's disks, and its definition. */
import { isSystemError } from "../machine/files.ts";
import { ContractError, type Role, type VM } from "../../lib/contract/mod.ts";
import { XmlDocument } from "../../lib/formats/xml/edit.ts";
import { nvramPaths } from "../../lib/formats/xml/nvram.ts";
import { sealDefinition, templateRefusal } from "../../lib/template/definition.ts";
import type { Seal } from "../../lib/template/seal.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import type { JobHandle } from "../jobs/jobs.ts";
import type { Operation } from "../operations/operation.ts";
import { makeDiskImage } from "../storage/disk_of_volume.ts";
import { requireActive } from "../storage/shared.ts";
import { requirePlaces } from "../storage/volume_checks.ts";
import { makeVolume } from "../storage/volume_steps.ts";
import { defaultPool, keepsFiles, uploadVolume } from "../storage/volumes.ts";
import { type DiskCopy, diskCopyOf, isOwnDisk } from "../vm/lifecycle/disk_copies.ts";
import type { KeptVariables, StoredVersion } from "./records.ts";
import { sealDisks, type SealingHost } from "./seal.ts";
import { message, type Sentence } from "../../lib/i18n/message.ts";

/** Bytes of the largest file of UEFI variables that is kept: those of ARM VMs have 64 MiB. */
export const MOST_VARIABLES = 128 * 1024 ** 2;

/** A disk to be copied, and into which pool. */
export interface PlannedCopy extends DiskCopy {
  readonly goal: string;
}

/** The VM and the planned copies of a version. Nothing was made yet. */
export interface VersionPlan {
  readonly vm: VM;
  readonly disks: readonly PlannedCopy[];
}

/** The pool that a disk's copy goes into: it must keep files, for VMs are built on it. */
async function goalOf(host: LibvirtHost, copy: DiskCopy, pool: string | undefined): Promise<string> {
  if (pool === undefined) {
    return await keepsFiles(host.link, copy.source.pool) ? copy.source.pool : await defaultPool(host.link);
  }
  requireActive(host, pool);
  if (await keepsFiles(host.link, pool)) return pool;
  const { target, source: { path } } = copy;
  const reason = `the pool ${pool} keeps no files, and VMs are built on a template's`;
  throw new ContractError("DiskNotClonable", { target, path, reason });
}

/** The VM's definition of its next start, without passwords. @throws {ContractError} TemplateRefused */
async function readDefinition({ link }: LibvirtHost, { id, name }: VM): Promise<XmlDocument> {
  const document = new XmlDocument(
    await link.call("domainXml", { uuid: id, secure: false, inactive: true }),
  );
  const reason = templateRefusal(document);
  if (reason !== undefined) throw new ContractError("TemplateRefused", { vm: name, reason });
  return document;
}

/**
 * Decides on everything, before anything is made.
 *
 * @throws {ContractError} TemplateRefused, DiskNotClonable, StoragePoolNotFound, StoragePoolNotActive,
 * StoragePoolReadOnly, DiskExceedsPool
 */
export async function planVersion(
  host: LibvirtHost,
  vm: VM,
  { pool }: { readonly pool: string | undefined },
): Promise<VersionPlan> {
  await readDefinition(host, vm);
  const disks: PlannedCopy[] = [];
  for (const disk of vm.disks.filter(isOwnDisk)) {
    const copy = await diskCopyOf(host, disk, {});
    disks.push({ ...copy, goal: await goalOf(host, copy, pool) });
  }
  await requirePlaces(host, disks.map(({ goal, source }) => ({ pool: goal, bytes: source.allocation })));
  return { vm, disks };
}

/** Keeps the UEFI variables as a volume next to the disks. A VM that was never started has none. */
async function keepVariables(
  host: LibvirtHost,
  document: XmlDocument,
  { pool, volume, source }: Pick<KeptVariables, "pool" | "volume"> & { readonly source: string },
  operation: Operation,
  held: DisposableStack,
): Promise<KeptVariables | undefined> {
  const { link } = host;
  const from = nvramPaths(document, source, source, (path) => path)?.from;
  if (from === undefined || link.machine === null) return undefined;
  const failed = (error: Sentence, cause?: unknown) =>
    new ContractError("TemplateFailed", { verb: "make", error: message`the UEFI variables ${error}` }, {
      cause,
    });
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    using file = await link.machine.files.openFile(from);
    const { size } = await file.stat();
    if (size > MOST_VARIABLES) throw failed(`in ${from} are larger than any firmware's`);
    bytes = new Uint8Array(await new Response(file.readable).arrayBuffer());
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    if (!isSystemError(error)) throw error;
    throw failed(`cannot be read: ${error.message}`, error);
  }
  held.use(host.locks.take(pool, volume, { hold: "make" }));
  const made = await makeVolume(
    link,
    operation,
    { pool, name: volume },
    () => uploadVolume(link, pool, volume, bytes),
  );
  return { pool, volume, path: made.path };
}

/** Name, number and author of a version. */
export interface VersionMarks {
  /** How names of its volumes begin. */
  readonly prefix: string;
  readonly version: number;
  readonly createdAt: number;
  readonly createdBy: string;
  readonly role: Role;
  /** Parts of the guest that are removed from the copies. */
  readonly seal: readonly Seal[];
}

/** Copies what was planned, each volume a step of the operation. @throws {ContractError} @throws {LibvirtError} */
export async function makeVersion(
  on: SealingHost,
  { vm, disks: planned }: VersionPlan,
  { prefix, version, createdAt, createdBy, role, seal }: VersionMarks,
  job: JobHandle,
  operation: Operation,
): Promise<StoredVersion> {
  const { host } = on, { link } = host;
  using held = new DisposableStack();
  const document = await readDefinition(host, vm);
  const total = planned.reduce((sum, { source }) => sum + source.allocation, 0);
  const disks: StoredVersion["disks"] = [];
  let before = 0;
  for (const { target, source, used, goal: pool } of planned) {
    const volume = `${prefix}-v${version}-${target}.qcow2`;
    job.log(message`Copying ${target}: ${source.path} to ${pool}/${volume}`);
    const wish = { path: source.path, format: used === "qcow2" ? used : "raw" } as const;
    const { volume: { path, capacity, allocation } } = await makeDiskImage(
      host,
      { source: wish, pool, name: volume, format: "qcow2" },
      { role, job, steps: operation, held, share: { before, total }, except: vm.id },
    );
    disks.push({ target, pool, volume, path, capacityBytes: capacity, allocationBytes: allocation });
    before += source.allocation;
    job.progress(Math.min(before, total), total);
  }
  await sealDisks(on, disks, seal, job);
  const place = {
    pool: planned[0]?.goal ?? await defaultPool(link),
    volume: `${prefix}-v${version}-nvram.fd`,
    source: vm.name,
  };
  const variables = await keepVariables(host, document, place, operation, held);
  sealDefinition(document);
  job.signal.throwIfAborted();
  const { name, cpuCount, memoryMb, firmware, osType, osVariant } = vm;
  return {
    version,
    createdAt,
    createdBy,
    source: name,
    cpuCount,
    memoryMb,
    firmware,
    ...(osType !== undefined && { osType }),
    ...(osVariant !== undefined && { osVariant }),
    disks,
    xml: document.toString(),
    ...(variables !== undefined && { variables }),
  };
}
