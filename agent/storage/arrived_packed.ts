/** Packed files that were uploaded: once all of one is there it is unpacked into a volume, and converted where that is a disk. */
import { type CommandName, ContractError, type ImagePolicy } from "../../lib/contract/mod.ts";
import type { PackingName } from "../../lib/formats/content_kind.ts";
import { FILE_TYPES } from "../../lib/storage/pool_types.ts";
import { describePool } from "../../lib/formats/xml/pool.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import { openFile, readAt } from "../machine/host_file.ts";
import type { OpenJob } from "../jobs/jobs.ts";
import { keyOf } from "../operations/operation_record.ts";
import { type ArrivedDisk, convertArrived } from "./arrived_disk.ts";
import { Sink } from "./images/sink.ts";
import { unpacked, unpackedName } from "./images/unpack.ts";
import { requireActive } from "./shared.ts";
import { findVolumeNamed, type PoolVolume } from "./volumes.ts";
import { message } from "../../lib/i18n/message.ts";

/** Bytes that are read at a time. */
const PIECE = 1024 * 1024;

/** @throws {ContractError} DiskRefused where nothing can be unpacked, VolumeExists where what it becomes is there */
export async function requireUnpackable(
  host: LibvirtHost,
  pool: string,
  name: string,
  packing: PackingName,
): Promise<void> {
  const { type } = describePool(requireActive(host, pool).xml);
  if (host.machine === null || !FILE_TYPES.has(type)) {
    const where = host.machine !== null ? `in a pool of type ${type}` : "on another host";
    const reason =
      `it is packed with ${packing}, and cannot be unpacked ${where}. Unpack it first, or say unpack=never ` +
      "to keep it as it is";
    throw new ContractError("DiskRefused", { path: `${pool}/${name}`, reason });
  }
  const becomes = unpackedName(name);
  if (becomes === "" || becomes === name) return;
  if (await findVolumeNamed(host.link, pool, becomes)) {
    throw new ContractError("VolumeExists", { pool, name: becomes });
  }
}

/** The file's bytes. */
async function* bytesOf(
  path: string,
  size: number,
  onRead: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  const file = await openFile(path);
  try {
    for (let at = 0; at < size;) {
      const bytes = await readAt(file, at, Math.min(PIECE, size - at));
      if (bytes.length === 0) return;
      at += bytes.length;
      onRead(at);
      yield bytes;
    }
  } finally {
    file.close();
  }
}

/**
 * Unpacks it. When that fails, nothing of what it becomes is left.
 *
 * @returns the volume that it became
 * @throws {ContractError} ImageUnpackFailed, NotOnThisHost, DiskRefused, ImageTooLarge, VolumeExists, DiskExceedsPool,
 * JobCancelled @throws {LibvirtError}
 */
export async function unpackArrived(
  host: LibvirtHost,
  { pool, name, path, size, packing }: ArrivedDisk & { readonly packing: PackingName },
  { command, policy, job, actor }: {
    /** The command that the file arrived by. */
    readonly command: CommandName;
    readonly policy: ImagePolicy;
    readonly job: OpenJob;
    readonly actor: string;
  },
): Promise<PoolVolume | undefined> {
  const { link, operations, inventory } = host, becomes = unpackedName(name);
  await requireUnpackable(host, pool, name, packing);
  const held = becomes === name ? undefined : host.locks.take(pool, becomes, { hold: "make" });
  try {
    const keys = [keyOf.volume(pool, becomes)];
    const operation = operations.begin({ command, subject: `${pool}/${becomes}`, actor, keys });
    operation.showsAs(job.id);
    // An upload leads nowhere, whatever is allowed to downloads.
    const spec = { pool, name: becomes, policy: { ...policy, linkedImages: false }, refusesPages: false };
    const sink = await Sink.create(host, operation, spec, null);
    try {
      job.log(message`Unpacking ${packing} to ${sink.path}`);
      let read = 0;
      const content = bytesOf(path, size, (bytes) => job.progress(size + (read = bytes), 2 * size));
      const written = await sink.fill(unpacked(content, packing), {
        job,
        received: () => read,
        isPacked: true,
      });
      job.log(message`Unpacked to ${written} bytes`);
      if (sink.isConverted) {
        const disk = { pool, name: becomes, path: sink.path, size: written };
        const volume = await convertArrived(host, disk, { command, policy, job, actor });
        await sink.remove(); // the image is whole: what was unpacked goes, now or later
        return volume;
      }
      await link.call("poolRefresh", { pool });
      const volume = await findVolumeNamed(link, pool, becomes);
      sink.keep();
      if (volume !== undefined) inventory.storage.put(volume);
      return volume;
    } catch (error) {
      await sink.remove();
      throw error;
    }
  } finally {
    held?.[Symbol.dispose]();
  }
}
