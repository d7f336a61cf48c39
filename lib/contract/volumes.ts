/** Volumes: the disks and images in storage pools. */
import Type, { type Static } from "typebox";
import { BinReceipt, PERMANENTLY } from "./bin.ts";
import { command } from "./command.ts";
import { closed, NO_OUTER_BLANK, oneOf, SECRET } from "./schema.ts";
import { PoolName, StorageUser } from "./storage.ts";

/** Formats a volume can be made in. */
export const VOLUME_FORMATS = ["qcow2", "raw"] as const;
/** Preallocation of a volume. `metadata`: a qcow2's tables; `full`: all of it. */
export const PREALLOCATIONS = ["none", "metadata", "full"] as const;
/** 8 EiB, less what JSON's numbers cannot hold. */
const MOST_BYTES = Number.MAX_SAFE_INTEGER;

/** Any volume there is. */
export const VolumeName = Type.String({
  minLength: 1,
  maxLength: 1024,
  description: "name of the volume in its pool",
});
/** One to be made: a file name, and nothing else. */
export const NewVolumeName = Type.String({
  minLength: 1,
  maxLength: 200,
  pattern: `${NO_OUTER_BLANK}(?![.-])[^/\\u0000-\\u001f\\u007f\\ufffd]+$`,
  description:
    "a file name: no slash, line break or U+FFFD, no blank at its ends, not beginning with a dot or dash",
});
/** Passphrase of an encrypted volume: text, because a person has to be able to type it elsewhere. */
const Passphrase = Type.String({
  ...SECRET,
  minLength: 8,
  maxLength: 512,
  pattern: "^[^\\u0000-\\u001f\\u007f]+$",
  description:
    "8 to 512 characters without line breaks; kept by libvirt as a secret that cannot be read back",
});
/** A volume in any pool. */
const VolumePlace = Type.String({
  minLength: 3,
  maxLength: 1281,
  pattern: "^[^/]+/[^/].*$",
  description: "the volume it is built on, as pool/volume; the format is qcow2 then",
});
const Capacity = Type.Integer({
  minimum: 1,
  maximum: MOST_BYTES,
  description: "what a guest sees, in bytes",
});

export const Volume = Type.Object({
  pool: Type.String(),
  name: Type.String(),
  path: Type.String(),
  type: Type.String({ description: "file, block, dir, network, …" }),
  format: Type.Optional(Type.String({ description: "absent where volumes have none (LVM)" })),
  capacityBytes: Type.Integer({ description: "what a guest sees" }),
  allocationBytes: Type.Integer({ description: "what it takes" }),
  backing: Type.Optional(Type.Object({
    path: Type.String({ description: "the image it is built on" }),
    format: Type.Optional(Type.String()),
  })),
  encrypted: Type.Boolean(),
  usedBy: Type.Array(StorageUser),
});
export type StorageVolume = Static<typeof Volume>;

const AT = { pool: PoolName, volume: VolumeName };
const AT_ERRORS = ["StoragePoolNotFound", "StoragePoolNotActive", "VolumeNotFound"] as const;

export const volumeCommands = {
  get_volumes: command({
    summary: "List the volumes of a storage pool",
    role: "viewer",
    input: closed({ pool: PoolName }),
    output: Type.Array(Volume),
    errors: ["StoragePoolNotFound", "StoragePoolNotActive", "StorageUnknown"],
    route: "GET /storage/pools/{pool}/volumes",
    cli: ["volume", "list", "<pool>"],
    lookup: { fields: ["volume"], by: "name", more: "format" },
    columns: ["name", "format", "capacityBytes", "allocationBytes", "usedBy"],
    wide: ["backing", "encrypted", "path"],
    readOnly: true,
  }),
  create_volume: command({
    summary: "Create an empty volume in a storage pool",
    description:
      "With encryption its passphrase becomes a secret of libvirt's, which is removed with the volume. Who loses the " +
      "passphrase and the secret has lost what is in it.",
    role: "operator",
    input: closed({
      pool: PoolName,
      name: NewVolumeName,
      capacityBytes: Type.Optional(Capacity),
      format: Type.Optional(oneOf(VOLUME_FORMATS, { description: "qcow2 where the pool keeps files" })),
      preallocation: Type.Optional(oneOf(PREALLOCATIONS)),
      backing: Type.Optional(VolumePlace),
      encryption: Type.Optional(closed({ passphrase: Passphrase }, {
        description:
          "encrypts it with LUKS; the format is raw then. VMs that have it as a disk open it by themselves",
      })),
    }),
    envelope: "config",
    output: Volume,
    errors: [
      ...AT_ERRORS,
      "VolumeExists",
      "VolumeCreateFailed",
      "DiskExceedsPool",
      "StoragePoolReadOnly",
      "DiskRefused",
    ],
    route: "POST /storage/pools/{pool}/volumes",
    cli: ["volume", "create", "<pool>", "<name>"],
    places: ["<pool>", "<name>", "[capacityBytes]"],
    flags: { size: "capacityBytes" },
    examples: [
      "kvm-manager volume create default data.qcow2 20G",
      "kvm-manager volume create default data.raw --size 20G --format raw",
      "kvm-manager volume create default web.qcow2 --backing default/debian-12.qcow2",
    ],
    exampleFields: ["capacityBytes", "format"],
    readOnly: false,
  }),
  resize_volume: command({
    summary: "Make a volume larger",
    description: "Of a running VM's disk use resize_disk: the guest learns the new size.",
    role: "operator",
    input: closed({ ...AT, capacityBytes: Capacity }),
    output: Volume,
    errors: [
      ...AT_ERRORS,
      "NotLarger",
      "VolumeInUse",
      "DiskExceedsPool",
      "StoragePoolReadOnly",
      "DiskRefused",
      "VolumeResizeFailed",
    ],
    route: "POST /storage/pools/{pool}/volumes/{volume}/resize",
    cli: ["volume", "resize", "<pool>", "<volume>", "<capacityBytes>"],
    examples: [
      "kvm-manager volume resize default data.qcow2 40G",
      "kvm-manager volume resize default data.qcow2 +2G",
    ],
    readOnly: false,
  }),
  clone_volume: command({
    summary: "Copy a volume",
    description:
      "Answers when everything is copied; meanwhile it is a job: list_jobs has its progress, cancel_job ends and " +
      "removes it. A copy of an image built on another one stands alone.",
    role: "operator",
    input: closed({ ...AT, name: NewVolumeName, targetPool: Type.Optional(PoolName) }),
    output: Volume,
    errors: [
      ...AT_ERRORS,
      "VolumeExists",
      "VolumeInUse",
      "DiskExceedsPool",
      "StoragePoolReadOnly",
      "DiskRefused",
      "VolumeCloneFailed",
      "JobCancelled",
    ],
    route: "POST /storage/pools/{pool}/volumes/{volume}/clone",
    makesAt: "/storage/pools/{pool}/volumes/{name}",
    cli: ["volume", "clone", "<pool>", "<volume>", "<name>"],
    isJob: true,
    readOnly: false,
  }),
  convert_volume: command({
    summary: "Convert a volume to another format, into a new volume",
    description:
      "Answers when everything is converted; meanwhile it is a job: list_jobs has its progress, cancel_job ends and " +
      "removes it. The volume itself stays as it is.",
    role: "operator",
    input: closed({
      ...AT,
      name: NewVolumeName,
      format: oneOf(VOLUME_FORMATS),
      targetPool: Type.Optional(PoolName),
    }),
    output: Volume,
    errors: [
      ...AT_ERRORS,
      "VolumeExists",
      "VolumeInUse",
      "DiskExceedsPool",
      "StoragePoolReadOnly",
      "DiskRefused",
      "VolumeConvertFailed",
      "JobCancelled",
    ],
    route: "POST /storage/pools/{pool}/volumes/{volume}/convert",
    makesAt: "/storage/pools/{pool}/volumes/{name}",
    cli: ["volume", "convert", "<pool>", "<volume>", "<name>", "<format>"],
    isJob: true,
    readOnly: false,
  }),
  wipe_volume: command({
    summary: "Overwrite a volume with zeros",
    description:
      "Its content is lost. Of a qcow2 image nothing remains but a file of zeros. It is a job: what was overwritten " +
      "before it was cancelled is lost, too.",
    role: "administrator",
    input: closed(AT),
    output: Type.Null(),
    errors: [...AT_ERRORS, "StoragePoolReadOnly", "VolumeInUse", "VolumeWipeFailed", "JobCancelled"],
    route: "POST /storage/pools/{pool}/volumes/{volume}/wipe",
    cli: ["volume", "wipe", "<pool>", "<volume>"],
    destroys: "the volume's content",
    isJob: true,
    readOnly: false,
  }),
  delete_volume: command({
    summary: "Delete a volume",
    description:
      "It goes into the bin, from where restore_bin_entry brings it back, where it is a file in a folder of this host. " +
      "Elsewhere (LVM, Ceph, iSCSI) it is deleted for good.",
    role: "operator",
    input: closed({ ...AT, permanently: PERMANENTLY }),
    output: Type.Object({
      bin: Type.Union([BinReceipt, Type.Null()], {
        description: "where it is kept; null: it is gone for good",
      }),
    }),
    errors: [...AT_ERRORS, "StoragePoolReadOnly", "VolumeInUse", "VolumeDeleteFailed", "StoreUnavailable"],
    route: "DELETE /storage/pools/{pool}/volumes/{volume}",
    cli: ["volume", "delete", "<pool>", "<volume>"],
    destroys:
      "the volume, once its time in the bin is over; at once where the bin cannot keep it, and with --permanently",
    readOnly: false,
  }),
};
