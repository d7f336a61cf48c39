/** Errors: storage pools and volumes. */
import type { ErrorKind } from "./kind.ts";

export const STORAGE_ERRORS = {
  StorageUnknown: {
    text: "The storage of this host is not known yet: {reason}. Try again shortly.",
    status: 503,
    exit: 3,
  },
  StorageNotResponding: {
    text:
      "The storage at {path} has not responded since {since}. Check its server. If it does not come back, " +
      "run: umount -l {path} (as root), then try again.",
    status: 503,
    exit: 3,
  },
  StoragePoolNotResponding: {
    text:
      "Storage pool {pool} has not responded since {since} ({call}). Check the server or disk behind it; " +
      "if it does not come back, restart libvirtd: running VMs go on.",
    status: 503,
    exit: 3,
  },
  StoragePoolExists: { text: "Storage pool already exists: {pool}", status: 409, exit: 5 },
  StoragePoolActive: { text: "Storage pool is already active: {pool}", status: 409, exit: 5 },
  StoragePoolNotPersistent: {
    text: "Storage pool is transient: it disappears when it stops, so this setting cannot be kept",
    status: 409,
    exit: 5,
  },
  StoragePoolInUse: {
    text: "Storage pool is used by {vm}: {pool}. Shut it down or give it other disks first.",
    status: 409,
    exit: 5,
  },
  StoragePoolNeeded: {
    text: "Storage pool {pool} is needed by {keeper}. {remedy}.",
    status: 409,
    exit: 5,
  },
  StoragePoolFailed: {
    text: "Failed to {verb} storage pool: {error}",
    byVerb: {
      create: "Failed to create storage pool: {error}",
      start: "Failed to start storage pool: {error}",
      stop: "Failed to stop storage pool: {error}",
      refresh: "Failed to refresh storage pool: {error}",
      delete: "Failed to delete storage pool: {error}",
      change: "Failed to change storage pool: {error}",
    },
    status: 502,
    exit: 1,
  },
  StorageSourcesFailed: { text: "Failed to look for storage: {error}", status: 502, exit: 1 },
  StorageBusy: {
    text: "{what} is busy with another operation. Wait for it to end, then try again.",
    status: 409,
    exit: 5,
  },
  VolumeInUse: { text: "Volume is used by {vm}: {name} (storage pool {pool})", status: 409, exit: 5 },
  VolumeCreateFailed: { text: "Failed to create volume: {error}", status: 502, exit: 1 },
  VolumeResizeFailed: { text: "Failed to resize volume: {error}", status: 502, exit: 1 },
  VolumeCloneFailed: { text: "Failed to clone volume: {error}", status: 502, exit: 1 },
  VolumeCopyFailed: { text: "Failed to copy the volume to {host}: {error}", status: 502, exit: 1 },
  VolumeConvertFailed: { text: "Failed to convert volume: {error}", status: 502, exit: 1 },
  VolumeWipeFailed: { text: "Failed to wipe volume: {error}", status: 502, exit: 1 },
  VolumeDeleteFailed: { text: "Failed to delete volume: {name} - {error}", status: 502, exit: 1 },
} as const satisfies Record<string, ErrorKind>;
