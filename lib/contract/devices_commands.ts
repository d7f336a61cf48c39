/** Every command that adds, changes or removes a disk of a VM. */
import Type from "typebox";
import { DISK_BUSES, DISK_FORMATS } from "./choices.ts";
import { BinReceipt } from "./bin.ts";
import { command } from "./command.ts";
import { AnyMedium, BackingPlace, ConfigFinding, DiskSizeGb, ImagePlace } from "./create.ts";
import { DiskLimits } from "./device_limits.ts";
import { closed, oneOf, SentenceText, VmId } from "./schema.ts";
import { PoolName } from "./storage.ts";
import { NewVolumeName } from "./volumes.ts";
import { DeviceApplied, DeviceOptions, DiskTuning, LiveAndPersistent, VmDevices } from "./devices.ts";

const Target = Type.String({
  minLength: 3,
  maxLength: 8,
  pattern: "^(vd|sd|hd|fd|xvd|ubd)[a-z]+$",
  description: "vda, sdb, …",
});
/** A name as libvirt takes it for pools, volumes, networks and filters: never a path. */
export const LibvirtName = Type.String({
  minLength: 1,
  maxLength: 255,
  pattern: "^[^/\\u0000-\\u001f\\u007f]+$",
});
const VolumeName = Type.String({
  minLength: 1,
  maxLength: 128,
  pattern: "^[A-Za-z0-9_][A-Za-z0-9._+@ -]*$",
});
const ImageFormat = oneOf(DISK_FORMATS);

/** A disk, by its VM and target. */
const OneDisk = { vmId: VmId, target: Target };

export const deviceCommands = {
  get_vm_devices: command({
    summary: "Show a VM's disks and network interfaces, and what of them waits for its next start",
    role: "viewer",
    input: closed({ vmId: VmId }),
    output: VmDevices,
    errors: ["VmNotFound"],
    route: "GET /vms/{vmId}/devices",
    cli: ["vm", "devices", "<vmId>"],
    lookup: { fields: ["target"], in: "disks", by: "target", more: "source" },
    readOnly: true,
  }),
  get_device_options: command({
    summary: "Show what disks and network interfaces can be made of",
    description:
      "Pools with their volumes, networks, bridges and network devices of the host, network filters.",
    role: "operator",
    input: closed({ vmId: VmId }),
    output: DeviceOptions,
    errors: ["VmNotFound"],
    route: "GET /vms/{vmId}/device-options",
    cli: ["vm", "device-options", "<vmId>"],
    alsoNeeds: [{ permission: "storage.view" }, { permission: "networks.view" }],
    hides: "host-interfaces",
    readOnly: true,
  }),
  attach_disk: command({
    summary: "Add a disk or a CD-ROM drive to a VM",
    description:
      "Of a new volume (`create`), or of what is there (`path`): a volume, or a file or block device, which outside " +
      "every pool is for administrators only. A drive (`device: cdrom`) may be empty.",
    role: "operator",
    input: closed({
      vmId: VmId,
      device: Type.Optional(oneOf(["disk", "cdrom"])),
      create: Type.Optional(closed({
        pool: Type.Optional(LibvirtName),
        sizeGb: DiskSizeGb,
        format: Type.Optional(ImageFormat),
        name: Type.Optional(VolumeName),
      }, { description: "a new volume; in the default pool when none is named" })),
      path: Type.Optional(ImagePlace),
      format: Type.Optional(ImageFormat),
      backingFile: Type.Optional(BackingPlace),
      bus: Type.Optional(oneOf(DISK_BUSES)),
      target: Type.Optional(Target),
      ...DiskTuning,
      ...DiskLimits,
      ...LiveAndPersistent,
    }),
    output: Type.Object({
      ...DeviceApplied.properties,
      target: Type.String(),
      path: Type.Union([Type.String(), Type.Null()]),
    }),
    errors: [
      "QuotaExceeded",
      "VmNotFound",
      "HasSavedMemory",
      "VmNotRunning",
      "VmNotPersistent",
      "NoUsbController",
      "InvalidDiskSize",
      "DiskExceedsPool",
      "StoragePoolReadOnly",
      "StoragePoolNotFound",
      "StoragePoolNotActive",
      "VolumeNotFound",
      "VolumeExists",
      "DiskNotFound",
      "PathRefused",
      "DiskRefused",
      "DiskInUse",
      "TargetTaken",
      "NoFreeTarget",
      "NotHotpluggable",
      "BusNotSupported",
      "NoFreeSlot",
      "NotOnThisHost",
      "DiskCreateFailed",
      "AttachFailed",
      "Forbidden",
    ],
    route: "POST /vms/{vmId}/disks",
    cli: ["vm", "attach-disk", "<vmId>"],
    flags: { size: "create.sizeGb" },
    examples: [
      "kvm-manager vm attach-disk web1 --size 20G",
      "kvm-manager vm attach-disk web1 --size 1T --bus scsi",
      "kvm-manager vm attach-disk web1 --size 20G --total-bytes-sec 50M --total-iops-sec 500",
    ],
    exampleFields: ["path", "bus"],
    alsoNeeds: [{ permission: "storage.operate" }],
    mark: "change",
    readOnly: false,
  }),
  detach_disk: command({
    summary: "Take a disk or drive away from a VM",
    description:
      "A running guest must release it; one that does not leaves everything as it was. Deleting its " +
      "volume too is for administrators.",
    role: "operator",
    input: closed({
      ...OneDisk,
      deleteVolume: Type.Optional(Type.Boolean({ default: false, description: "delete its volume too" })),
      ...LiveAndPersistent,
    }),
    output: Type.Object({
      ...DeviceApplied.properties,
      deletedVolume: Type.Union([Type.String(), Type.Null()]),
      bin: Type.Union([BinReceipt, Type.Null()], {
        description: "where the volume is kept; null: it is gone for good, or was not to be deleted",
      }),
    }),
    errors: [
      "VmNotFound",
      "HasSavedMemory",
      "VmNotRunning",
      "VmNotPersistent",
      "NoSuchDisk",
      "NotHotpluggable",
      "DeviceNotReleased",
      "DetachFailed",
      "DiskDeleteFailed",
      "Forbidden",
    ],
    route: "DELETE /vms/{vmId}/disks/{target}",
    cli: ["vm", "detach-disk", "<vmId>", "<target>"],
    alsoNeeds: [{ permission: "storage.operate", fields: ["deleteVolume"] }],
    destroys: "with --delete-volume the disk's data, once its time in the bin is over",
    mark: "change",
    readOnly: false,
  }),
  resize_disk: command({
    summary: "Make a VM's disk larger",
    description:
      "A running guest sees the new size at once; its partitions and file systems are its own business.",
    role: "operator",
    input: closed({ ...OneDisk, sizeGb: DiskSizeGb }),
    output: Type.Object({ capacityBytes: Type.Integer() }),
    errors: [
      "QuotaExceeded",
      "VmNotFound",
      "HasSavedMemory",
      "NoSuchDisk",
      "InvalidDiskSize",
      "NotLarger",
      "DiskExceedsPool",
      "StoragePoolReadOnly",
      "DiskRefused",
      "DiskInUse",
      "ResizeFailed",
    ],
    route: "PUT /vms/{vmId}/disks/{target}/size",
    cli: ["vm", "resize-disk", "<vmId>", "<target>", "<sizeGb>"],
    examples: ["kvm-manager vm resize-disk web1 vda 40G", "kvm-manager vm resize-disk web1 vda +2G"],
    mark: "change",
    readOnly: false,
  }),
  update_disk: command({
    summary: "Change how a VM's disk is run, and its limits",
    description:
      "Limits apply at once and at every start. All else a running VM has from its next start on: QEMU takes none of it " +
      "while it runs. What is not named stays; a limit of 0 takes its bursts with it.",
    role: "operator",
    input: closed({ ...OneDisk, ...DiskTuning, ...DiskLimits }),
    output: Type.Object({
      ...DeviceApplied.properties,
      waiting: Type.Array(Type.String(), {
        description: "the fields of this change that the running VM has from its next start on",
      }),
    }),
    errors: [
      "VmNotFound",
      "HasSavedMemory",
      "VmNotPersistent",
      "NoSuchDisk",
      "NotOnThisHost",
      "DiskInUse",
      "UpdateFailed",
    ],
    route: "PATCH /vms/{vmId}/disks/{target}",
    cli: ["vm", "update-disk", "<vmId>", "<target>"],
    examples: [
      "kvm-manager vm update-disk web1 vda --read-bytes-sec 50M --write-iops-sec 200",
      "kvm-manager vm update-disk web1 vda --total-bytes-sec 50M --total-bytes-sec-max 200M --total-bytes-sec-max-length 30",
      "kvm-manager vm update-disk web1 vda --read-bytes-sec 0 --cache none",
    ],
    mark: "change",
    readOnly: false,
  }),
  move_disk: command({
    summary: "Move a VM's disk to another storage pool",
    description:
      "Answers when everything is moved; meanwhile it is a job: list_jobs has its progress, cancel_job ends it and removes " +
      "the copy. A VM that runs goes on: QEMU copies the disk and goes over to the copy once both are alike. One that is " +
      "off cannot be started before the end. The old volume goes into the bin, or is deleted where that cannot keep it, " +
      "once the VM is on the new one; that is for administrators, everybody else keeps it (`keepSource`). A copy of an " +
      "image built on another one stands alone. The next backup reads the VM's disks in full.",
    role: "operator",
    input: closed({
      ...OneDisk,
      pool: PoolName,
      format: Type.Optional(
        oneOf(DISK_FORMATS, {
          description: "as the disk has it when left out; raw where the pool keeps no files",
        }),
      ),
      name: Type.Optional({
        ...NewVolumeName,
        description: "of the new volume; left out, as the old one is called",
      }),
      keepSource: Type.Optional(
        Type.Boolean({ default: false, description: "leave the old volume where it is" }),
      ),
    }),
    output: Type.Object({
      pool: Type.String(),
      volume: Type.String(),
      path: Type.String(),
      format: Type.String(),
      live: Type.Boolean({ description: "QEMU copied it while the VM ran" }),
      oldVolume: Type.Object({
        pool: Type.String(),
        volume: Type.String(),
        path: Type.String(),
        isThere: Type.Boolean({ description: "it is still in its pool" }),
        reason: Type.Optional(SentenceText({ description: "why it is, although it was to go" })),
        bin: Type.Union([BinReceipt, Type.Null()], {
          description: "where it is kept; null: it is still there, or gone for good",
        }),
      }),
    }),
    errors: [
      "VmNotFound",
      "VmMustBeOff",
      "VmNotPersistent",
      "NoSuchDisk",
      "DiskNotMovable",
      "DiskInUse",
      "StoragePoolNotFound",
      "StoragePoolNotActive",
      "StoragePoolReadOnly",
      "DiskExceedsPool",
      "VolumeExists",
      "VolumeInUse",
      "DiskRefused",
      "DiskMoveFailed",
      "JobCancelled",
      "Forbidden",
    ],
    route: "POST /vms/{vmId}/disks/{target}/move",
    cli: ["vm", "move-disk", "<vmId>", "<target>", "<pool>"],
    examples: [
      "kvm-manager vm move-disk web1 vda fast",
      "kvm-manager vm move-disk web1 vda fast --format raw --keep-source",
    ],
    exampleFields: ["keepSource"],
    alsoNeeds: [{ permission: "storage.operate" }],
    isJob: true,
    mark: "change",
    readOnly: false,
  }),
  insert_media: command({
    summary: "Put a medium into a VM's drive",
    description: "What is in it is ejected first. `force` takes it out of a drive that the guest has locked.",
    role: "operator",
    input: closed({
      ...OneDisk,
      path: ImagePlace,
      force: Type.Optional(Type.Boolean({ default: false })),
      anyMedium: Type.Optional(AnyMedium),
      ...LiveAndPersistent,
    }),
    output: Type.Object({
      ...DeviceApplied.properties,
      warnings: Type.Optional(
        Type.Array(ConfigFinding, {
          description: "what speaks against its being an ISO, where something does",
        }),
      ),
    }),
    errors: [
      "VmNotFound",
      "HasSavedMemory",
      "VmNotRunning",
      "VmNotPersistent",
      "NoSuchDisk",
      "NotRemovable",
      "StoragePoolNotFound",
      "StoragePoolNotActive",
      "VolumeNotFound",
      "IsoNotFound",
      "PathRefused",
      "DiskRefused",
      "DiskInUse",
      "MediaLocked",
      "MediaFailed",
      "Forbidden",
    ],
    route: "PUT /vms/{vmId}/disks/{target}/media",
    cli: ["vm", "insert-media", "<vmId>", "<target>"],
    // `--path` goes on working.
    places: ["<vmId>", "<target>", "[path]"],
    examples: [
      "kvm-manager vm insert-media web1 default/debian-12.iso",
      "kvm-manager vm insert-media web1 sdb default/drivers.iso",
    ],
    exampleFields: ["path"],
    // The guest can read the medium: that takes what a download of it takes.
    alsoNeeds: [{ permission: "storage.operate" }],
    readOnly: false,
  }),
  eject_media: command({
    summary: "Take the medium out of a VM's drive",
    role: "operator",
    input: closed({
      ...OneDisk,
      force: Type.Optional(Type.Boolean({ default: false, description: "although the guest has locked it" })),
      ...LiveAndPersistent,
    }),
    output: DeviceApplied,
    errors: [
      "VmNotFound",
      "HasSavedMemory",
      "VmNotRunning",
      "VmNotPersistent",
      "NoSuchDisk",
      "NotRemovable",
      "MediaLocked",
      "MediaFailed",
    ],
    route: "DELETE /vms/{vmId}/disks/{target}/media",
    cli: ["vm", "eject-media", "<vmId>", "<target>"],
    readOnly: false,
  }),
};
