/** What takes long on volumes, as jobs with progress that can be cancelled: copying, converting, wiping. */
import { Transfer } from "../../ffi/transfers.ts";
import {
  type CommandName,
  ContractError,
  type ErrorCode,
  type StorageVolume,
  type volumeCommands,
} from "../../lib/contract/mod.ts";
import type { CallContext, Handlers } from "../dispatch.ts";
import type { JobHandle } from "../jobs/jobs.ts";
import { log } from "../log.ts";
import type { VmServices } from "../vm/services.ts";
import { copyVolume } from "./copy.ts";
import { storageError, take } from "./shared.ts";
import { refuseRunningVolume, Users } from "./users.ts";
import { requireRoom, requireWithin, trusted } from "./volume_checks.ts";
import {
  type At,
  operate,
  refuseUsed,
  requireFreeName,
  requireMakeable,
  requireVolume,
  volumeView,
} from "./volume_work.ts";
import { hasFormats, type Volume } from "./volumes.ts";

type VolumeJobs = Pick<
  Handlers,
  Extract<CommandName, keyof typeof volumeCommands> & ("clone_volume" | "convert_volume" | "wipe_volume")
>;

/** Bytes of zeros written at a time. */
const PIECE = 1024 * 1024;

/** Formats that a copy may be made of; libvirt would have qemu-img follow what others name. */
const COPIED: ReadonlySet<string | undefined> = new Set([undefined, "raw", "iso", "qcow2"]);

/** A copy to be made. */
interface Copy {
  readonly command: "clone_volume" | "convert_volume";
  readonly title: string;
  readonly failed: ErrorCode;
  readonly at: At;
  readonly pool: string;
  readonly name: string;
  /** The copy's format, by the source's. */
  readonly formatOf: (source: Volume, toFiles: boolean) => string | undefined;
}

/** Whether the host keeps a volume with holes: libvirt wipes it by making one hole of it. */
async function isSparse({ link }: VmServices, { path, type, allocation }: Volume): Promise<boolean> {
  return type === "file" && allocation < await link.call("volumePhysical", { path });
}

/** Writes zeros over all of a volume. What is half wiped stays so when it is cancelled. */
async function overwrite(
  { link }: VmServices,
  { path }: Volume,
  job: JobHandle,
): Promise<void> {
  const size = await link.call("volumePhysical", { path });
  await using transfer = await Transfer.open(link.uri, {
    direction: "upload",
    path,
    offset: 0,
    length: size,
  });
  const zeros = new Uint8Array(new SharedArrayBuffer(PIECE));
  for (let done = 0; done < size;) {
    job.signal.throwIfAborted();
    const piece = zeros.subarray(0, Math.min(PIECE, size - done));
    await transfer.give(piece);
    done += piece.length;
    job.progress(done, size);
  }
  await transfer.finish();
}

/** A handler for each of them. */
export function volumeJobs(services: VmServices): VolumeJobs {
  const { link, inventory, jobs } = services;

  /** Has libvirt look again what a volume is: wiped, it has no format. Its next refresh finds that, too. */
  const look = (pool: string) =>
    link.call("poolRefresh", { pool }).catch((error) =>
      log.debug("a pool could not be refreshed", { pool, error })
    );
  /** Makes a volume out of another one. It is removed again when that fails or is cancelled. */
  const copy = async (
    { command, title, failed, at, pool, name, formatOf }: Copy,
    { principal }: CallContext,
  ): Promise<StorageVolume> => {
    using _source = take(at.pool, at.volume);
    return await operate(services, { pool, volume: name }, failed, async () => {
      const volume = await requireVolume(services, at);
      const toFiles = hasFormats(requireMakeable(services, pool));
      await requireFreeName(services, pool, name);
      refuseRunningVolume(services, volume);
      const refuse = (reason: string) => new ContractError("DiskRefused", { path: volume.path, reason });
      if (!COPIED.has(volume.format)) {
        throw refuse(`its format is ${volume.format}: only qcow2 and raw are copied`);
      }
      if (volume.encryption?.secret !== undefined) {
        throw refuse("it is encrypted, and its passphrase belongs to it alone: copy inside a VM");
      }
      await trusted(services, volume);
      const format = formatOf(volume, toFiles);
      await requireRoom(services, pool, toFiles ? volume.allocation : volume.capacity);
      const made = await jobs.run({
        command,
        title,
        actor: principal.name,
        subject: `${pool}/${name}`,
        lane: "copy",
        ifInterrupted: `Delete the unfinished volume ${name} from the pool ${pool}, then try again.`,
      }, async (job) => {
        job.log(`Copying ${volume.path}`);
        const share = { before: 0, total: volume.allocation };
        try {
          const done = await copyVolume(link, { source: volume.path, pool, name, format }, job, share);
          job.progress(volume.allocation, volume.allocation);
          return done;
        } catch (error) {
          throw storageError(error, failed, { name });
        }
      });
      return volumeView(made, new Users(inventory));
    });
  };

  return {
    clone_volume: ({ pool, volume, name, targetPool = pool }, context) =>
      copy({
        command: "clone_volume",
        title: `Copy ${volume} of ${pool} to ${name}${targetPool === pool ? "" : ` in ${targetPool}`}`,
        failed: "VolumeCloneFailed",
        at: { pool, volume },
        pool: targetPool,
        name,
        formatOf: ({ format }, toFiles) => toFiles ? format === "qcow2" ? "qcow2" : "raw" : undefined,
      }, context),

    convert_volume: ({ pool, volume, name, format, targetPool = pool }, context) =>
      copy({
        command: "convert_volume",
        title: `Convert ${volume} of ${pool} to ${format}: ${name}${
          targetPool === pool ? "" : ` in ${targetPool}`
        }`,
        failed: "VolumeConvertFailed",
        at: { pool, volume },
        pool: targetPool,
        name,
        formatOf: (source, toFiles) => {
          if ((source.format === "qcow2" ? "qcow2" : "raw") === format) {
            throw new ContractError("InvalidInput", { reason: `format: the volume is ${format} already` });
          }
          if (!toFiles && format === "qcow2") {
            throw new ContractError("InvalidInput", {
              reason: `format: the pool ${targetPool} keeps raw devices`,
            });
          }
          return toFiles ? format : undefined;
        },
      }, context),

    wipe_volume: (at, { principal }) =>
      operate(services, at, "VolumeWipeFailed", async () => {
        const volume = await requireVolume(services, at);
        await requireWithin(services, volume);
        await refuseUsed(services, volume);
        await jobs.run({
          command: "wipe_volume",
          title: `Wipe ${at.volume} of ${at.pool}`,
          actor: principal.name,
          subject: `${at.pool}/${at.volume}`,
          lane: "copy",
          ifInterrupted: `A part of ${at.volume} is overwritten. Wipe it again.`,
        }, async (job) => {
          try {
            if (await isSparse(services, volume)) await link.call("volumeWipe", { path: volume.path });
            else await overwrite(services, volume, job);
            // What it opened is no more.
            if (volume.encryption?.secret !== undefined) {
              await link.call("secretForget", { path: volume.path });
            }
          } catch (error) {
            throw storageError(error, "VolumeWipeFailed", { name: at.volume });
          }
        }).finally(() => look(at.pool));
        return null;
      }),
  };
}
