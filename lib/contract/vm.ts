/** Virtual machines: the types, and every command on them. */
import Type, { type Static } from "typebox";
import { BinReceipt, PERMANENTLY } from "./bin.ts";
import { VM_STATES } from "./choices.ts";
import { command } from "./command.ts";
import { HostName } from "./on_host.ts";
import { StorageUser } from "./storage.ts";
import {
  closed,
  NO_OUTER_BLANK,
  NOTHING_OUT,
  oneOf,
  SECRET,
  SentenceText,
  Timestamp,
  VmId,
} from "./schema.ts";

export const VmState = oneOf(VM_STATES);
export type VmState = Static<typeof VmState>;

/** What is known of a guest agent's channel. */
const CHANNEL_STATES = ["connected", "disconnected", "not configured"] as const;
export const GuestAgentState = oneOf(CHANNEL_STATES);
export type GuestAgentState = Static<typeof GuestAgentState>;
/** What is known of the guest agents in a VM, together. */
export const GUEST_AGENT_STATES = ["connected", "silent", "disconnected", "not configured"] as const;

/** What a guest's agent told of it last. All of it is the guest's own word. */
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

/** What a VM with an unprotected screen is told. */
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

/** What a guest can be asked for; only the guest decides when it happens. */
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

/** What a project is called, or its id. */
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
/** What schedules, backups and rights find VMs by. */
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

/** What a VM can be booted from for one start. */
export const BOOT_FROM = ["disk", "cdrom", "network", "menu"] as const;
export const BootFrom = oneOf(BOOT_FROM, {
  description:
    "boots from there this once, whatever its boot order says: a disk, a CD-ROM drive with a medium, the network (PXE), " +
    "or what is chosen in the firmware's boot menu on its screen. Its configuration stays as it is",
});
export type BootFrom = Static<typeof BootFrom>;

/** Most lines of a log that are given, and how many when nothing is said. */
export const LOG_LINES = { most: 5000, usual: 200 } as const;

const OneVm = closed({ vmId: VmId });
const ManyVms = closed({ vmIds: Type.Array(VmId, { minItems: 1, maxItems: 1000, uniqueItems: true }) });

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

/** What a change of tags or group does to what goes by them. */
const LabelsChanged = Type.Object({
  warnings: Type.Array(SentenceText(), {
    description: "what no longer holds for the VM, and what takes hold of it, one sentence each",
  }),
});

export const vmCommands = {
  get_vms: command({
    summary: "List all VMs",
    role: "viewer",
    input: closed({
      host: Type.Optional(Type.String({ ...HostName, description: "only the VMs of this host" })),
      project: Type.Optional(Type.String({
        ...ProjectName,
        description: "only the VMs of this project, by its name or id",
      })),
    }),
    output: Type.Array(VM),
    errors: ["ProjectNotFound"],
    route: "GET /vms",
    cli: ["vm", "list"],
    ofAllHosts: true,
    lookup: { fields: ["vmId", "vmIds"], by: "name", more: "state", missing: "VmNotFound" },
    examples: [
      "kvm-manager vm list",
      "kvm-manager vm list --state running --sort memory --columns name,address,memory",
      "kvm-manager vm list --filter tags=web --filter 'name=web-*' -o name",
      "kvm-manager vm list --watch",
      "kvm-manager vm list -o json | jq -r '.[].name'",
    ],
    hides: "other-vms",
    columns: [
      "name",
      "host",
      "state",
      "cpuCount",
      "memoryMb",
      "diskSizeGb",
      "networkInterfaces.ipAddress",
      "guest.osName|osVariant",
      "tags",
    ],
    wide: ["networkInterfaces", "autostart", "id"],
    ifVaried: ["host"],
    readOnly: true,
  }),
  get_vm: command({
    summary: "Show one VM",
    role: "viewer",
    input: OneVm,
    output: VM,
    errors: ["VmNotFound"],
    route: "GET /vms/{vmId}",
    cli: ["vm", "show", "<vmId>"],
    examples: ["kvm-manager vm show web1", "kvm-manager vm show web1 -o yaml"],
    readOnly: true,
  }),
  start_vm: command({
    effects: ["started"],
    summary: "Start a VM",
    description:
      "A suspended VM continues from its saved memory. With bootFrom, a stopped VM boots from there once: restarts of the " +
      "guest do so, too, until the VM is off; the start after that is as configured. A kernel that is booted directly is " +
      "left out then.",
    role: "operator",
    input: closed({
      vmId: VmId,
      bootFrom: Type.Optional(BootFrom),
      inMaintenance: Type.Optional(
        Type.Boolean({ default: false, description: "although its host is in maintenance" }),
      ),
    }),
    output: NOTHING_OUT,
    errors: [
      "VmNotFound",
      "VmNotOwner",
      "VmAlreadyRunning",
      "NetworkNotActive",
      "NetworkNotFound",
      "DiskRefused",
      "DiskIsBase",
      "DiskInUse",
      "HostDeviceChanged",
      "BootSourceMissing",
      "BootWouldResume",
      "StartFailed",
      "ContinueFailed",
      "HostInMaintenance",
    ],
    route: "POST /vms/{vmId}/start",
    cli: ["vm", "start", "<vmId>"],
    places: ["<vmId...>"],
    reaches: "running",
    examples: [
      "kvm-manager vm start web1 web2",
      "kvm-manager vm start web1 --wait agent --timeout 2m",
      "kvm-manager vm start web1 --boot-from cdrom",
    ],
    mark: "power",
    already: ["VmAlreadyRunning"],
    readOnly: false,
  }),
  stop_vm: command({
    summary: "Ask a VM to shut down",
    description:
      "Through the guest agent where it answers, else through ACPI. Returns when the guest was asked; " +
      "the state changes when the guest has shut down.",
    role: "operator",
    input: OneVm,
    output: NOTHING_OUT,
    errors: ["VmNotFound", "VmNotRunning", "StopFailed"],
    route: "POST /vms/{vmId}/stop",
    cli: ["vm", "stop", "<vmId>"],
    places: ["<vmId...>"],
    aliases: ["vm shutdown"],
    elsewhere: { force: "kvm-manager vm force-stop powers it off at once" },
    reaches: "stopped",
    examples: ["kvm-manager vm stop web1", "kvm-manager vm stop 'web-*' --wait --timeout 2m"],
    mark: "power",
    already: ["VmNotRunning"],
    readOnly: false,
  }),
  force_stop_vm: command({
    effects: ["stopped"],
    summary: "Power a VM off at once",
    description:
      "Like pulling the plug: what the guest has not written to disk is lost. Of a suspended VM, the saved memory is " +
      "discarded.",
    role: "operator",
    input: OneVm,
    output: NOTHING_OUT,
    errors: ["VmNotFound", "VmNotRunning", "ForceStopFailed"],
    route: "POST /vms/{vmId}/force-stop",
    cli: ["vm", "force-stop", "<vmId>"],
    places: ["<vmId...>"],
    aliases: ["vm destroy", "vm kill", "vm force-off"],
    reaches: "stopped",
    destroys: "what the guest has not written to disk yet, and the saved memory of a suspended VM",
    mark: "power",
    already: ["VmNotRunning"],
    readOnly: false,
  }),
  pause_vm: command({
    effects: ["suspended"],
    summary: "Pause a running VM",
    role: "operator",
    input: OneVm,
    output: NOTHING_OUT,
    errors: ["VmNotFound", "VmNotRunning", "PauseFailed"],
    route: "POST /vms/{vmId}/pause",
    cli: ["vm", "pause", "<vmId>"],
    places: ["<vmId...>"],
    reaches: "paused",
    mark: "power",
    readOnly: false,
  }),
  resume_vm: command({
    effects: ["resumed"],
    summary: "Resume a paused VM",
    role: "operator",
    input: OneVm,
    output: NOTHING_OUT,
    errors: ["VmNotFound", "VmNotPaused", "ResumeFailed"],
    route: "POST /vms/{vmId}/resume",
    cli: ["vm", "resume", "<vmId>"],
    places: ["<vmId...>"],
    aliases: ["vm unpause"],
    reaches: "running",
    mark: "power",
    readOnly: false,
  }),
  reboot_vm: command({
    summary: "Ask a VM to restart",
    role: "operator",
    input: OneVm,
    output: NOTHING_OUT,
    errors: ["VmNotFound", "VmNotRunning", "RebootFailed"],
    route: "POST /vms/{vmId}/reboot",
    cli: ["vm", "reboot", "<vmId>"],
    places: ["<vmId...>"],
    aliases: ["vm restart"],
    elsewhere: { force: "kvm-manager vm reset presses its reset button" },
    mark: "power",
    readOnly: false,
  }),
  reset_vm: command({
    effects: ["reboot"],
    summary: "Press a VM's reset button",
    description: "The guest is not asked: what it has not written to disk is lost.",
    role: "operator",
    input: OneVm,
    output: NOTHING_OUT,
    errors: ["VmNotFound", "VmNotRunning", "ResetFailed"],
    route: "POST /vms/{vmId}/reset",
    cli: ["vm", "reset", "<vmId>"],
    places: ["<vmId...>"],
    destroys: "what the guest has not written to disk yet",
    mark: "power",
    readOnly: false,
  }),
  suspend_vm: command({
    effects: ["stopped"],
    summary: "Save a VM's memory to disk and power it off",
    role: "operator",
    input: OneVm,
    output: NOTHING_OUT,
    errors: [
      "VmNotFound",
      "VmNotRunning",
      "VmNotPersistent",
      "VmNotOwner",
      "ShareHinders",
      "ShareMounted",
      "SuspendFailed",
    ],
    route: "POST /vms/{vmId}/suspend",
    cli: ["vm", "suspend", "<vmId>"],
    places: ["<vmId...>"],
    aliases: ["vm managedsave"],
    reaches: "suspended",
    mark: "power",
    readOnly: false,
  }),
  discard_saved_memory: command({
    summary: "Discard the saved memory of a suspended VM",
    description:
      "It is stopped then, and boots at its next start, as after a power cut. The way out where the saved memory is " +
      "damaged and the VM cannot continue from it.",
    role: "operator",
    input: OneVm,
    output: NOTHING_OUT,
    errors: ["VmNotFound", "NoSavedMemory", "DiscardFailed"],
    route: "POST /vms/{vmId}/discard-saved-memory",
    cli: ["vm", "discard-saved-memory", "<vmId>"],
    places: ["<vmId...>"],
    aliases: ["vm managedsave-remove"],
    reaches: "stopped",
    destroys: "the saved memory: what the guest had not written to disk",
    examples: ["kvm-manager vm discard-saved-memory web1"],
    mark: "power",
    readOnly: false,
  }),
  delete_vm: command({
    plan: "get_delete_plan",
    effects: ["stopped", "undefined"],
    summary: "Delete a stopped VM, and its disks if asked",
    description:
      "It goes into the bin, from where restore_bin_entry brings it back, with those of its disks that were asked for: " +
      "files in a folder of this host. Disks elsewhere (LVM, Ceph, iSCSI) are deleted for good; get_delete_plan tells which.",
    role: "administrator",
    permission: "vms.delete",
    envelope: "options",
    input: closed({
      vmId: VmId,
      deleteDisks: Type.Optional(Type.Boolean({ default: false, description: "delete its disk images too" })),
      disks: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 4096 }), {
        maxItems: 256,
        uniqueItems: true,
        description:
          "paths of the disks to delete, instead of all: those that get_delete_plan calls deletable",
      })),
      permanently: PERMANENTLY,
    }),
    output: DeleteVmResult,
    errors: [
      "VmNotFound",
      "VmStillRunning",
      "DeleteFailed",
      "DiskDeleteFailed",
      "StorageBusy",
      "StoreUnavailable",
    ],
    route: "DELETE /vms/{vmId}",
    cli: ["vm", "delete", "<vmId>"],
    places: ["<vmId...>"],
    aliases: ["vm undefine"],
    elsewhere: {
      force: "Power it off with kvm-manager vm force-stop first; --yes leaves out the question",
      "remove-all-storage": "--delete-disks deletes its disks, too",
    },
    examples: [
      "kvm-manager vm delete web1",
      "kvm-manager vm delete 'test-*' --delete-disks --permanently --yes",
    ],
    destroys:
      "the VM, and with --delete-disks its disks, once their time in the bin is over; at once what the bin cannot keep, and all with --permanently",
    mark: "change",
    readOnly: false,
  }),
  get_vm_xml: command({
    summary: "Show a VM's libvirt XML",
    role: "operator",
    input: closed({
      vmId: VmId,
      secure: Type.Optional(
        Type.Boolean({ default: false, description: "with passwords; administrators only" }),
      ),
      inactive: Type.Optional(
        Type.Boolean({
          default: false,
          description: "the configuration of the next start instead of the live one",
        }),
      ),
    }),
    output: Type.Object({
      xml: Type.String(),
      etag: Type.Optional(Type.String({
        description: "version, for set_vm_xml; only with secure and inactive: that is what can be edited",
      })),
    }),
    errors: ["VmNotFound", "Forbidden"],
    route: "GET /vms/{vmId}/xml",
    cli: ["vm", "xml", "<vmId>"],
    aliases: ["vm dumpxml"],
    file: { field: "xml" },
    examples: ["kvm-manager vm xml web1", "kvm-manager vm xml web1 --out web1.xml"],
    readOnly: true,
  }),
  get_vm_log: command({
    summary: "Show the end of QEMU's log of a VM",
    description:
      "libvirt's log of its QEMU: the command line of each start, and what QEMU said, as why it did not start. Of VMs on " +
      "this host alone. Lines of another VM that had its name before are left out; those that may be are shown to administrators alone.",
    role: "operator",
    input: closed({
      vmId: VmId,
      lines: Type.Optional(Type.Integer({
        minimum: 1,
        maximum: LOG_LINES.most,
        default: LOG_LINES.usual,
        description: "how many of the last lines",
      })),
    }),
    output: Type.Object({
      log: Type.String({ description: "control characters are shown as U+2400 to U+2426" }),
      lines: Type.Integer(),
      complete: Type.Boolean({ description: "false where there are older lines" }),
      changedAt: Timestamp,
    }),
    errors: ["VmNotFound", "VmLogMissing", "VmLogUnavailable"],
    route: "GET /vms/{vmId}/log",
    cli: ["vm", "log", "<vmId>"],
    file: { field: "log" },
    examples: ["kvm-manager vm log web1", "kvm-manager vm log web1 --lines 1000"],
    readOnly: true,
  }),
  get_vm_stats: command({
    summary: "Show a VM's load",
    description: "Zeros for a stopped VM; totals are cumulative since it started.",
    role: "viewer",
    input: OneVm,
    output: VmStats,
    errors: ["VmNotFound"],
    route: "GET /vms/{vmId}/stats",
    cli: ["vm", "stats", "<vmId>"],
    readOnly: true,
  }),
  get_vnc_info: command({
    summary: "Show where a VM's VNC screen is",
    role: "operator",
    input: OneVm,
    output: VncInfo,
    errors: ["VmNotFound", "VmNotRunning", "VncNotConfigured", "ScreenElsewhere"],
    route: "GET /vms/{vmId}/vnc",
    cli: ["vm", "vnc", "<vmId>"],
    readOnly: true,
  }),
  set_autostart: command({
    summary: "Start a VM with the host, or not",
    role: "operator",
    input: closed({ vmId: VmId, autostart: Type.Boolean() }),
    output: NOTHING_OUT,
    errors: ["VmNotFound", "VmNotPersistent", "VmNotOwner", "UpdateFailed"],
    route: "PUT /vms/{vmId}/autostart",
    cli: ["vm", "autostart", "<vmId>"],
    places: ["<vmId...>", "<autostart>"],
    examples: ["kvm-manager vm autostart web1 on", "kvm-manager vm autostart 'web-*' off"],
    readOnly: false,
  }),
  set_tags: command({
    summary: "Replace a VM's tags",
    role: "operator",
    input: closed({ vmId: VmId, tags: Type.Array(Tag, { maxItems: MAX_TAGS, uniqueItems: true }) }),
    output: LabelsChanged,
    errors: ["VmNotFound", "UpdateFailed"],
    route: "PUT /vms/{vmId}/tags",
    cli: ["vm", "tags", "<vmId>"],
    aliases: ["vm tag"],
    places: ["<vmId>", "[tags...]"],
    examples: ["kvm-manager vm tag web1 web production", "kvm-manager vm tag web1 --clear"],
    readOnly: false,
  }),
  set_group: command({
    summary: "Put a VM into a group",
    role: "operator",
    input: closed({ vmId: VmId, group: Group }),
    output: LabelsChanged,
    errors: ["VmNotFound", "UpdateFailed"],
    route: "PUT /vms/{vmId}/group",
    cli: ["vm", "group", "<vmId>"],
    places: ["<vmId...>", "<group>"],
    examples: ["kvm-manager vm group web1 web2 web", "kvm-manager vm group web1 ''"],
    readOnly: false,
  }),
  batch_start_vms: command({
    summary: "Start several VMs",
    role: "operator",
    input: ManyVms,
    output: BatchOperationResult,
    errors: [],
    route: "POST /batch/start",
    cli: ["batch", "start", "<vmIds...>"],
    examples: ["kvm-manager batch start web1 web2 'db-*'"],
    columns: ["vmId", "success", "error"],
    rows: "results",
    mark: "power",
    readOnly: false,
  }),
  batch_stop_vms: command({
    summary: "Ask several VMs to shut down",
    role: "operator",
    input: ManyVms,
    output: BatchOperationResult,
    errors: [],
    route: "POST /batch/stop",
    cli: ["batch", "stop", "<vmIds...>"],
    columns: ["vmId", "success", "error"],
    rows: "results",
    mark: "power",
    readOnly: false,
  }),
  batch_force_stop_vms: command({
    summary: "Power several VMs off at once",
    role: "operator",
    input: ManyVms,
    output: BatchOperationResult,
    errors: [],
    route: "POST /batch/force-stop",
    cli: ["batch", "force-stop", "<vmIds...>"],
    destroys: "what the guests have not written to disk yet, and the saved memory of suspended VMs",
    columns: ["vmId", "success", "error"],
    rows: "results",
    mark: "power",
    readOnly: false,
  }),
  batch_reboot_vms: command({
    summary: "Ask several VMs to restart",
    role: "operator",
    input: ManyVms,
    output: BatchOperationResult,
    errors: [],
    route: "POST /batch/reboot",
    cli: ["batch", "reboot", "<vmIds...>"],
    columns: ["vmId", "success", "error"],
    rows: "results",
    mark: "power",
    readOnly: false,
  }),
  batch_migrate_vms: command({
    summary: "Move several VMs to another host",
    description:
      "Answers once each VM is in the queue of its host, or is refused; the moves are jobs. A VM goes where its disks and " +
      "networks fit by their names: see migrate_vm for one that needs more.",
    role: "administrator",
    input: closed({
      ...ManyVms.properties,
      toHost: { ...HostName, description: "the linked host that they move to: its id" },
      breakRules: Type.Optional(
        Type.Boolean({ default: false, description: "although rules of placement are against it" }),
      ),
    }),
    output: BatchOperationResult,
    errors: [],
    route: "POST /batch/migrate",
    cli: ["batch", "migrate", "<vmIds...>", "<toHost>"],
    places: ["<vmIds...>", "<toHost>"],
    examples: ["kvm-manager batch migrate web1 web2 'db-*' kvm2"],
    alsoNeeds: [{ permission: "storage.operate" }],
    columns: ["vmId", "success", "error"],
    rows: "results",
    mark: "power",
    readOnly: false,
  }),
};
