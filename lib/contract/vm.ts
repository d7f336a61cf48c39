/** Virtual machines: the types. */
import Type, { type Static } from "typebox";
import { BinReceipt } from "./bin.ts";
import { VM_STATES } from "./choices.ts";
import { StorageUser } from "./storage.ts";
import { NO_OUTER_BLANK, oneOf, SECRET, SentenceText, Timestamp } from "./schema.ts";

export const VmState = oneOf(VM_STATES);
export type VmState = Static<typeof VmState>;

/** State of a guest agent's channel. */
const CHANNEL_STATES = ["connected", "disconnected", "not configured"] as const;
export const GuestAgentState = oneOf(CHANNEL_STATES);
export type GuestAgentState = Static<typeof GuestAgentState>;
/** State of the guest agents in a VM, together. */
export const GUEST_AGENT_STATES = ["connected", "silent", "disconnected", "not configured"] as const;

/** Last report of a guest's agent. All of it is the guest's own word. */
export const GuestFacts = Type.Object({
  hostname: Type.String({ description: "may be empty" }),
  osName: Type.String({ description: "as the guest calls it: Debian GNU/Linux 12 (bookworm); may be empty" }),
  osId: Type.Optional(Type.String({ description: "debian, fedora, mswindows, …" })),
  toldAt: Timestamp,
});
export type GuestFacts = Static<typeof GuestFacts>;

export const NetworkInterface = Type.Object({
  mac: Type.String(),
  network: Type.String({
    description: "libvirt network, bridge or host device it is plugged into; empty for none",
  }),
  type: Type.String({ description: "libvirt's interface type: network, bridge, direct, user, …" }),
  ipAddress: Type.Optional(
    Type.String({ description: "the address to show: the first global IPv4, else IPv6" }),
  ),
  ipAddresses: Type.Array(Type.String(), { description: "every known address with its prefix length" }),
  model: Type.Optional(Type.String()),
  target: Type.Optional(
    Type.String({ description: "device on the host, e.g. vnet0; running VMs only" }),
  ),
  linkUp: Type.Boolean(),
});
export type NetworkInterface = Static<typeof NetworkInterface>;

export const Disk = Type.Object({
  target: Type.String({ description: "vda, sda, …" }),
  bus: Type.String(),
  device: oneOf(["disk", "cdrom", "floppy", "lun"]),
  type: Type.String({ description: "libvirt's disk type: file, block, volume, network, …" }),
  source: Type.Optional(Type.String({ description: "path, pool/volume or URL; absent for an empty drive" })),
  format: Type.Optional(Type.String()),
  readOnly: Type.Boolean(),
  shareable: Type.Boolean(),
  baseOf: Type.Optional(Type.Array(StorageUser, {
    description:
      "what is built on it: the VM does not start while something is; get_vm and get_vm_devices tell",
  })),
  capacityBytes: Type.Optional(Type.Integer({ description: "what the guest sees; absent while unknown" })),
  allocationBytes: Type.Optional(
    Type.Integer({ description: "what it takes on the host; absent while unknown" }),
  ),
});
export type Disk = Static<typeof Disk>;

export const Graphics = Type.Object({
  type: Type.String({ description: "vnc, spice, …" }),
  port: Type.Optional(Type.Integer()),
  listen: Type.Optional(Type.String()),
  socket: Type.Optional(Type.String()),
});
export type Graphics = Static<typeof Graphics>;

/** Warnings for a VM with an unprotected screen. */
export const OPEN_SCREEN = ["open", "until-restart"] as const;
export const OpenScreen = oneOf(OPEN_SCREEN, {
  description:
    "absent when every VNC and SPICE screen that listens on TCP asks for a password; open: one does not; " +
    "until-restart: one does not, but will from the next start",
});

export const VmStats = Type.Object({
  vmId: Type.String(),
  cpuUsagePercent: Type.Union([Type.Number(), Type.Null()], {
    description: "0–100 of all its vCPUs together, since the sample before; null before a second sample",
  }),
  memoryUsedMb: Type.Number({
    description: "MiB in use: the guest's own view where it tells, else the host's",
  }),
  memoryAvailableMb: Type.Number({ description: "MiB the VM has now (balloon)" }),
  diskReadBytes: Type.Integer({ description: "cumulative since the VM started" }),
  diskWriteBytes: Type.Integer(),
  networkRxBytes: Type.Integer(),
  networkTxBytes: Type.Integer(),
  timestamp: Timestamp,
});
export type VmStats = Static<typeof VmStats>;

/** Request to a guest; only the guest decides when it happens. */
export const PowerRequest = Type.Object({
  action: oneOf(["stop", "reboot"]),
  requestedAt: Timestamp,
});
export type PowerRequest = Static<typeof PowerRequest>;

export const NotResponding = Type.Object({
  since: Timestamp,
  call: Type.String({ description: "the function of libvirt that does not return, or what else shows it" }),
}, { description: "since when, and by which call, the VM does not respond; left out while it does" });
export type NotResponding = Static<typeof NotResponding>;

/** Name or id of a project. */
export const ProjectName = Type.String({
  minLength: 1,
  maxLength: 64,
  pattern: "^[^\\u0000-\\u001f\\u007f]+$",
  description: "name or id of the project",
});
/** The project that a VM is in. */
export const VmProject = Type.Object({ id: Type.String(), name: Type.String() });
export type VmProject = Static<typeof VmProject>;

export const VM = Type.Object({
  id: Type.String(),
  name: Type.String(),
  title: Type.Optional(Type.String()),
  state: VmState,
  stateReason: Type.Optional(
    Type.String({
      description: "why it is in this state, in libvirt's word: booted, destroyed, I/O error, …",
    }),
  ),
  stateSince: Type.Optional(Timestamp),
  operation: Type.Optional(
    Type.String({ description: "what is being done to it right now: starting, stopping, …" }),
  ),
  powerRequest: Type.Optional(
    Type.Object(PowerRequest.properties, {
      description: "what the guest was asked for and has not done yet; forgotten after ten minutes",
    }),
  ),
  responsive: Type.Boolean({
    description: "false when QEMU does not answer libvirt, or libvirt not for the VM",
  }),
  notResponding: Type.Optional(NotResponding),
  notUnderstoodSince: Type.Optional(
    Type.Integer({
      description:
        "milliseconds since 1970-01-01T00:00:00Z: since then its linked host reports what this version " +
        "does not understand, and it is shown as it was before; left out where it is understood",
    }),
  ),
  cpuCount: Type.Integer(),
  maxCpuCount: Type.Integer(),
  memoryMb: Type.Integer(),
  maxMemoryMb: Type.Integer(),
  osType: Type.Optional(oneOf(["linux", "windows", "other"])),
  osVariant: Type.Optional(Type.String({ description: "libosinfo short id, e.g. debian12" })),
  diskSizeGb: Type.Union([Type.Number(), Type.Null()], {
    description: "GiB of all its disks; null while unknown",
  }),
  networkInterfaces: Type.Array(NetworkInterface),
  disks: Type.Array(Disk),
  graphics: Type.Array(Graphics),
  vncPort: Type.Optional(Type.Integer()),
  openScreen: Type.Optional(OpenScreen),
  createdAt: Type.Optional(Timestamp),
  startedAt: Type.Optional(Timestamp),
  description: Type.Optional(Type.String()),
  tags: Type.Array(Type.String()),
  lostLabels: Type.Optional(Type.Object({
    tags: Type.Array(Type.String()),
    group: Type.Optional(Type.String()),
  }, { description: "tags and group that it had, and that another program took away" })),
  group: Type.Optional(Type.String()),
  project: Type.Optional(Type.Object(VmProject.properties, {
    description: "the project of this KVM Manager that it is in",
  })),
  endsAt: Type.Optional(Type.Integer({
    description: "its end date, when it is shut down: milliseconds since 1970-01-01T00:00:00Z",
  })),
  autostart: Type.Boolean(),
  persistent: Type.Boolean(),
  guestAgent: oneOf(GUEST_AGENT_STATES, {
    description:
      "connected: one of the guest agents is there, whichever; silent: none of those that are there answers",
  }),
  guest: Type.Optional(Type.Object(GuestFacts.properties, {
    description: "what the guest said of itself when its agent was asked last; missing while none was",
  })),
  guestAgents: Type.Object({ "qemu-ga": GuestAgentState, "kvm-manager-agent": GuestAgentState }),
  firmware: oneOf(["bios", "uefi", "uefi-secure"]),
  machine: Type.Optional(Type.String()),
  arch: Type.Optional(Type.String()),
  pendingChanges: Type.Optional(
    Type.Integer({
      description: "how many changes wait for the next boot; absent while unknown, or when off",
    }),
  ),
  virtType: Type.String({ description: "kvm, qemu (emulated), test" }),
  host: Type.String(),
  attention: Type.Array(Type.String(), {
    description: "what needs a person, one sentence each; empty when all is well",
  }),
  stats: Type.Optional(VmStats),
});
export type VM = Static<typeof VM>;
/** Tags and group that a VM had and has no more. */
export type LostLabels = NonNullable<VM["lostLabels"]>;
/** Labels that schedules, backups and rights find VMs by. */
export interface VmLabels {
  readonly tags: string[];
  readonly group?: string | undefined;
}

export const VncInfo = Type.Object({
  host: Type.String(),
  port: Type.Union([Type.Integer(), Type.Null()], {
    description: "null when it listens on a UNIX socket only",
  }),
  socket: Type.Optional(Type.String()),
  password: Type.Optional(Type.String({
    description: "where the screen asks for one; generated ones are new at each start",
    ...SECRET,
  })),
});
export type VncInfo = Static<typeof VncInfo>;

export const BatchOperationResult = Type.Object({
  results: Type.Array(Type.Object({
    vmId: Type.String(),
    success: Type.Boolean(),
    error: Type.Optional(Type.Object({
      code: Type.String(),
      message: SentenceText(),
      details: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
    })),
  })),
  succeeded: Type.Integer(),
  failed: Type.Integer(),
});
export type BatchOperationResult = Static<typeof BatchOperationResult>;

export const DeleteVmResult = Type.Object({
  deletedDisks: Type.Array(Type.String(), { description: "paths of the disks that were deleted for good" }),
  bin: Type.Union([BinReceipt, Type.Null()], {
    description: "where the VM is kept, with its disks that were deleted; null: it is gone for good",
  }),
  warnings: Type.Optional(
    Type.Array(SentenceText(), {
      description:
        "what of it stays where it is, as another VM has it, too, and the saved memory that is lost",
    }),
  ),
});
export type DeleteVmResult = Static<typeof DeleteVmResult>;

/** Boot devices for one start of a VM. */
export const BOOT_FROM = ["disk", "cdrom", "network", "menu"] as const;
export const BootFrom = oneOf(BOOT_FROM, {
  description:
    "boots from there this once, whatever its boot order says: a disk, a CD-ROM drive with a medium, the network (PXE), " +
    "or what is chosen in the firmware's boot menu on its screen. Its configuration stays as it is",
});
export type BootFrom = Static<typeof BootFrom>;

/** Most lines of a log that are given, and how many when nothing is said. */
export const LOG_LINES = { most: 5000, usual: 200 } as const;

/** A tag: a word a person can type into a filter. */
export const Tag = Type.String({
  minLength: 1,
  maxLength: 64,
  pattern: "^[^\\s,\\u0000-\\u001f\\u007f]+$",
  description: "no spaces, commas or control characters",
});
/** Most tags one VM may carry. */
export const MAX_TAGS = 32;
const ONE_LINE = "[^\\u0000-\\u001f\\u007f]*$";
/** Name of the group that a VM is put into. */
export const Group = Type.String({
  maxLength: 128,
  pattern: NO_OUTER_BLANK + ONE_LINE,
  description: "name of the group, without blanks at its ends; empty for none",
});
/** Name of a group that VMs are in, whoever put them there. */
export const NamedGroup = Type.String({ minLength: 1, maxLength: 128, pattern: `^${ONE_LINE}` });
/** A longer name of a VM for people. */
export const Title = Type.String({
  maxLength: 256,
  pattern: NO_OUTER_BLANK + ONE_LINE,
  description: "a longer name for people, without blanks at its ends; empty for none",
});
