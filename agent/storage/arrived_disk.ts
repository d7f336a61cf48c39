/**
 * Disks as other hypervisors write them that were uploaded or downloaded: once all of one is there it is judged, and becomes
 * a qcow2 image.
 */
import { type CommandName, ContractError, type ImagePolicy } from "../../lib/contract/mod.ts";
import { markedFormat } from "../../lib/formats/foreign/mod.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import { openFile, readAt } from "../machine/host_file.ts";
import type { OpenJob } from "../jobs/jobs.ts";
import { keyOf } from "../operations/operation_record.ts";
import { convertDisk, judgeArriving } from "./convert_disk.ts";
import { hasQemuImg } from "./qemu_img.ts";
import { requireActive } from "./shared.ts";
import { makeVolume } from "./volume_steps.ts";
import { requireRoom } from "./volume_checks.ts";
import { findVolumeNamed, hasFormats, type PoolVolume } from "./volumes.ts";
import { message } from "../../lib/i18n/message.ts";

/** Whether what comes into a pool can be converted there. */
export const canConvert = async (host: LibvirtHost, pool: string): Promise<boolean> =>
  host.machine !== null && hasFormats(requireActive(host, pool)) && await hasQemuImg();

/** Whether the start of a file is that of a disk which is converted. What it names is judged when all of it is there. */
export function isToConvert(head: Uint8Array): boolean {
  const format = markedFormat(head);
  return format !== undefined && format !== "qcow2";
}

/** Name of the qcow2 image that a disk is converted to: `web.qcow2` of `web.vmdk`. */
export const convertedName = (name: string): string => `${name.replace(/\.(vmdk|vdi|vhdx?)$/i, "")}.qcow2`;

/** @throws {ContractError} VolumeExists where what a disk becomes is there */
export async function requireConvertible({ link }: LibvirtHost, pool: string, name: string): Promise<void> {
  const becomes = convertedName(name);
  if (await findVolumeNamed(link, pool, becomes)) {
    throw new ContractError("VolumeExists", { pool, name: becomes });
  }
}

/** A disk that has arrived, which no other caller has or changes. */
export interface ArrivedDisk {
  readonly pool: string;
  readonly name: string;
  readonly path: string;
  readonly size: number;
}

/**
 * Makes an image of it. When that fails, nothing of the image is left.
 *
 * @throws {ContractError} DiskRefused, ImageTooLarge, VolumeExists, DiskExceedsPool, JobCancelled
 */
export async function convertArrived(
  host: LibvirtHost,
  { pool, name, path, size }: ArrivedDisk,
  { command, policy, job, actor }: {
    /** The command that the disk arrived by. */
    readonly command: CommandName;
    readonly policy: Pick<ImagePolicy, "maxVirtualGb">;
    readonly job: OpenJob;
    readonly actor: string;
  },
): Promise<PoolVolume> {
  const { link, operations } = host, becomes = convertedName(name);
  const file = await openFile(path);
  // Not `using`: it is read once, and the bundler takes such a variable out.
  const source = { size, read: (offset: number, length: number) => readAt(file, offset, length) };
  const disk = await judgeArriving(source, undefined, `${pool}/${name}`, policy).finally(() => file.close());
  await requireConvertible(host, pool, name);
  await requireRoom(host, pool, size);
  const held = host.locks.take(pool, becomes, { hold: "make" });
  // Not `using`: it is read once, and the bundler takes such a variable out.
  try {
    job.log(message`Converting the ${disk.format} image to ${becomes}`);
    const about = { command, subject: `${pool}/${becomes}`, actor } as const;
    return await operations.run({ ...about, keys: [keyOf.volume(pool, becomes)] }, (operation) => {
      operation.showsAs(job.id);
      const conversion = {
        path,
        disk,
        part: { offset: 0, size },
        pool,
        name: becomes,
        format: "qcow2",
      } as const;
      const onShare = (share: number) => job.progress(Math.round(size + share * size), 2 * size);
      return makeVolume(
        link,
        operation,
        { pool, name: becomes },
        () => convertDisk(host, conversion, job, onShare),
      );
    });
  } finally {
    held[Symbol.dispose]();
  }
}
