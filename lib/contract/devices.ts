/** A VM's disks and network cards: what there is. */
import Type, { type Static, type TOptional, type TString, type TUnsafe } from "typebox";
import { DISK_DRIVER, SHARE_DRIVERS, USER_BACKENDS } from "./choices.ts";
import { DiskLimits, NicLimits } from "./device_limits.ts";
import { CLEARABLE, emptyAs, oneOf, SentenceText } from "./schema.ts";
import { Disk, NetworkInterface } from "./vm.ts";

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

/** Fields of a device in addition to those in every list. */
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
