/** The commands on volumes. */
import { type CommandName, ContractError, volumeCommands } from "../../lib/contract/mod.ts";
import { createEncrypted } from "./luks.ts";
import type { Handlers } from "../dispatch.ts";
import type { VmServices } from "../vm/services.ts";
import { requireActive } from "./shared.ts";
import { Users } from "./users.ts";
import { requireRoom, trusted } from "./volume_checks.ts";
import { volumeJobs } from "./volume_jobs.ts";
import {
  operate,
  refuseUsed,
  requireFreeName,
  requireMakeable,
  requireVolume,
  volumeView,
} from "./volume_work.ts";
import { createVolume, deleteVolume, hasFormats, resizeVolume, type Volume } from "./volumes.ts";

type VolumeHandlers = Pick<Handlers, Extract<CommandName, keyof typeof volumeCommands>>;

/** What `none`, `metadata` and `full` ask libvirt for. */
function allocationOf(
  preallocation: "none" | "metadata" | "full",
  format: string | undefined,
  capacity: number,
) {
  if (preallocation === "full") return { allocation: capacity, preallocate: format === "qcow2" };
  if (preallocation === "metadata") return { allocation: 0, preallocate: true };
  return { allocation: 0, preallocate: false };
}

/** A handler for each command on volumes. */
export function volumeHandlers(services: VmServices): VolumeHandlers {
  const { link, inventory } = services;
  const { storage } = inventory;
  const view = (volume: Volume) => volumeView(volume, new Users(inventory));

  return {
    ...volumeJobs(services),

    get_volumes: async ({ pool }) => {
      requireActive(services, pool);
      const volumes = await storage.volumes(pool);
      const users = new Users(inventory);
      return volumes.map((volume) => volumeView(volume, users));
    },

    create_volume: ({ pool, name, capacityBytes, format, preallocation = "none", backing, encryption }) =>
      operate(services, { pool, volume: name }, "VolumeCreateFailed", async () => {
        const record = requireMakeable(services, pool);
        const keepsFiles = hasFormats(record);
        await requireFreeName(services, pool, name);
        const base = backing === undefined ? undefined : await requireVolume(services, backing);
        const chosen = keepsFiles ? format ?? (encryption === undefined ? "qcow2" : "raw") : undefined;
        if (encryption !== undefined && (chosen !== "raw" || preallocation !== "none")) {
          throw new ContractError("InvalidInput", {
            reason: keepsFiles
              ? "an encrypted volume is raw, without preallocation and backing volume"
              : `encryption: the pool ${pool} keeps raw devices`,
          });
        }
        if (base !== undefined && chosen !== "qcow2") {
          throw new ContractError("InvalidInput", { reason: "only a qcow2 volume has a backing volume" });
        }
        if (!keepsFiles && format === "qcow2") {
          throw new ContractError("InvalidInput", { reason: `format: the pool ${pool} keeps raw devices` });
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
          await trusted(services, base);
        }
        await requireRoom(services, pool, capacity);
        if (encryption !== undefined) {
          const { passphrase } = encryption;
          const made = await createEncrypted(link, record, { name, capacity, allocation: 0 }, passphrase);
          return view(made);
        }
        const { allocation, preallocate } = allocationOf(preallocation, chosen, capacity);
        const made = await createVolume(link, pool, {
          name,
          capacity,
          // A volume group has no holes: what is not taken at once could not be taken later.
          allocation: keepsFiles ? allocation : capacity,
          format: chosen,
          ...(base && { backing: { path: base.path, format: base.format ?? "raw" } }),
        }, preallocate);
        return view(made);
      }),

    resize_volume: ({ capacityBytes, ...at }) =>
      operate(services, at, "VolumeResizeFailed", async () => {
        const volume = await requireVolume(services, at);
        if (capacityBytes <= volume.capacity) {
          throw new ContractError("NotLarger", { current: volume.capacity, requested: capacityBytes });
        }
        await refuseUsed(services, volume);
        await trusted(services, volume);
        await requireRoom(services, at.pool, capacityBytes - volume.capacity);
        await resizeVolume(link, volume.path, capacityBytes);
        const resized = await requireVolume(services, at);
        storage.put(resized);
        return view(resized);
      }),

    delete_volume: (at) =>
      operate(services, at, "VolumeDeleteFailed", async () => {
        const volume = await requireVolume(services, at);
        await refuseUsed(services, volume);
        await deleteVolume(link, volume.path);
        return null;
      }),
  };
}
