/** Creating a VM: what it may be made of, and the commands that check it and make it. */
import Type, { type Static } from "typebox";
import { CloudInit } from "./cloud_init.ts";
import { NO_SIGN_IN } from "./cloud_init_bounds.ts";
import { command } from "./command.ts";
import { ConfigFinding } from "./finding.ts";
export { ConfigFinding } from "./finding.ts";
import {
  BOOT_DEVICES,
  CPU_MODES,
  DISK_BUSES,
  DISK_CACHES,
  DISK_FORMATS,
  FIRMWARES,
  GRAPHICS_TYPES,
  NIC_MODELS,
  OS_TYPES,
  SOUND_MODELS,
  VIDEO_MODELS,
  WATCHDOG_ACTIONS,
  WATCHDOGS,
} from "./choices.ts";
import { CreateOptions, OsDefaults } from "./create_options.ts";
import { refusedAs } from "./refusal.ts";
import { closed, oneOf } from "./schema.ts";
import { Group, MAX_TAGS, ProjectName, Tag, Title } from "./vm.ts";

/** A line of text without control characters. */
const line = (maxLength: number, description: string) =>
  Type.String({ minLength: 1, maxLength, pattern: "^[^\\u0000-\\u001f\\u007f]*$", description });

/** The name of a VM to be made or renamed. One that begins with a dash would be an option to other programs. */
export const VmName = Type.String({
  minLength: 1,
  maxLength: 64,
  pattern: "^[A-Za-z_][A-Za-z0-9_-]*(\\.[A-Za-z0-9_-]+)*$",
  description:
    "1–64 letters, digits, dashes and underscores, with single dots between them; does not start with a digit or a dash",
  ...refusedAs({ minLength: "InvalidName", maxLength: "InvalidName", pattern: "InvalidName" }),
});
export const CpuCount = Type.Integer({
  minimum: 1,
  maximum: 256,
  ...refusedAs({ minimum: "InvalidCpuCount", maximum: "InvalidCpuCount" }),
});
export const MemoryMb = Type.Integer({
  minimum: 128,
  maximum: 67_108_864,
  description: "MiB",
  ...refusedAs({ minimum: "InvalidMemorySize" }),
});
export const DiskSizeGb = Type.Integer({
  minimum: 1,
  maximum: 1_048_576,
  description: "GiB",
  ...refusedAs({ minimum: "InvalidDiskSize" }),
});
export const MacAddress = Type.String({
  maxLength: 17,
  pattern: "^[0-9A-Fa-f][02468ACEace]:([0-9A-Fa-f]{2}:){4}[0-9A-Fa-f]{2}$",
  description: "unicast, six bytes with colons; 52:54:00:… is made up when left out",
});
/** Share of the host's memory that one VM may have. */
export const MEMORY_SHARE = 0.9;
export const AllowOvercommit = Type.Boolean({
  description:
    "warn instead of refusing what the host does not have: more than 90 % of its memory, disks larger than the free " +
    "space of their pool; the server's setting (--overcommit) when left out",
});
/** A path on the host or `pool/volume`. */
export const ImagePlace = line(4096, "absolute path on the host, or pool/volume");
export const AnyMedium = Type.Boolean({
  default: false,
  description: "takes a file outside all pools as a CD though it is no ISO",
});
/** The image below an existing one, in the same ways. */
export const BackingPlace = line(
  4096,
  "absolute path or pool/volume of the image that the existing image is built on: it must be named unless it is in a " +
    "storage pool",
);
const PoolName = line(255, "storage pool");
const NetworkName = line(255, "libvirt network");

export const NewDisk = closed({
  sizeGb: Type.Optional(DiskSizeGb),
  path: Type.Optional(ImagePlace),
  backingFile: Type.Optional(BackingPlace),
  pool: Type.Optional(PoolName),
  format: Type.Optional(oneOf(DISK_FORMATS, {
    description:
      "of a new image: qcow2 when left out; of an existing one: what libvirt has on record when left out",
  })),
  copyAs: Type.Optional(oneOf(DISK_FORMATS, {
    description:
      "give the VM a copy of the existing image in this format, in `pool`; sizeGb makes the copy larger. The image must be in a storage pool, and stays as it is",
  })),
  bus: Type.Optional(oneOf(DISK_BUSES, { description: "what suits the operating system when left out" })),
  cache: Type.Optional(oneOf(DISK_CACHES)),
  discard: Type.Optional(
    Type.Boolean({ description: "give freed space back to the host; yes when left out" }),
  ),
  readOnly: Type.Optional(Type.Boolean()),
  serial: Type.Optional(Type.String({ minLength: 1, maxLength: 20, pattern: "^[A-Za-z0-9_.+-]+$" })),
}, {
  description: "a new image (sizeGb, pool, format), an existing one (path), or a copy of one (path, copyAs)",
});
export type NewDisk = Static<typeof NewDisk>;

export const NewNic = closed({
  network: Type.Optional(NetworkName),
  bridge: Type.Optional(Type.String({
    minLength: 1,
    maxLength: 15,
    pattern: "^[A-Za-z0-9_.:@-]+$",
    description: "bridge of the host, instead of a network",
  })),
  model: Type.Optional(oneOf(NIC_MODELS, { description: "what suits the operating system when left out" })),
  mac: Type.Optional(MacAddress),
  linkUp: Type.Optional(Type.Boolean({ description: "yes when left out" })),
});
export type NewNic = Static<typeof NewNic>;

/**
 * Description of the default of a field.
 *
 * @param general default without an operating system, or with one that has none of its own
 */
const suits = (general: string) => `what suits the operating system when left out, ${general} without one`;

/** Configuration of a new VM. All but the name has a default, from its operating system and the host. */
export const VmConfig = closed({
  name: VmName,
  title: Type.Optional(Title),
  description: Type.Optional(
    Type.String({ maxLength: 8192, pattern: "^[^\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f]*$" }),
  ),
  tags: Type.Optional(Type.Array(Tag, { maxItems: MAX_TAGS, uniqueItems: true })),
  group: Type.Optional(Group),
  project: Type.Optional(Type.String({
    ...ProjectName,
    description: "project of this KVM Manager that it is in: its quota must have room, its defaults apply",
  })),

  osType: Type.Optional(oneOf(OS_TYPES)),
  osVariant: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 64,
      pattern: "^[A-Za-z0-9][A-Za-z0-9._+-]*$",
      description: "short id of list_operating_systems, e.g. debian12: sets what is left out",
    }),
  ),

  cpuCount: Type.Optional({ ...CpuCount, description: suits("2") }),
  cpuTopology: Type.Optional(closed({
    sockets: Type.Integer({ minimum: 1, maximum: 256 }),
    cores: Type.Integer({ minimum: 1, maximum: 256 }),
    threads: Type.Integer({ minimum: 1, maximum: 256 }),
  }, { description: "its product is the CPU count" })),
  cpuMode: Type.Optional(oneOf(CPU_MODES, { description: "custom takes cpuModel" })),
  cpuModel: Type.Optional(
    Type.String({ minLength: 1, maxLength: 64, pattern: "^[A-Za-z0-9_.+-]+$", description: "e.g. EPYC" }),
  ),
  memoryMb: Type.Optional({ ...MemoryMb, description: `MiB; ${suits("2048")}` }),

  virtType: Type.Optional(oneOf(["auto", "kvm", "qemu"], {
    description: "the server's setting when left out; auto takes KVM where it works",
  })),
  arch: Type.Optional(Type.String({ minLength: 1, maxLength: 32, pattern: "^[a-z0-9_]+$" })),
  machine: Type.Optional(
    Type.String({ minLength: 1, maxLength: 64, pattern: "^[A-Za-z0-9_.+-]+$", description: "q35, pc, …" }),
  ),
  firmware: Type.Optional(oneOf(FIRMWARES, { description: suits("bios") })),
  tpm: Type.Optional(Type.Boolean({ description: "TPM 2.0, emulated" })),

  diskSizeGb: Type.Optional({ ...DiskSizeGb, description: `GiB; ${suits("20")}` }),
  diskFormat: Type.Optional(oneOf(DISK_FORMATS, { description: "qcow2 when left out" })),
  disks: Type.Optional(Type.Array(NewDisk, {
    maxItems: 24,
    description: "instead of diskSizeGb and diskFormat; empty for none",
  })),
  isoPath: Type.Optional(ImagePlace),
  anyMedium: Type.Optional(AnyMedium),
  network: Type.Optional(NetworkName),
  nics: Type.Optional(
    Type.Array(NewNic, { maxItems: 16, description: "instead of network; empty for none" }),
  ),

  bootOrder: Type.Optional(Type.Array(oneOf(BOOT_DEVICES), {
    maxItems: 3,
    uniqueItems: true,
    description: "disk, cdrom when left out: an empty disk is passed over",
  })),
  bootMenu: Type.Optional(Type.Boolean({ description: "offer the boot menu for a few seconds" })),
  kernel: Type.Optional(closed({
    path: line(4096, "kernel on the host"),
    initrd: Type.Optional(line(4096, "initial RAM disk on the host")),
    args: Type.Optional(line(4096, "kernel command line")),
  }, { description: "boot this kernel of the host directly" })),

  graphics: Type.Optional(oneOf(GRAPHICS_TYPES, { description: "vnc when left out; listens on loopback" })),
  video: Type.Optional(oneOf(VIDEO_MODELS)),
  sound: Type.Optional(oneOf(SOUND_MODELS)),
  rng: Type.Optional(Type.Boolean({ description: "random numbers from the host; yes when left out" })),
  balloon: Type.Optional(Type.Boolean({ description: "memory can be taken back; yes when left out" })),
  guestAgent: Type.Optional(
    Type.Boolean({ description: "channels for the guest agents; yes when left out" }),
  ),
  guestTools: Type.Optional(Type.Boolean({
    description:
      "put the CD with KVM Manager's guest agent into a drive; with cloud-init the first start installs it, without a network",
  })),
  watchdog: Type.Optional(oneOf(WATCHDOGS)),
  watchdogAction: Type.Optional(oneOf(WATCHDOG_ACTIONS, { description: "reset when left out" })),

  cloudInit: Type.Optional(CloudInit),

  allowOvercommit: Type.Optional(AllowOvercommit),
  autostart: Type.Optional(Type.Boolean({ description: "start it with the host" })),
  start: Type.Optional(Type.Boolean({ description: "start it as soon as it is made" })),
});
export type VmConfig = Static<typeof VmConfig>;

/** Texts of what is worth knowing but no reason to refuse. */
export const WARNINGS = {
  CpuAboveHost: "CPU count exceeds host capacity (requested: {requested}, available: {available})",
  NetworkNotActive: "Network {network} is not active: the VM cannot start until it is",
  NetworkIsStarted: "Network {network} is not active: it is started with the VM",
  OsUnknown: "Operating system {osVariant} is not known: general defaults are used",
  Emulated: "KVM is not used: the VM is emulated and slow",
  BelowOsMinimum: "{os} asks for at least {minimum} {what}",
  NotForOs: "{what} is needed by {os}, and is not available on this host: {reason}",
  NotReachable:
    "{path} is in {folder}, which QEMU's user may not enter: move it into a storage pool, or run chmod o+x {folder}",
  StrangeContent: "{path} is {what}: a guest cannot use it as a disk",
  UnknownContent: "{path} has no partition table, file system or known image format: it may not be a disk",
  NoIso: "{path} is no ISO: it has no volume descriptor{what}",
  NobodySignsIn: NO_SIGN_IN,
  LeaseStays:
    "Network {network} has a static lease of {ip} for {mac}: it does not go along with the card. Change it to {newMac}",
  SeedNamesMac:
    "The cloud-init CD configures the card by its former address, {mac}. Save this VM's cloud-init again to have " +
    "it written for {newMac}",
  AgainstPlacement: "On this host it goes against rules of placement ({rules})",
  NoBootSource:
    "There is nothing to boot from: no ISO, no disk image with a system, no network boot and no kernel",
} as const;
export type WarningCode = keyof typeof WARNINGS;

export const ConfigCheck = Type.Object({
  errors: Type.Array(ConfigFinding, {
    description: "why create_vm would refuse it; empty when it would not",
  }),
  warnings: Type.Array(ConfigFinding),
  resolved: Type.Union([
    Type.Object({
      virtType: Type.String(),
      arch: Type.String(),
      machine: Type.String(),
      cpuCount: Type.Integer(),
      cpuMode: Type.String(),
      memoryMb: Type.Integer(),
      firmware: oneOf(FIRMWARES),
      tpm: Type.Boolean(),
      disks: Type.Array(Type.Object({
        target: Type.String(),
        bus: Type.String(),
        format: Type.String(),
        path: Type.Optional(Type.String({ description: "of an existing image" })),
        copyOf: Type.Optional(Type.String({ description: "path of the image that is copied" })),
        pool: Type.Optional(Type.String({ description: "of a new image" })),
        sizeGb: Type.Optional(Type.Integer()),
      })),
      nics: Type.Array(Type.Object({
        model: Type.String(),
        network: Type.Optional(Type.String()),
        bridge: Type.Optional(Type.String()),
      })),
      xml: Type.String({ description: "what libvirt would be given; MAC addresses and UUID are examples" }),
    }),
    Type.Null(),
  ], { description: "what it comes to with every default; null while there are errors" }),
});
export type ConfigCheck = Static<typeof ConfigCheck>;

export const OperatingSystem = Type.Object({
  id: Type.String({ description: "short id: the osVariant of a VM" }),
  uri: Type.String({ description: "libosinfo's id, e.g. http://debian.org/debian/12" }),
  name: Type.String(),
  osType: oneOf(OS_TYPES),
  family: Type.String({ description: "linux, winnt, freebsd, …" }),
  version: Type.Optional(Type.String()),
  releaseDate: Type.Optional(Type.String({ description: "YYYY-MM-DD" })),
  endOfLife: Type.Optional(Type.String({ description: "YYYY-MM-DD" })),
  defaults: OsDefaults,
});
export type OperatingSystem = Static<typeof OperatingSystem>;

export const createCommands = {
  create_vm: command({
    plan: "check_vm_config",
    effects: ["started"],
    summary: "Create a VM",
    description:
      "Makes its disks, defines it, and starts it if asked. When a step fails, what was made is removed.",
    role: "administrator",
    input: VmConfig,
    envelope: "config",
    makesVm: "id",
    output: Type.Object({
      id: Type.String({ description: "UUID of the VM" }),
      name: Type.String(),
      diskSizeGb: Type.Union([Type.Number(), Type.Null()], {
        description: "GiB of all its disks; null where one cannot be read",
      }),
      warnings: Type.Array(ConfigFinding),
      started: Type.Optional(Type.Boolean({
        description: "no: it was to be started, and is there and does not run; the warning at start says why",
      })),
    }),
    errors: [
      "HostInMaintenance",
      "ProjectNotFound",
      "QuotaExceeded",
      "InvalidName",
      "InvalidCpuCount",
      "InvalidMemorySize",
      "InvalidDiskSize",
      "MemoryExceedsHost",
      "DiskExceedsPool",
      "StoragePoolReadOnly",
      "VmNameExists",
      "NvramLeft",
      "MemoryLeft",
      "IsoNotFound",
      "PathRefused",
      "NetworkNotFound",
      "BridgeNotFound",
      "StoragePoolNotFound",
      "StoragePoolNotActive",
      "DiskNotFound",
      "DiskInUse",
      "DiskRefused",
      "MacInUse",
      "FileNotFound",
      "NotOnThisHost",
      "DiskCreateFailed",
      "CreateFailed",
      "StartFailed",
      "NetworkOverlaps",
      "NetworkStartFailed",
    ],
    route: "POST /vms",
    cli: ["vm", "create", "<name>"],
    aliases: ["vm launch"],
    flags: { cpus: "cpuCount", vcpus: "cpuCount", memory: "memoryMb", os: "osVariant" },
    reaches: "running",
    examples: [
      "kvm-manager vm create web1 --image debian-12.qcow2 --disk 40G --user me --ssh-key ~/.ssh/id_ed25519.pub --start",
      "kvm-manager vm create web1 --os debian12 --cpus 2 --memory 4G --disk 40G --iso debian.iso --network default",
      "kvm-manager vm create web1 --memory 4G --disk 40G --network bridge=br0 --dry-run",
      "kvm-manager vm create web1 --file web1.yaml --start --wait agent",
    ],
    exampleFields: ["osVariant", "cpuCount", "memoryMb", "diskSizeGb", "network"],
    mark: "change",
    readOnly: false,
  }),
  check_vm_config: command({
    summary: "Check what create_vm would say, and change nothing",
    description:
      "Takes create_vm's fields, whole or not, right or wrong. Tells every error and warning by its field, and what " +
      "the configuration comes to with defaults.",
    role: "administrator",
    input: Type.Unsafe<Partial<VmConfig>>({ ...VmConfig, required: [] }),
    envelope: "config",
    unchecked: true,
    output: ConfigCheck,
    errors: [],
    route: "POST /vms/check",
    cli: ["vm", "check", "<name>"],
    readOnly: true,
  }),
  get_create_options: command({
    summary: "List what this host offers to a new VM",
    role: "operator",
    input: closed({
      arch: Type.Optional(Type.String({ minLength: 1, maxLength: 32, pattern: "^[a-z0-9_]+$" })),
      machine: Type.Optional(Type.String({ minLength: 1, maxLength: 64, pattern: "^[A-Za-z0-9_.+-]+$" })),
      virtType: Type.Optional(oneOf(["auto", "kvm", "qemu"])),
    }),
    output: CreateOptions,
    errors: ["NotOnThisHost"],
    route: "GET /create-options",
    cli: ["vm", "options"],
    readOnly: true,
  }),
  list_operating_systems: command({
    summary: "List operating systems and what suits them",
    description: "From the osinfo database where it is installed, from a small built-in table elsewhere.",
    role: "viewer",
    input: closed({}),
    output: Type.Array(OperatingSystem),
    errors: [],
    route: "GET /operating-systems",
    cli: ["os", "list"],
    lookup: { fields: ["osVariant"], by: "id", more: "name" },
    columns: ["id", "name", "osType", "version", "endOfLife"],
    wide: ["family", "releaseDate"],
    readOnly: true,
    withoutLibvirt: true,
  }),
};
