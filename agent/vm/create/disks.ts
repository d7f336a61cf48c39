/** The images of a new VM: made empty or copied. */
import { message } from "../../../lib/i18n/message.ts";
import { LibvirtError, VIR_ERR } from "../../../ffi/error.ts";
import type { Role } from "../../../lib/contract/mod.ts";
import type { NewVm, NewVmDisk } from "../../../lib/formats/xml/new_vm.ts";
import type { JobHandle } from "../../jobs/jobs.ts";
import { contractError } from "../../libvirt/failure.ts";
import type { Operation, Steps } from "../../operations/operation.ts";
import { t } from "../../operations/outcome.ts";
import { makeVolume } from "../../storage/volume_steps.ts";
import { copyEnlarged } from "../../storage/copy.ts";
import { copySource } from "../../storage/copy_source.ts";
import { requireRoom, requireWithin, requireWritable } from "../../storage/volume_checks.ts";
import { createVolume, defaultPool, keepsFiles, type PoolVolume } from "../../storage/volumes.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { GIB } from "../../../lib/text/byte_units.ts";

/** Names tried for a new image: somebody's old one may lie where the first would. */
const MOST_NAMES = 20;
type Link = LibvirtHost["link"];

/** Whether a volume could not be made because there is one of that name, or a file that no pool has seen yet. */
function nameTaken(error: unknown): boolean {
  return error instanceof LibvirtError && error.kind === "libvirt" &&
    (error.code === VIR_ERR.STORAGE_VOL_EXIST || /already exists|exists already/.test(error.message));
}

/** Makes an empty volume. */
function makeEmpty(
  link: Link,
  { sizeGb, format }: NewVmDisk,
  { pool, name, files }: Place,
): Promise<PoolVolume> {
  // Space is taken as it is written; a logical volume is all there from the start.
  const sparse = files && { allocation: 0, format };
  return createVolume(link, pool, { name, capacity: sizeGb! * GIB, ...sparse });
}

/** Copies a volume, and makes the copy as large as was asked for. */
async function makeCopy(
  host: LibvirtHost,
  { copyOf, sizeGb, format }: NewVmDisk & { readonly copyOf: NonNullable<NewVmDisk["copyOf"]> },
  { pool, name, files }: Place,
  role: Role,
  job: JobHandle,
): Promise<PoolVolume> {
  using held = new DisposableStack();
  held.use(host.locks.take(pool, name, { hold: "make" }));
  const source = await copySource(host, copyOf, role, held);
  const { volume } = source;
  await requireWithin(host, volume);
  await requireRoom(host, pool, files ? volume.allocation : volume.capacity);
  const copy = { source, pool, name, format: files ? format : undefined };
  return await copyEnlarged(host.link, copy, sizeGb, job);
}

/** Pool and name of a volume that is to be made. */
interface Place {
  readonly pool: string;
  readonly name: string;
  /** Whether the pool keeps files, so that its volumes have a format. */
  readonly files: boolean;
}

/** Makes the image of a disk: `web.qcow2`, `web-1.qcow2`, … */
async function makeImage(
  link: Link,
  name: string,
  { pool: wanted, format }: NewVmDisk,
  make: (place: Place) => Promise<PoolVolume>,
  steps: Steps,
): Promise<PoolVolume> {
  const pool = wanted ?? await defaultPool(link);
  const files = await keepsFiles(link, pool);
  for (let attempt = 0;; attempt++) {
    const stem = attempt === 0 ? name : `${name}-${attempt}`;
    const place = { pool, name: files ? `${stem}.${format}` : stem, files };
    try {
      return await makeVolume(link, steps, place, () => make(place));
    } catch (error) {
      if (!nameTaken(error) || attempt === MOST_NAMES) throw error;
    }
  }
}

/** Carries a copy out as a job. */
export type CopyJob = <T>(work: (job: JobHandle) => Promise<T>) => Promise<T>;

/** Runs image copies for a VM as tasks of the principal who creates it. */
export const copyJob = ({ jobs }: LibvirtHost, vm: NewVm, operation: Operation): CopyJob => (work) =>
  jobs.run({
    command: "create_vm",
    title: message`Copy the disks of ${vm.name}`,
    actor: operation.record.actor,
    subject: vm.name,
    lane: "copy",
    ifInterrupted: t("operations.later"),
  }, (job) => {
    operation.showsAs(job.id);
    return work(job);
  });

/** The VM with every image made, each as a step. */
export async function withImages(
  host: LibvirtHost,
  vm: NewVm,
  copying: CopyJob,
  role: Role,
  steps: Steps,
): Promise<NewVm> {
  const { link } = host;
  const disks: NewVmDisk[] = [];
  for (const disk of vm.disks) {
    const { source, copyOf } = disk;
    if (source !== undefined) {
      disks.push(disk);
      continue;
    }
    const make = async (place: Place) => {
      await requireWritable(host, place.pool);
      if (copyOf === undefined) return await makeEmpty(link, disk, place);
      return await copying((job) => makeCopy(host, { ...disk, copyOf }, place, role, job));
    };
    try {
      const { path, type } = await makeImage(link, vm.name, disk, make, steps);
      disks.push({ ...disk, source: { path, type: type === "block" ? "block" : "file" } });
    } catch (error) {
      throw contractError(error, "DiskCreateFailed", "create_vm");
    }
  }
  return { ...vm, disks };
}
