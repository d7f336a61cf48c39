/** A VM's disks and network cards: what there is, and every command that adds, changes or removes one. */
import Type, { type Static, type TOptional, type TString, type TUnsafe } from "typebox";
import { type ExtraPermission, HOST_NETWORK } from "./access_rules.ts";
import {
  DISK_BUSES,
  DISK_DRIVER,
  DISK_FORMATS,
  MAX_SHARE_TAG,
  NIC_MODELS,
  SHARE_DRIVERS,
  SHARE_TAG,
  USER_BACKENDS,
} from "./choices.ts";
import { BinReceipt } from "./bin.ts";
import { command } from "./command.ts";
import { AnyMedium, BackingPlace, ConfigFinding, DiskSizeGb, ImagePlace } from "./create.ts";
import { DiskLimits, NicLimits } from "./device_limits.ts";
import { CLEARABLE, closed, emptyAs, oneOf, SentenceText, VmId } from "./schema.ts";
import { PoolName } from "./storage.ts";
import { Disk, NetworkInterface } from "./vm.ts";
import { NewVolumeName } from "./volumes.ts";

/** In which of a VM's configurations a device is: both, only until it is off, only from its next start. */
export const DEVICE_PLACES = ["both", "live", "next"] as const;
export const DevicePlace = oneOf(DEVICE_PLACES, {
  description: "both; live: gone at the next start; next: there from the next start",
});
export type DevicePlace = Static<typeof DevicePlace>;

export const DeviceDifference = Type.Object({
  field: Type.String(),
  now: Type.Union([Type.String(), Type.Null()]),
  next: Type.Union([Type.String(), Type.Null()]),
}, { description: "what will be different from the next start on" });
export type DeviceDifference = Static<typeof DeviceDifference>;

/** What a device has beside what every list shows of it. */
const Placed = {
  place: DevicePlace,
  pending: Type.Array(DeviceDifference),
  bootOrder: Type.Optional(Type.Integer()),
};

type DiskDriver = typeof DISK_DRIVER;
/** A schema for each field of {@link DISK_DRIVER}. */
const driverFields = <R>(schema: (words: readonly string[]) => object) =>
  Object.fromEntries(
    Object.entries(DISK_DRIVER).map(([field, words]) => [field, Type.Optional(schema(words) as TString)]),
  ) as R;

export const VmDisk = Type.Object({
  ...Disk.properties,
  ...Placed,
  // Whoever wrote it: words that we do not know among them.
  ...driverFields<{ readonly [F in keyof DiskDriver]: TOptional<TString> }>(() => Type.String()),
  serial: Type.Optional(Type.String()),
  ...DiskLimits,
  trayOpen: Type.Boolean(),
  pool: Type.Optional(
    Type.String({ description: "the storage pool it is in; absent when no pool knows it" }),
  ),
  volume: Type.Optional(Type.String()),
});
export type VmDisk = Static<typeof VmDisk>;

export const VmNic = Type.Object({
  ...NetworkInterface.properties,
  ...Placed,
  filter: Type.Optional(Type.String()),
  filterAddresses: Type.Array(Type.String(), {
    description: "what the filter is told the guest may use; empty: it learns the first address it sees",
  }),
  portGroup: Type.Optional(Type.String({ description: "of its network" })),
  vlan: Type.Optional(
    Type.String({ description: "VLANs that a switch puts it into: 42; of a trunk 5, 6 (native 5)" }),
  ),
  ...NicLimits,
  rxBytes: Type.Optional(Type.Integer({ description: "received by the guest since it started" })),
  txBytes: Type.Optional(Type.Integer({ description: "sent by the guest since it started" })),
});
export type VmNic = Static<typeof VmNic>;

export const VmShare = Type.Object({
  tag: Type.String({ description: "what the guest mounts it by" }),
  folder: Type.String({ description: "on the host" }),
  driver: Type.String({ description: "virtiofs, or 9p" }),
  readOnly: Type.Boolean(),
  place: DevicePlace,
  pending: Type.Array(DeviceDifference),
});
export type VmShare = Static<typeof VmShare>;

export const VmHostDevice = Type.Object({
  device: Type.String({
    description: "as detach_host_device names it; of what is neither USB nor PCI its type: scsi, mdev, …",
  }),
  kind: oneOf(["usb", "pci", "other"]),
  name: Type.String({ description: "vendor and product; as device where the host does not know it" }),
  startupPolicy: Type.Optional(
    Type.String({ description: "of USB. optional: the VM starts without it while it is unplugged" }),
  ),
  plugged: Type.Boolean({ description: "the host has it; false: unplugged, or not known to libvirt" }),
  place: DevicePlace,
  pending: Type.Array(DeviceDifference),
});
export type VmHostDevice = Static<typeof VmHostDevice>;

export const VmDevices = Type.Object({
  disks: Type.Array(VmDisk),
  nics: Type.Array(VmNic),
  shares: Type.Array(VmShare, { description: "folders of the host that the guest can mount" }),
  hostDevices: Type.Array(VmHostDevice, {
    description: "USB, PCI and other devices of the host that it has",
  }),
});
export type VmDevices = Static<typeof VmDevices>;

export const DeviceOptions = Type.Object({
  pools: Type.Array(Type.Object({
    name: Type.String(),
    availableBytes: Type.Integer(),
    volumes: Type.Array(Type.Object({
      name: Type.String(),
      path: Type.String(),
      format: Type.Optional(Type.String()),
      capacityBytes: Type.Integer(),
      usedBy: Type.Array(SentenceText(), { description: "names of the VMs that have it as a disk" }),
    })),
  })),
  networks: Type.Array(Type.Object({ name: Type.String(), active: Type.Boolean() })),
  hostInterfaces: Type.Array(Type.Object({ name: Type.String(), bridge: Type.Boolean() })),
  filters: Type.Array(Type.String()),
  filtersUnavailable: Type.Optional(Type.String({ description: "why there are no filters" })),
  mayDeleteVolumes: Type.Boolean({
    description: "false: a disk that is moved to another pool must leave its old volume there",
  }),
  mayLoosenFilters: Type.Boolean({
    description:
      "false: an interface that has a filter may not be changed in filter or MAC address, none be added",
  }),
  userNetworking: Type.Array(
    Type.Object({ backend: oneOf(USER_BACKENDS), unavailable: Type.Optional(Type.String()) }),
    { description: "ways to forward a guest's traffic without a network" },
  ),
  shareDrivers: Type.Array(
    Type.Object({ driver: oneOf(SHARE_DRIVERS), unavailable: Type.Optional(Type.String()) }),
    { description: "ways to share a folder of the host: virtiofs, and 9p for read-only ones" },
  ),
}, { description: "what a new device can be made of" });
export type DeviceOptions = Static<typeof DeviceOptions>;

export const DeviceApplied = Type.Object({
  live: Type.Boolean({ description: "the running VM has it now" }),
  persistent: Type.Boolean({ description: "it is so from the next start on" }),
}, { description: "where the change was made" });
export type DeviceApplied = Static<typeof DeviceApplied>;

const Target = Type.String({
  minLength: 3,
  maxLength: 8,
  pattern: "^(vd|sd|hd|fd|xvd|ubd)[a-z]+$",
  description: "vda, sdb, …",
});
const Mac = Type.String({ minLength: 17, maxLength: 17, description: "52:54:00:…" });
/** A name as libvirt takes it for pools, volumes, networks and filters: never a path. */
const Name = Type.String({
  minLength: 1,
  maxLength: 255,
  pattern: "^[^/\\u0000-\\u001f\\u007f]+$",
});
const VolumeName = Type.String({
  minLength: 1,
  maxLength: 128,
  pattern: "^[A-Za-z0-9_][A-Za-z0-9._+@ -]*$",
});
/** What can go into a file name, or into the name of a device of the host. */
const InterfaceName = Type.String({
  minLength: 1,
  maxLength: 255,
  pattern: "^[^/\\u0000-\\u001f\\u007f]+$",
});
const ImageFormat = oneOf(DISK_FORMATS);
/** QEMU cuts serials of virtio disks after 20 characters. */
const Serial = Type.String({
  maxLength: 20,
  pattern: "^[A-Za-z0-9_. +-]*$",
  description: "letters, digits and _.+-; empty for none",
  ...CLEARABLE,
});

/** How a disk is run: what can be chosen when it is attached, and changed later. */
export const DiskTuning = {
  ...driverFields<{ readonly [F in keyof DiskDriver]: TOptional<TUnsafe<DiskDriver[F][number]>> }>(oneOf),
  serial: Type.Optional(Serial),
  bootOrder: Type.Optional(
    Type.Integer({ minimum: 0, maximum: 64, description: "from 1; 0 for none", ...emptyAs(0) }),
  ),
  readOnly: Type.Optional(Type.Boolean()),
  shareable: Type.Optional(Type.Boolean({ description: "several VMs may have it at the same time" })),
};
const DiskTuningObject = Type.Object(DiskTuning);
type Tuned = Static<typeof DiskTuningObject>;
/** How a disk is run; `default` leaves it to QEMU. */
export type DiskTuning = { readonly [F in keyof Tuned]?: Tuned[F] | undefined };
/** The fields of {@link DiskTuning}. */
export const DISK_TUNING = Object.keys(DiskTuning) as (keyof DiskTuning)[];
/** In which of its configurations a VM's device is changed. */
export const LiveAndPersistent = {
  live: Type.Optional(
    Type.Boolean({ description: "change the running VM; without it: where that is possible" }),
  ),
  persistent: Type.Optional(
    Type.Boolean({ description: "change what the next start has; without it: where there is one" }),
  ),
};
const Plug = {
  network: Type.Optional(Name),
  bridge: Type.Optional(InterfaceName),
  direct: Type.Optional(InterfaceName),
  user: Type.Optional(oneOf(USER_BACKENDS, {
    description: "no network at all: a process forwards what the guest sends. passt: libvirt 9.0 and later",
  })),
};
const FilterAddresses = Type.Array(
  Type.String({ minLength: 2, maxLength: 45, pattern: "^[0-9A-Fa-f:.]+$" }),
  { maxItems: 32, uniqueItems: true, description: "the filter's parameters IP and IPV6" },
);

/** Which disk. */
const OneDisk = { vmId: VmId, target: Target };
/** Which card. */
const OneNic = {
  vmId: VmId,
  mac: Type.String({
    minLength: 17,
    maxLength: 80,
    description: "52:54:00:…; of cards with one address, 52:54:00:…@0000:01:00.0, as the refusal names them",
  }),
};

const ShareTag = Type.String({
  minLength: 1,
  maxLength: MAX_SHARE_TAG,
  pattern: SHARE_TAG,
  description:
    "what the guest mounts it by: letters, digits, dash and underscore; else made of the folder's name",
});

/** A card on no libvirt network. */
const HOST_CARD: ExtraPermission = { permission: HOST_NETWORK, fields: ["bridge", "direct", "user"] };

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
        pool: Type.Optional(Name),
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
  attach_nic: command({
    summary: "Add a network interface to a VM",
    description: "Plugged into a libvirt network, a bridge of the host, or a device of the host (macvtap).",
    role: "operator",
    input: closed({
      vmId: VmId,
      ...Plug,
      model: Type.Optional(oneOf(NIC_MODELS)),
      mac: Type.Optional(Mac),
      filter: Type.Optional(Name),
      filterAddresses: Type.Optional(FilterAddresses),
      linkUp: Type.Optional(Type.Boolean({ default: true })),
      ...NicLimits,
      ...LiveAndPersistent,
    }),
    output: Type.Object({ ...DeviceApplied.properties, mac: Type.String() }),
    errors: [
      "VmNotFound",
      "HasSavedMemory",
      "VmNotRunning",
      "VmNotPersistent",
      "NetworkNotFound",
      "NetworkNotActive",
      "BridgeNotFound",
      "HostInterfaceNotFound",
      "FilterNotFound",
      "NotOnThisHost",
      "InvalidMac",
      "MacInUse",
      "LimitsNotSupported",
      "NoFreeSlot",
      "AttachFailed",
    ],
    route: "POST /vms/{vmId}/nics",
    cli: ["vm", "attach-nic", "<vmId>"],
    exampleFields: ["network", "mac"],
    alsoNeeds: [{ permission: "networks.view" }, HOST_CARD],
    mark: "change",
    readOnly: false,
  }),
  detach_nic: command({
    summary: "Take a network interface away from a VM",
    description: "A running guest must release it; one that does not leaves everything as it was.",
    role: "operator",
    input: closed({ ...OneNic, ...LiveAndPersistent }),
    output: DeviceApplied,
    errors: [
      "VmNotFound",
      "HasSavedMemory",
      "VmNotRunning",
      "VmNotPersistent",
      "NoSuchNic",
      "NicAmbiguous",
      "DeviceNotReleased",
      "DetachFailed",
    ],
    route: "DELETE /vms/{vmId}/nics/{mac}",
    cli: ["vm", "detach-nic", "<vmId>", "<mac>"],
    alsoNeeds: [{ permission: HOST_NETWORK, of: "filtered-nic" }],
    mark: "change",
    readOnly: false,
  }),
  update_nic: command({
    summary: "Change a VM's network interface",
    description:
      "Where it is plugged in, its cable, its filter and its limits change at once where libvirt can; model and MAC " +
      "address from the next start on. What is not named stays; a limit of 0 takes its bursts with it.",
    role: "operator",
    input: closed({
      ...OneNic,
      ...Plug,
      linkUp: Type.Optional(Type.Boolean()),
      filter: Type.Optional(Type.String({
        maxLength: 255,
        pattern: "^[^/\\u0000-\\u001f\\u007f]*$",
        description: "empty for none",
        ...CLEARABLE,
      })),
      filterAddresses: Type.Optional(FilterAddresses),
      model: Type.Optional(oneOf(NIC_MODELS)),
      newMac: Type.Optional(Mac),
      ...NicLimits,
    }),
    output: Type.Object({
      ...DeviceApplied.properties,
      warnings: Type.Optional(
        Type.Array(ConfigFinding, {
          description: "what stays with the MAC address before, where something does",
        }),
      ),
    }),
    errors: [
      "VmNotFound",
      "HasSavedMemory",
      "VmNotPersistent",
      "NoSuchNic",
      "NicAmbiguous",
      "NetworkNotFound",
      "NetworkNotActive",
      "BridgeNotFound",
      "HostInterfaceNotFound",
      "FilterNotFound",
      "NotOnThisHost",
      "InvalidMac",
      "MacInUse",
      "LimitsNotSupported",
      "UpdateFailed",
    ],
    route: "PATCH /vms/{vmId}/nics/{mac}",
    cli: ["vm", "update-nic", "<vmId>", "<mac>"],
    examples: [
      "kvm-manager vm update-nic web1 52:54:00:12:34:56 --inbound-average 100Mbit --outbound-average 20Mbit",
    ],
    exampleFields: ["network"],
    alsoNeeds: [{ permission: "networks.view", fields: ["network", "bridge", "direct"] }, HOST_CARD],
    mark: "change",
    readOnly: false,
  }),
  attach_share: command({
    summary: "Share a folder of the host with a VM",
    description:
      "Root of the guest is root of the host in that folder, so it is for administrators on everything. By virtiofs; a " +
      "read-only one by 9p, from the next start on, with the rights of QEMU's user. virtiofs takes shared memory, which is " +
      "switched on with the first share: a running VM without it has the share at its next start. The state of a share " +
      "cannot be saved: while there is one, a running VM cannot be suspended, migrated, or have its memory in a snapshot.",
    role: "administrator",
    input: closed({
      vmId: VmId,
      folder: Type.String({ maxLength: 4096, description: "absolute path on the host" }),
      tag: Type.Optional(ShareTag),
      readOnly: Type.Optional(Type.Boolean({ default: false, description: "the guest can only read it" })),
      ...LiveAndPersistent,
    }),
    output: Type.Object({
      ...DeviceApplied.properties,
      tag: Type.String(),
      folder: Type.String({ description: "without symbolic links" }),
      driver: oneOf(SHARE_DRIVERS),
      notes: Type.Array(SentenceText(), { description: "what a person should know, one sentence each" }),
    }),
    errors: [
      "VmNotFound",
      "VmNotRunning",
      "VmNotPersistent",
      "PathRefused",
      "ShareExists",
      "ShareNeedsRestart",
      "ShareWhileSaved",
      "NotOnThisHost",
      "NoFreeSlot",
      "AttachFailed",
    ],
    route: "POST /vms/{vmId}/shares",
    cli: ["vm", "attach-share", "<vmId>", "<folder>"],
    examples: [
      "kvm-manager vm attach-share web1 /srv/data --tag data",
      "kvm-manager vm attach-share web1 /srv/iso --read-only",
    ],
    exampleFields: ["tag"],
    mark: "change",
    readOnly: false,
  }),
  detach_share: command({
    summary: "Stop sharing a folder of the host with a VM",
    description: "What is in the folder stays. A running guest that has it mounted loses access at once.",
    role: "operator",
    input: closed({ vmId: VmId, tag: Type.String({ minLength: 1, maxLength: 255 }), ...LiveAndPersistent }),
    output: DeviceApplied,
    errors: [
      "VmNotFound",
      "VmNotRunning",
      "VmNotPersistent",
      "NoSuchShare",
      "ShareNeedsRestart",
      "ShareWhileSaved",
      "DeviceNotReleased",
      "DetachFailed",
    ],
    route: "DELETE /vms/{vmId}/shares/{tag}",
    cli: ["vm", "detach-share", "<vmId>", "<tag>"],
    mark: "change",
    readOnly: false,
  }),
};
