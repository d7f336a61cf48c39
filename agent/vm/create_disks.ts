/** The images of a new machine: made empty or copied. Each is removed again when a later step fails. */
import { LibvirtError, VIR_ERR } from "../../ffi/error.ts";
import { ContractError } from "../../lib/contract/mod.ts";
import type { NewVm, VmDisk } from "../../lib/create/vm.ts";
import { summarizePool } from "../../lib/xml/volume.ts";
import { isLocal } from "../host/local.ts";
import type { JobHandle } from "../jobs/jobs.ts";
import { contractError } from "../libvirt/failure.ts";
import { copyVolume } from "../storage/copy.ts";
import { take } from "../storage/shared.ts";
import { requireRoom, trusted } from "../storage/volume_checks.ts";
import {
  createVolume,
  defaultPool,
  deleteVolume,
  keepsFiles,
  removeMade,
  resizeVolume,
  type Volume,
  volumeAt,
} from "../storage/volumes.ts";
import type { VmServices } from "./services.ts";
import { kindOf, undoing } from "./undoing.ts";

const GIB = 1024 ** 3;
/** Names tried for a new image: somebody's old one may lie where the first would. */
const MOST_NAMES = 20;
/** Milliseconds the kernel's clock for files may be behind. */
const CLOCK_MS = 50;

type Link = VmServices["link"];

/** Whether a volume could not be made because there is one of that name, or a file that no pool has seen yet. */
function nameTaken(error: unknown): boolean {
  return error instanceof LibvirtError && error.kind === "libvirt" &&
    (error.code === VIR_ERR.STORAGE_VOL_EXIST || /already exists|exists already/.test(error.message));
}

/** Where a new image will lie, if that is a file of this host. */
async function placeOf(link: Link, pool: string, name: string): Promise<string | undefined> {
  if (!isLocal(link.uri)) return undefined;
  const { path } = summarizePool(await link.call("poolXml", { pool }));
  return path === undefined ? undefined : `${path}/${name}`;
}

async function fileAt(path: string): Promise<Deno.FileInfo | undefined> {
  try {
    return await Deno.lstat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Removes what a call left whose end nobody saw: a file that was not there before it, and of no other age. */
async function removeLeftover(link: Link, path: string, since: number): Promise<void> {
  const file = await fileAt(path);
  if (!file?.isFile || file.birthtime === null || file.birthtime.getTime() < since - CLOCK_MS) return;
  try {
    await deleteVolume(link, path);
  } catch (error) {
    if (!(error instanceof LibvirtError) || error.code !== VIR_ERR.NO_STORAGE_VOL) throw error;
    await Deno.remove(path);
  }
}

/** Makes an empty volume. */
function makeEmpty(link: Link, { sizeGb, format }: VmDisk, { pool, name, files }: Place): Promise<Volume> {
  // Space is taken as it is written; a logical volume is all there from the start.
  const sparse = files && { allocation: 0, format };
  return createVolume(link, pool, { name, capacity: sizeGb! * GIB, ...sparse });
}

/** Copies a volume, and makes the copy as large as was asked for. It is removed again when that fails. */
async function makeCopy(
  services: VmServices,
  { copyOf, sizeGb, format }: VmDisk & { readonly copyOf: string },
  { pool, name, files }: Place,
  job: JobHandle,
): Promise<Volume> {
  const { link } = services;
  const source = await volumeAt(link, copyOf);
  if (source === undefined) throw new ContractError("DiskNotFound", { path: copyOf });
  using _source = take(source.pool, source.name);
  await trusted(services, source);
  await requireRoom(services, pool, files ? source.allocation : source.capacity);
  job.log(`Copying ${source.path} to ${pool}/${name}`);
  const share = { before: 0, total: source.allocation };
  const target = { source: source.path, pool, name, format: files ? format : undefined };
  const made = await copyVolume(link, target, job, share);
  try {
    if (sizeGb !== undefined && sizeGb * GIB > made.capacity) {
      job.log(`Making it larger: ${sizeGb} GiB`);
      await resizeVolume(link, made.path, sizeGb * GIB);
    }
    return made;
  } catch (error) {
    await undoing(made.path, () => removeMade(link, made))();
    throw error;
  }
}

/** Where a volume is to be made. */
interface Place {
  readonly pool: string;
  readonly name: string;
  /** Whether the pool keeps files, so that its volumes have a format. */
  readonly files: boolean;
}

/** Makes the image of a disk: `web.qcow2`, `web-1.qcow2`, … It is removed again with the stack. */
async function makeImage(
  link: Link,
  name: string,
  { pool: wanted, format }: VmDisk,
  make: (place: Place) => Promise<Volume>,
  undo: AsyncDisposableStack,
): Promise<Volume> {
  const pool = wanted ?? await defaultPool(link);
  const files = await keepsFiles(link, pool);
  for (let attempt = 0;; attempt++) {
    const stem = attempt === 0 ? name : `${name}-${attempt}`;
    const volume = { pool, name: files ? `${stem}.${format}` : stem, files };
    const place = files ? await placeOf(link, pool, volume.name) : undefined;
    const mayTry = attempt < MOST_NAMES;
    if (mayTry && place !== undefined && await fileAt(place) !== undefined) continue;
    const since = Date.now();
    try {
      const made = await make(volume);
      undo.defer(undoing(made.path, () => deleteVolume(link, made.path)));
      return made;
    } catch (error) {
      if (kindOf(error) === "lost" && place !== undefined) {
        undo.defer(undoing(place, () => removeLeftover(link, place, since)));
      }
      if (!nameTaken(error) || !mayTry) throw error;
    }
  }
}

/** Carries a copy out as a job. */
export type CopyJob = <T>(work: (job: JobHandle) => Promise<T>) => Promise<T>;

/** What copies the images for a machine, in the name of who asks for it. */
export const copyJob = ({ jobs }: VmServices, vm: NewVm, actor: string): CopyJob => (work) =>
  jobs.run({
    command: "create_vm",
    title: `Copy the disks of ${vm.name}`,
    actor,
    subject: vm.name,
    lane: "copy",
    ifInterrupted: `Delete the unfinished disks of ${vm.name} (${vm.name}.*), then create it again.`,
  }, work);

/** The machine with every image made. Each is removed again with the stack. */
export async function withImages(
  services: VmServices,
  vm: NewVm,
  copying: CopyJob,
  undo: AsyncDisposableStack,
): Promise<NewVm> {
  const { link } = services;
  const disks: VmDisk[] = [];
  for (const disk of vm.disks) {
    const { source, copyOf } = disk;
    if (source !== undefined) {
      disks.push(disk);
      continue;
    }
    const make = copyOf === undefined
      ? (place: Place) => makeEmpty(link, disk, place)
      : (place: Place) => copying((job) => makeCopy(services, { ...disk, copyOf }, place, job));
    try {
      const { path, type } = await makeImage(link, vm.name, disk, make, undo);
      disks.push({ ...disk, source: { path, type: type === "block" ? "block" : "file" } });
    } catch (error) {
      throw contractError(error, "DiskCreateFailed", "create_vm");
    }
  }
  return { ...vm, disks };
}
