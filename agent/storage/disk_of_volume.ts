/** The image of a disk that is made of another volume: a full copy of it, or built on it. Clones and templates make theirs so. */
import type { CopiedDisk } from "../../lib/formats/xml/clone.ts";
import type { Role } from "../../lib/contract/mod.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import type { JobHandle } from "../jobs/jobs.ts";
import type { Steps } from "../operations/operation.ts";
import { copyVolume, type Share } from "./copy.ts";
import { copySource } from "./copy_source.ts";
import type { ImageRequest } from "./disk_images/check.ts";
import { makeVolume } from "./volume_steps.ts";
import { linkVolume, type PoolVolume } from "./volumes.ts";

/** Source and target of a new disk image. */
export interface NewDiskImage {
  readonly source: ImageRequest;
  readonly pool: string;
  readonly name: string;
  /** Undefined where the pool keeps no files. */
  readonly format: string | undefined;
  /** Whether it is built on the source, and not a copy. */
  readonly linked?: boolean;
  /** The snapshot within the source that is copied; else what it is now. */
  readonly snapshot?: string | undefined;
}

/** The job that it is a part of, and the principal's role. */
export interface DiskImageWork {
  readonly role: Role;
  readonly job: JobHandle;
  readonly steps: Steps;
  /** Keeps source and copy as they are until it is disposed of. */
  readonly held: DisposableStack;
  readonly share: Share;
  /** A VM that is held already. */
  readonly except?: string;
}

/**
 * Makes the image as a recorded step, with source and target locked.
 *
 * @returns the volume and its backing image
 * @throws {ContractError} the error of the decision on the source, StorageBusy, VolumeInUse, VmBusy,
 *   JobCancelled @throws {LibvirtError}
 */
export async function makeDiskImage(
  host: LibvirtHost,
  { source, pool, name, format, linked = false, snapshot }: NewDiskImage,
  { role, job, steps, held, share, except }: DiskImageWork,
): Promise<{ readonly volume: PoolVolume; readonly backing: CopiedDisk["backing"] }> {
  const { link } = host;
  held.use(host.locks.take(pool, name, { hold: "make" }));
  const image = await copySource(host, source, role, held, except);
  const volume = await makeVolume(
    link,
    steps,
    { pool, name },
    () =>
      linked
        ? linkVolume(link, image, { pool, name })
        : copyVolume(link, { source: image, pool, name, format, snapshot }, job, share),
  );
  return { volume, backing: linked ? [image, ...image.backing] : [] };
}
