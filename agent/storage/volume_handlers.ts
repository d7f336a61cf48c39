/** The commands on volumes. */
import {
  type CommandName,
  ContractError,
  type Input,
  type Role,
  type StorageVolume,
  volumeCommands,
} from "../../lib/contract/mod.ts";
import { receiptOf } from "./bin/keep.ts";
import { binVolume } from "./bin/volume.ts";
import { createEncrypted } from "./luks.ts";
import { deleteVolume } from "./passphrases.ts";
import type { Principal } from "../access.ts";
import type { Handlers } from "../dispatch.ts";
import { keyOf } from "../operations/operation_record.ts";
import { makeVolume } from "./volume_steps.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import { checkImage } from "./disk_images/check.ts";
import { VolumeUsage } from "./volume_usage.ts";
import { volumesIn } from "./volume_list.ts";
import { requireRoom, requireWithin } from "./volume_checks.ts";
import { volumeJobs } from "./volume_jobs.ts";
import {
  operate,
  refuseUsedVolume,
  requireFreeVolumeName,
  requireImage,
  requireMakeable,
  requireVolume,
  volumeView,
} from "./volume_work.ts";
import { createVolume, hasFormats, type PoolVolume, resizeVolume } from "./volumes.ts";
import { message } from "../../lib/i18n/message.ts";

type VolumeHandlers = Pick<Handlers, Extract<CommandName, keyof typeof volumeCommands>>;

/** Allocation that libvirt is asked for, for `none`, `metadata` and `full`. */
function allocationOf(
  preallocation: "none" | "metadata" | "full",
  format: string | undefined,
  capacity: number,
) {
  if (preallocation === "full") return { allocation: capacity, preallocate: format === "qcow2" };
  if (preallocation === "metadata") return { allocation: 0, preallocate: true };
  return { allocation: 0, preallocate: false };
}

/** libvirt resizes in the format that it reads from the content, and opens the chain that the header names. */
async function requireResizable(host: LibvirtHost, volume: PoolVolume, role: Role): Promise<void> {
  if (volume.type !== "file") return;
  await requireWithin(host, volume);
  using held = new DisposableStack();
  await checkImage(host, { path: volume.path }, { purpose: "content", role, isHeld: true }, held);
}

/** Splits `pool/volume`: names of pools have no slash. */
function volumeAt(place: string): { pool: string; volume: string } {
  const slash = place.indexOf("/");
  return { pool: place.slice(0, slash), volume: place.slice(slash + 1) };
}

/** A volume with what uses it. */
const view = async (host: LibvirtHost, volume: PoolVolume): Promise<StorageVolume> =>
  volumeView(volume, await VolumeUsage.read(host, [volume]));

/** Makes a volume. @throws {ContractError} */
async function create(
  host: LibvirtHost,
  { pool, name, capacityBytes, format, preallocation = "none", backing, encryption }: Input<"create_volume">,
  principal: Principal,
): Promise<StorageVolume> {
  const { link } = host;
  return await operate(host, { pool, volume: name }, "VolumeCreateFailed", async () => {
    await host.operations.ready([keyOf.volume(pool, name)]);
    using held = new DisposableStack();
    const { role } = principal;
    const record = requireMakeable(host, pool);
    const keepsFiles = hasFormats(record);
    await requireFreeVolumeName(host, pool, name);
    const base = backing === undefined ? undefined : await requireVolume(host, volumeAt(backing));
    const chosen = keepsFiles ? format ?? (encryption === undefined ? "qcow2" : "raw") : undefined;
    if (encryption !== undefined && (chosen !== "raw" || preallocation !== "none")) {
      throw new ContractError("InvalidInput", {
        reason: keepsFiles
          ? "an encrypted volume is raw, without preallocation and backing volume"
          : message`encryption: the pool ${pool} keeps raw devices`,
      });
    }
    if (base !== undefined && chosen !== "qcow2") {
      throw new ContractError("InvalidInput", { reason: "only a qcow2 volume has a backing volume" });
    }
    if (!keepsFiles && format === "qcow2") {
      throw new ContractError("InvalidInput", {
        reason: message`format: the pool ${pool} keeps raw devices`,
      });
    }
    if (chosen !== "qcow2" && preallocation === "metadata") {
      throw new ContractError("InvalidInput", { reason: "preallocation: only qcow2 has metadata" });
    }
    const capacity = capacityBytes ?? base?.capacity;
    if (capacity === undefined) {
      throw new ContractError("InvalidInput", { reason: "capacityBytes is missing" });
    }
    if (base !== undefined) {
      if (capacity < base.capacity) throw new ContractError("NotLarger", { current: base.capacity });
      if (preallocation !== "none") {
        throw new ContractError("InvalidInput", {
          reason: "preallocation and backing exclude each other",
        });
      }
      await requireWithin(host, base);
    }
    const image = base &&
      await checkImage(host, { path: base.path }, { purpose: "base", role }, held);
    await requireRoom(host, pool, capacity);
    const at = { pool, name };
    const subject = `${pool}/${name}`;
    const spec = {
      command: "create_volume",
      subject,
      actor: principal.name,
      keys: [keyOf.volume(pool, name)],
    } as const;
    if (encryption !== undefined) {
      const { passphrase } = encryption;
      const volume = { name, capacity, allocation: 0 };
      const made = await host.operations.run(
        spec,
        (steps) =>
          makeVolume(link, steps, at, () => createEncrypted(host, record, volume, passphrase, steps)),
      );
      return await view(host, made);
    }
    const { allocation, preallocate } = allocationOf(preallocation, chosen, capacity);
    const volume = {
      name,
      capacity,
      // A volume group has no holes: what is not taken at once could not be taken later.
      allocation: keepsFiles ? allocation : capacity,
      format: chosen,
      ...(image && { backing: { path: image.path, format: image.format } }),
    };
    const made = await host.operations.run(
      spec,
      (steps) => makeVolume(link, steps, at, () => createVolume(link, pool, volume, preallocate)),
    );
    // What was just made is what was asked for: later its content alone would not be believed.
    if (image !== undefined) await host.formats.set(made.path, "qcow2");
    return await view(host, made);
  });
}

/** A handler for each command on volumes. */
export function volumeHandlers(host: LibvirtHost): VolumeHandlers {
  const { link, inventory } = host;
  const { storage } = inventory;

  return {
    ...volumeJobs(host),

    get_volumes: ({ pool }) => volumesIn(host, pool),

    create_volume: (input, { principal }) => create(host, input, principal),

    resize_volume: ({ capacityBytes, ...at }, { principal: { role } }) =>
      operate(host, at, "VolumeResizeFailed", async () => {
        const volume = await requireVolume(host, at);
        requireImage(volume);
        if (capacityBytes <= volume.capacity) {
          throw new ContractError("NotLarger", { current: volume.capacity, requested: capacityBytes });
        }
        await refuseUsedVolume(host, volume);
        await requireResizable(host, volume, role);
        await requireRoom(host, at.pool, capacityBytes - volume.capacity);
        await resizeVolume(link, volume.path, capacityBytes);
        const resized = await requireVolume(host, at);
        storage.put(resized);
        return await view(host, resized);
      }),

    delete_volume: ({ permanently = false, ...at }, { principal }) =>
      operate(host, at, "VolumeDeleteFailed", async () => {
        const volume = await requireVolume(host, at);
        await refuseUsedVolume(host, volume);
        const entry = permanently ? undefined : await binVolume(host, volume, principal.name);
        if (entry !== undefined) return { bin: receiptOf(entry) };
        await deleteVolume(host, volume.path);
        host.leftDisks.forget({ host: host.id, path: volume.path });
        return { bin: null };
      }),
  };
}
