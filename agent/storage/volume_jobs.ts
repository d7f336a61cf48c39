/** Long work on volumes, as jobs with progress that can be cancelled: copying, converting, wiping. */
import { Transfer } from "../../ffi/transfers.ts";
import {
  type CommandName,
  ContractError,
  type ErrorCode,
  type Role,
  type StorageVolume,
  type volumeCommands,
} from "../../lib/contract/mod.ts";
import type { Principal } from "../access.ts";
import type { CallContext, Handlers } from "../dispatch.ts";
import type { JobHandle } from "../jobs/jobs.ts";
import { log } from "../log.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import { t } from "../operations/outcome.ts";
import { keyOf } from "../operations/operation_record.ts";
import { makeVolume } from "./volume_steps.ts";
import { copyVolume } from "./copy.ts";
import { forgetPassphrase } from "./passphrases.ts";
import { type CopySource, copySource } from "./copy_source.ts";
import { storageError } from "./shared.ts";
import { VolumeUsage } from "./volume_usage.ts";
import { requireRoom, requireWithin } from "./volume_checks.ts";
import {
  type At,
  operate,
  refuseUsedVolume,
  requireFreeVolumeName,
  requireImage,
  requireMakeable,
  requireVolume,
  volumeView,
} from "./volume_work.ts";
import { hasFormats, type PoolVolume } from "./volumes.ts";
import { type Message, message } from "../../lib/i18n/message.ts";

type VolumeJobs = Pick<
  Handlers,
  Extract<CommandName, keyof typeof volumeCommands> & ("clone_volume" | "convert_volume" | "wipe_volume")
>;

/** Bytes of zeros written at a time. */
const PIECE = 1024 * 1024;

/** A copy to be made. */
interface Copy {
  readonly command: "clone_volume" | "convert_volume";
  readonly title: Message;
  readonly failed: ErrorCode;
  readonly at: At;
  readonly pool: string;
  readonly name: string;
  /** The copy's format, by the source's. */
  readonly formatOf: (source: string | undefined, toFiles: boolean) => string | undefined;
}

/**
 * Source of a copy, checked and locked. A volume that is neither file nor device has no header that a program
 * would follow.
 */
async function sourceOf(
  host: LibvirtHost,
  volume: PoolVolume,
  role: Role,
  held: DisposableStack,
): Promise<CopySource | PoolVolume> {
  requireImage(volume);
  if (volume.type !== "file" && volume.type !== "block") return volume;
  await requireWithin(host, volume);
  const { pool, name } = volume;
  return await copySource(host, { volume: { pool, name } }, role, held);
}

/** Whether the host keeps a volume with holes: libvirt wipes it by making one hole of it. */
async function isSparse({ link }: LibvirtHost, { path, type, allocation }: PoolVolume): Promise<boolean> {
  return type === "file" && allocation < await link.call("volumePhysical", { path });
}

/** Writes zeros over all of a volume. What is half wiped stays so when it is cancelled. */
async function overwrite(
  { link }: LibvirtHost,
  { path }: PoolVolume,
  job: JobHandle,
): Promise<void> {
  const size = await link.call("volumePhysical", { path });
  await using transfer = await Transfer.open(link.address, {
    direction: "upload",
    ...link.placeOf(path),
    offset: 0,
    length: size,
  }, link.gate);
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

/** Has libvirt look again what a volume is: wiped, it has no format. Its next refresh finds that, too. */
const look = ({ link }: LibvirtHost, pool: string) =>
  link.call("poolRefresh", { pool }).catch((error) =>
    log.debug("a pool could not be refreshed", { pool, error })
  );

/** Makes a volume out of another one. It is removed again when that fails or is cancelled. */
async function copyOf(
  host: LibvirtHost,
  { command, title, failed, at, pool, name, formatOf }: Copy,
  { principal }: CallContext,
): Promise<StorageVolume> {
  const { link, jobs, operations } = host;
  const keys = [keyOf.volume(pool, name), keyOf.volume(at.pool, at.volume)];
  await operations.ready(keys);
  // It stays while the job waits; what it is, is looked at when its turn has come.
  using _source = host.locks.take(at.pool, at.volume, { hold: "read" });
  return await operate(host, { pool, volume: name }, failed, async () => {
    const toFiles = hasFormats(requireMakeable(host, pool));
    await requireFreeVolumeName(host, pool, name);
    const prepare = async (held: DisposableStack) => {
      const volume = await requireVolume(host, at);
      const source = await sourceOf(host, volume, principal.role, held);
      const format = formatOf("volume" in source ? source.format : volume.format, toFiles);
      await requireRoom(host, pool, toFiles ? volume.allocation : volume.capacity);
      return { volume, source, format };
    };
    // What is refused now is not put into the queue.
    using looking = new DisposableStack();
    await prepare(looking);
    looking.dispose();
    const made = await jobs.run({
      command,
      title,
      actor: principal.name,
      subject: `${pool}/${name}`,
      lane: "copy",
      ifInterrupted: t("operations.later"),
    }, async (job) => {
      using held = new DisposableStack();
      const { volume, source, format } = await prepare(held);
      job.log(message`Copying ${volume.path}`);
      const share = { before: 0, total: volume.allocation };
      const about = { command, subject: `${pool}/${name}`, actor: principal.name, keys };
      try {
        const done = await operations.run(about, (operation) => {
          operation.showsAs(job.id);
          const target = { source, pool, name, format };
          return makeVolume(link, operation, { pool, name }, () => copyVolume(link, target, job, share));
        });
        job.progress(volume.allocation, volume.allocation);
        return done;
      } catch (error) {
        throw storageError(error, failed, { name });
      }
    });
    return volumeView(made, await VolumeUsage.read(host, [made]));
  }, "make");
}

/** Writes zeros over a volume, or makes one hole of it. @throws {ContractError} */
async function wipe(host: LibvirtHost, at: At, principal: Principal): Promise<null> {
  const { link, jobs } = host;
  return await operate(host, at, "VolumeWipeFailed", async () => {
    const volume = await requireVolume(host, at);
    requireImage(volume);
    await requireWithin(host, volume);
    await refuseUsedVolume(host, volume);
    await jobs.run({
      command: "wipe_volume",
      title: message`Wipe ${at.volume} of ${at.pool}`,
      actor: principal.name,
      subject: `${at.pool}/${at.volume}`,
      lane: "copy",
      ifInterrupted: t("operations.wiped"),
    }, async (job) => {
      try {
        if (await isSparse(host, volume)) await link.call("volumeWipe", { path: volume.path });
        else await overwrite(host, volume, job);
        // What it opened is no more.
        if (volume.encryption?.secret !== undefined) await forgetPassphrase(host, volume.path);
      } catch (error) {
        throw storageError(error, "VolumeWipeFailed", { name: at.volume });
      }
    }).finally(() => look(host, at.pool));
    return null;
  });
}

/** A handler for each of them. */
export function volumeJobs(host: LibvirtHost): VolumeJobs {
  return {
    clone_volume: ({ pool, volume, name, targetPool = pool }, context) =>
      copyOf(host, {
        command: "clone_volume",
        title: targetPool === pool
          ? message`Copy ${volume} of ${pool} to ${name}`
          : message`Copy ${volume} of ${pool} to ${name} in ${targetPool}`,
        failed: "VolumeCloneFailed",
        at: { pool, volume },
        pool: targetPool,
        name,
        formatOf: (format, toFiles) => toFiles ? format === "qcow2" ? "qcow2" : "raw" : undefined,
      }, context),

    convert_volume: ({ pool, volume, name, format, targetPool = pool }, context) =>
      copyOf(host, {
        command: "convert_volume",
        title: targetPool === pool
          ? message`Convert ${volume} of ${pool} to ${format}: ${name}`
          : message`Convert ${volume} of ${pool} to ${format}: ${name} in ${targetPool}`,
        failed: "VolumeConvertFailed",
        at: { pool, volume },
        pool: targetPool,
        name,
        formatOf: (source, toFiles) => {
          if ((source === "qcow2" ? "qcow2" : "raw") === format) {
            throw new ContractError("InvalidInput", {
              reason: message`format: the volume is ${format} already`,
            });
          }
          if (!toFiles && format === "qcow2") {
            throw new ContractError("InvalidInput", {
              reason: message`format: the pool ${targetPool} keeps raw devices`,
            });
          }
          return toFiles ? format : undefined;
        },
      }, context),

    wipe_volume: (at, { principal }) => wipe(host, at, principal),
  };
}
