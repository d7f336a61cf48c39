/** Inside the VM: what the guest's agent tells of it, and does in it. All that it tells is the guest's own word. */
import Type, { type Static } from "typebox";
import { command } from "./command.ts";
import { closed, NOTHING_OUT, oneOf, SECRET, Timestamp, VmId } from "./schema.ts";

/** Where the content of a guest's file is, below `/api/v1`: PUT and GET, with `?path=`. */
export const GUEST_CONTENT_PATH = "/vms/{vmId}/guest/content";

/** What an agent can do, in the order that pages show. */
export const GUEST_ABILITIES = [
  "info",
  "network",
  "filesystems",
  "users",
  "metrics",
  "exec",
  "files",
  "power",
  "freeze",
  "time",
  "password",
  "ssh-keys",
  "processes",
  "services",
  "service-control",
  "packages",
  "security",
] as const;
export type GuestAbility = typeof GUEST_ABILITIES[number];

/** The agents there are: QEMU's own, and ours. */
export const GUEST_AGENTS = ["qemu-ga", "kvm-manager-agent"] as const;
export type GuestAgentKind = typeof GUEST_AGENTS[number];

/** A path inside the guest. */
const GuestPath = Type.String({
  minLength: 1,
  maxLength: 4096,
  pattern: "^(/|[A-Za-z]:[\\\\/])[^\\u0000-\\u001f\\u007f]*$",
  description: "absolute path inside the guest",
});
const Account = Type.String({
  minLength: 1,
  maxLength: 256,
  pattern: "^[^\\u0000-\\u001f\\u007f:]+$",
  description: "account in the guest",
});
/** How a text stands for bytes. */
export const ENCODINGS = ["text", "base64"] as const;
const Encoding = Type.Optional(
  oneOf(ENCODINGS, { description: "text (UTF-8), when left out; or base64, for any bytes" }),
);
const Bytes = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description: "bytes" });
const Sha256 = Type.String({ maxLength: 64, pattern: "^[0-9a-f]{64}$" });

/** Bytes of output that are kept of each stream, and of a file that is read or written at once. */
export const MOST_OUTPUT = 1024 * 1024;
export const MOST_FILE = 512 * 1024;
/** Seconds a command may take, and takes at most when nothing is said. */
export const EXEC_SECONDS = { most: 600, usual: 60 } as const;
/** Seconds a guest may stay frozen, and stays when nothing is said. */
export const FREEZE_SECONDS = { most: 600, usual: 60 } as const;

export const GuestCapability = Type.Object({
  ability: oneOf(GUEST_ABILITIES),
  available: Type.Boolean(),
  agent: Type.Optional(oneOf(GUEST_AGENTS, { description: "the agent that does it" })),
  reason: Type.Optional(Type.String({ description: "why it is not available" })),
  remedy: Type.Optional(Type.String({ description: "how to get it" })),
});
export type GuestCapability = Static<typeof GuestCapability>;

export const AgentStatus = Type.Object({
  installed: Type.Boolean({ description: "an agent has answered, or holds its end of the channel open" }),
  connected: Type.Boolean(),
  version: Type.Optional(Type.String({ description: "of the agent, as it says itself" })),
  agents: Type.Array(Type.Object({
    agent: oneOf(GUEST_AGENTS),
    state: oneOf(["connected", "silent", "disconnected", "not configured"], {
      description:
        "silent: it is there and does not answer; disconnected: the VM has its channel, and no agent is at it",
    }),
    version: Type.Optional(Type.String()),
  })),
  abilities: Type.Array(GuestCapability),
  frozenUntil: Type.Optional(Timestamp),
});
export type AgentStatus = Static<typeof AgentStatus>;

export const GUEST_OS_TYPES = ["linux", "windows", "other"] as const;

export const GuestInfo = Type.Object({
  osType: oneOf(GUEST_OS_TYPES),
  osVersion: Type.String({
    description: "as the guest calls it: Debian GNU/Linux 12 (bookworm); may be empty",
  }),
  osId: Type.Optional(Type.String({ description: "debian, fedora, mswindows, …" })),
  hostname: Type.String({ description: "may be empty" }),
  ipAddresses: Type.Array(Type.String()),
  macAddresses: Type.Array(Type.String()),
  kernelVersion: Type.Optional(Type.String()),
  architecture: Type.Optional(Type.String()),
  timeZone: Type.Optional(Type.String()),
  utcOffsetSeconds: Type.Optional(Type.Integer()),
});
export type GuestInfo = Static<typeof GuestInfo>;

export const GuestInterface = Type.Object({
  name: Type.String(),
  mac: Type.Optional(Type.String()),
  addresses: Type.Array(Type.String({ description: "with the prefix: 192.0.2.7/24" })),
});
export type GuestInterface = Static<typeof GuestInterface>;

export const GuestFilesystem = Type.Object({
  name: Type.String({ description: "the device, as the guest calls it" }),
  mountpoint: Type.String(),
  type: Type.String(),
  totalBytes: Type.Optional(Type.Integer()),
  usedBytes: Type.Optional(Type.Integer()),
  disks: Type.Array(Type.String({ description: "disks of the VM that it is on: vda" })),
});
export type GuestFilesystem = Static<typeof GuestFilesystem>;

export const UserInfo = Type.Object({
  name: Type.String(),
  domain: Type.Optional(Type.String({ description: "of Windows" })),
  since: Type.Optional(Timestamp),
});
export type UserInfo = Static<typeof UserInfo>;

export const ExecResult = Type.Object({
  stdout: Type.String(),
  stderr: Type.String(),
  exitCode: Type.Integer({ description: "124 when it was ended at its time limit; 128 + N by signal N" }),
  timedOut: Type.Boolean(),
  stdoutTruncated: Type.Boolean({ description: `more than ${MOST_OUTPUT} bytes came: the rest is lost` }),
  stderrTruncated: Type.Boolean(),
});
export type ExecResult = Static<typeof ExecResult>;

export const PROCESS_ORDERS = ["cpu", "memory", "pid"] as const;

export const GuestProcess = Type.Object({
  pid: Type.Integer(),
  parentPid: Type.Integer(),
  name: Type.String(),
  command: Type.String({ description: "with its arguments, as far as the guest tells them" }),
  user: Type.String(),
  state: Type.String({ description: "running, sleeping, waiting, stopped, zombie, idle" }),
  cpuPercent: Type.Number({ description: "of one core" }),
  memoryBytes: Type.Integer({ description: "resident" }),
  threads: Type.Integer(),
});
export type GuestProcess = Static<typeof GuestProcess>;

export const GuestMetrics = Type.Object({
  cpuUsagePercent: Type.Number({ description: "of all cores together: 0 to 100" }),
  cores: Type.Array(Type.Number({ description: "per cent" })),
  loadAverage: Type.Optional(Type.Array(Type.Number(), { description: "over 1, 5 and 15 minutes" })),
  memoryUsedMb: Type.Integer(),
  memoryTotalMb: Type.Integer(),
  memoryAvailableMb: Type.Integer(),
  swapUsedMb: Type.Integer(),
  swapTotalMb: Type.Integer(),
  uptimeSeconds: Type.Optional(Type.Number()),
  diskIo: Type.Array(
    Type.Object({ name: Type.String(), readBytes: Type.Integer(), writeBytes: Type.Integer() }),
    {
      description: "since the guest's boot",
    },
  ),
  networkIo: Type.Array(
    Type.Object({ name: Type.String(), rxBytes: Type.Integer(), txBytes: Type.Integer() }),
    {
      description: "since the guest's boot",
    },
  ),
  processes: Type.Optional(
    Type.Array(GuestProcess, { description: "that take the most CPU; KVM Manager's agent alone tells them" }),
  ),
});
export type GuestMetrics = Static<typeof GuestMetrics>;

export const SERVICE_STATES = ["running", "exited", "stopped", "failed", "changing", "unknown"] as const;

export const GuestUnit = Type.Object({
  name: Type.String(),
  description: Type.String(),
  state: oneOf(SERVICE_STATES, { description: "exited: it did its work and ended, as it should" }),
  startup: Type.String({ description: "enabled, disabled, manual, static, masked; may be empty" }),
});
export type GuestUnit = Static<typeof GuestUnit>;

/** What can be done to a service. */
export const SERVICE_ACTIONS = ["start", "stop", "restart", "reload", "enable", "disable"] as const;

export const GuestPackage = Type.Object({
  name: Type.String(),
  version: Type.String(),
  architecture: Type.String(),
  upgrade: Type.Optional(Type.String({ description: "the version that the guest could go to" })),
});
export type GuestPackage = Static<typeof GuestPackage>;

export const GuestPackages = Type.Object({
  manager: Type.String({ description: "dpkg, rpm, apk, pacman" }),
  total: Type.Integer({ description: "packages that are installed" }),
  upgrades: Type.Integer({ description: "of these, how many could be upgraded, by the guest's own lists" }),
  packages: Type.Array(GuestPackage),
  hasMore: Type.Boolean({ description: "more follow: ask with a larger offset" }),
});
export type GuestPackages = Static<typeof GuestPackages>;

export const GuestSecurity = Type.Object({
  selinux: Type.String({ description: "enforcing, permissive, disabled" }),
  apparmor: Type.String({ description: "enabled, disabled" }),
  apparmorProfiles: Type.Integer(),
  lockdown: Type.String({ description: "of the kernel: none, integrity, confidentiality" }),
  secureBoot: Type.String({ description: "enabled, disabled, unsupported" }),
  rebootRequired: Type.Boolean({ description: "an upgrade waits for a reboot" }),
});
export type GuestSecurity = Static<typeof GuestSecurity>;

export const GUEST_FILE_KINDS = ["file", "folder", "link", "other"] as const;

export const GuestFile = Type.Object({
  name: Type.String(),
  kind: oneOf(GUEST_FILE_KINDS),
  size: Type.Integer(),
  modifiedAt: Timestamp,
  mode: Type.String({ description: "0644" }),
  owner: Type.String(),
  group: Type.String(),
});
export type GuestFile = Static<typeof GuestFile>;

const OneVm = closed({ vmId: VmId });
/** What every command in a guest may fail with. */
const ASKING = ["VmNotFound", "VmNotRunning", "GuestUnavailable", "GuestSilent", "GuestBusy"] as const;
const DOING = [...ASKING, "GuestRefused"] as const;
const FILES = [...DOING, "GuestFileNotFound", "GuestFileDenied"] as const;

/** Rights that reach into a guest: whoever has them is root in it. */
const EXEC = { role: "administrator", permission: "guest.exec" } as const;
const FILE = { role: "administrator", permission: "guest.files" } as const;
const ACCOUNTS = { role: "administrator", permission: "guest.accounts" } as const;

export const guestCommands = {
  guest_agent_status: command({
    summary: "Show which agents run in a VM, and what they can do",
    role: "viewer",
    input: OneVm,
    output: AgentStatus,
    errors: ["VmNotFound"],
    route: "GET /vms/{vmId}/guest",
    cli: ["guest", "status", "<vmId>"],
    rows: "abilities",
    columns: ["ability", "available", "agent", "reason", "remedy"],
    readOnly: true,
  }),
  guest_get_info: command({
    summary: "Show a guest's system",
    role: "viewer",
    input: OneVm,
    output: GuestInfo,
    errors: ASKING,
    route: "GET /vms/{vmId}/guest/info",
    cli: ["guest", "info", "<vmId>"],
    readOnly: true,
  }),
  guest_get_network_info: command({
    summary: "List a guest's network interfaces and addresses",
    role: "viewer",
    input: OneVm,
    output: Type.Array(GuestInterface),
    errors: ASKING,
    route: "GET /vms/{vmId}/guest/network",
    cli: ["guest", "network", "<vmId>"],
    columns: ["name", "mac", "addresses"],
    readOnly: true,
  }),
  guest_get_disk_usage: command({
    summary: "List a guest's file systems and how full they are",
    role: "viewer",
    input: OneVm,
    output: Type.Array(GuestFilesystem),
    errors: ASKING,
    route: "GET /vms/{vmId}/guest/filesystems",
    cli: ["guest", "filesystems", "<vmId>"],
    columns: ["mountpoint", "type", "usedBytes", "totalBytes", "name"],
    readOnly: true,
  }),
  guest_get_users: command({
    summary: "List who is signed in in a guest",
    role: "viewer",
    input: OneVm,
    output: Type.Array(UserInfo),
    errors: ASKING,
    route: "GET /vms/{vmId}/guest/users",
    cli: ["guest", "users", "<vmId>"],
    columns: ["name", "domain", "since"],
    readOnly: true,
  }),
  guest_get_metrics: command({
    summary: "Show a guest's load, as it sees it itself",
    description: "Of Linux guests: per core, memory without caches, disks and network since the boot.",
    role: "viewer",
    input: OneVm,
    output: GuestMetrics,
    errors: DOING,
    route: "GET /vms/{vmId}/guest/metrics",
    cli: ["guest", "metrics", "<vmId>"],
    readOnly: true,
  }),
  guest_get_processes: command({
    summary: "List what runs in a guest",
    description:
      "Command lines may hold secrets, so that they are not for viewers. KVM Manager's agent does it.",
    role: "operator",
    input: closed({
      vmId: VmId,
      sort: Type.Optional(
        oneOf(PROCESS_ORDERS, { description: "what the first have most of: cpu, when left out" }),
      ),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500, description: "50 when left out" })),
    }),
    output: Type.Object({
      total: Type.Integer({ description: "processes in the guest" }),
      processes: Type.Array(GuestProcess),
    }),
    errors: DOING,
    route: "GET /vms/{vmId}/guest/processes",
    cli: ["guest", "processes", "<vmId>"],
    rows: "processes",
    columns: ["pid", "user", "cpuPercent", "memoryBytes", "state", "command"],
    readOnly: true,
  }),
  guest_get_services: command({
    summary: "List a guest's services",
    description: "KVM Manager's agent does it.",
    role: "viewer",
    input: OneVm,
    output: Type.Array(GuestUnit),
    errors: DOING,
    route: "GET /vms/{vmId}/guest/services",
    cli: ["guest", "services", "<vmId>"],
    columns: ["name", "state", "startup", "description"],
    readOnly: true,
  }),
  guest_control_service: command({
    summary: "Start, stop or restart a service in a guest, or change whether it starts with it",
    description: "KVM Manager's agent does it.",
    ...EXEC,
    input: closed({
      vmId: VmId,
      name: Type.String({
        minLength: 1,
        maxLength: 256,
        pattern: "^[A-Za-z0-9_@:.][A-Za-z0-9_@:.\\\\ -]*$",
        description: "as guest_get_services calls it",
      }),
      action: oneOf(SERVICE_ACTIONS),
    }),
    output: NOTHING_OUT,
    errors: DOING,
    route: "POST /vms/{vmId}/guest/services/{name}",
    cli: ["guest", "service", "<vmId>", "<action>", "<name>"],
    readOnly: false,
  }),
  guest_get_packages: command({
    summary: "List what is installed in a guest, and what could be upgraded",
    description:
      "From the guest's own lists: nothing is downloaded. KVM Manager's agent does it, in Linux guests.",
    role: "viewer",
    input: closed({
      vmId: VmId,
      upgradesOnly: Type.Optional(Type.Boolean({ default: false })),
      offset: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000 })),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, description: "1000 when left out" })),
    }),
    output: GuestPackages,
    errors: DOING,
    route: "GET /vms/{vmId}/guest/packages",
    cli: ["guest", "packages", "<vmId>"],
    rows: "packages",
    columns: ["name", "version", "upgrade", "architecture"],
    readOnly: true,
  }),
  guest_get_security: command({
    summary: "Show what protects a guest, and whether it waits for a reboot",
    description: "KVM Manager's agent does it.",
    role: "viewer",
    input: OneVm,
    output: GuestSecurity,
    errors: DOING,
    route: "GET /vms/{vmId}/guest/security",
    cli: ["guest", "security", "<vmId>"],
    readOnly: true,
  }),
  insert_guest_tools: command({
    summary: "Put the CD with the guest tools into a VM",
    description:
      "KVM Manager's guest agent, with its installers for Linux and Windows. It goes into an empty CD drive, or into one " +
      "that is added. A VM without the agent's channel gets it: at once where it runs with a virtio-serial controller, else from its " +
      "next start on.",
    role: "operator",
    input: OneVm,
    output: Type.Object({
      target: Type.String({ description: "the drive: sda" }),
      path: Type.String({ description: "of the CD on the host" }),
      applies: oneOf(["now", "next start"], { description: "when the guest sees the CD" }),
      channel: oneOf(["present", "now", "next start"], {
        description: "whether the VM had the agent's channel, has it now, or from its next start on",
      }),
    }),
    errors: [
      ...["VmNotFound", "VmBusy", "GuestToolsMissing", "GuestToolsFailed", "AttachFailed"] as const,
      ...["MediaFailed", "NoFreeTarget", "NoFreeSlot", "NotHotpluggable", "StoragePoolNotActive"] as const,
    ],
    route: "POST /vms/{vmId}/guest/tools",
    cli: ["vm", "guest-tools", "<vmId>"],
    readOnly: false,
  }),
  install_guest_agent: command({
    summary: "Install KVM Manager's guest agent in a VM through QEMU's",
    description:
      "Copies the agent into the guest and runs its installer there, by qemu-guest-agent, in Linux guests. The VM gets " +
      "the agent's channel where it lacks it. Others: insert_guest_tools.",
    ...EXEC,
    input: OneVm,
    output: Type.Object({
      channel: oneOf(["present", "now", "next start"], {
        description: "next start: the agent runs, and is heard once the VM was shut down and started",
      }),
      output: Type.String({ description: "what the installer said" }),
    }),
    errors: [
      ...FILES,
      ...["GuestToolsMissing", "GuestInstallFailed", "GuestCopyFailed", "GuestProgramNotFound"] as const,
      ...["GuestExecTimeout", "GuestOutputLost", "AttachFailed", "VmBusy"] as const,
    ],
    route: "POST /vms/{vmId}/guest/agent",
    cli: ["guest", "install-agent", "<vmId>"],
    readOnly: false,
  }),
  guest_exec: command({
    summary: "Run a program in a guest",
    description:
      "As the user that its agent runs as: root, or Windows' SYSTEM. No shell is between: name `sh` and `-c` for one. " +
      `Of each output ${MOST_OUTPUT} bytes are kept. The audit log has the program and its arguments.`,
    ...EXEC,
    input: closed({
      vmId: VmId,
      command: Type.String({
        minLength: 1,
        maxLength: 4096,
        description: "program: a path, or a name in its PATH",
      }),
      args: Type.Optional(Type.Array(Type.String({ maxLength: 65_536 }), { maxItems: 1000 })),
      env: Type.Optional(
        Type.Array(
          Type.String({ maxLength: 32_768, pattern: "^[A-Za-z_][A-Za-z0-9_]*=", description: "NAME=value" }),
          {
            maxItems: 200,
            description: "the audit log does not keep it",
            ...SECRET,
          },
        ),
      ),
      stdin: Type.Optional(Type.String({
        maxLength: 700_000,
        description: "what it reads from standard input, up to about 128 KiB; the audit log does not keep it",
        ...SECRET,
      })),
      encoding: Type.Optional(
        oneOf(ENCODINGS, { description: "of stdin, stdout and stderr: text, when left out" }),
      ),
      seconds: Type.Optional(Type.Integer({
        minimum: 1,
        maximum: EXEC_SECONDS.most,
        description: `after these it is ended; ${EXEC_SECONDS.usual} when left out`,
      })),
    }),
    output: ExecResult,
    errors: [...DOING, "GuestProgramNotFound", "GuestExecTimeout", "GuestOutputLost"],
    route: "POST /vms/{vmId}/guest/exec",
    cli: ["guest", "exec", "<vmId>", "<command>"],
    exampleFields: ["args"],
    readOnly: false,
  }),
  guest_list_files: command({
    summary: "List a folder in a guest",
    ...FILE,
    input: closed({ vmId: VmId, path: GuestPath }),
    output: Type.Object({
      path: Type.String(),
      files: Type.Array(GuestFile),
      truncated: Type.Boolean({ description: "the folder has more than are listed" }),
    }),
    errors: FILES,
    route: "GET /vms/{vmId}/guest/files",
    cli: ["guest", "list", "<vmId>", "<path>"],
    rows: "files",
    columns: ["name", "kind", "size", "mode", "owner", "modifiedAt"],
    readOnly: true,
    audited: true,
  }),
  guest_read_file: command({
    summary: "Read a part of a file in a guest",
    description: "For whole files of any size: guest_copy_from.",
    ...FILE,
    input: closed({
      vmId: VmId,
      path: GuestPath,
      offset: Type.Optional(Bytes),
      length: Type.Optional(Type.Integer({ minimum: 1, maximum: MOST_FILE, description: "bytes" })),
      encoding: Encoding,
    }),
    output: Type.Object({
      content: Type.String(),
      length: Type.Integer({ description: "bytes that were read" }),
      isEnd: Type.Boolean({ description: "the file ends there" }),
    }),
    errors: FILES,
    route: "GET /vms/{vmId}/guest/file",
    cli: ["guest", "read", "<vmId>", "<path>"],
    readOnly: true,
    audited: true,
  }),
  guest_write_file: command({
    summary: "Write a small file in a guest",
    description:
      "It takes the place of what is there, or is appended to it. For files of any size: guest_copy_to.",
    ...FILE,
    input: closed({
      vmId: VmId,
      path: GuestPath,
      content: Type.String({ maxLength: 700_000, description: "the audit log does not keep it", ...SECRET }),
      encoding: Encoding,
      append: Type.Optional(Type.Boolean({ default: false })),
    }),
    output: Type.Object({ length: Type.Integer({ description: "bytes that were written" }) }),
    errors: FILES,
    route: "PUT /vms/{vmId}/guest/file",
    cli: ["guest", "write", "<vmId>", "<path>"],
    readOnly: false,
  }),
  guest_copy_to: command({
    summary: "Copy a file into a guest",
    description:
      "PUT the file itself, with `?path=` of where it goes. It takes its place once all of it is there; until then it " +
      "lies beside it as `PATH.kvm-manager-part`. It is a job: cancel_job ends and removes it.",
    ...FILE,
    input: closed({
      vmId: VmId,
      path: GuestPath,
      size: Type.Optional(Bytes),
      mode: Type.Optional(Type.String({ maxLength: 4, pattern: "^[0-7]{3,4}$", description: "0755" })),
      checksum: Type.Optional(Sha256),
    }),
    output: Type.Object({
      path: Type.String(),
      size: Bytes,
      sha256: Type.String({ description: "of the content that arrived" }),
      verified: Type.Boolean({ description: "the guest has counted the same checksum of what it wrote" }),
    }),
    errors: [
      ...FILES,
      ...["ContentExpected", "EncodedBody", "FileExpected", "UploadBroken", "ChecksumMismatch"] as const,
      ...["GuestCopyFailed", "JobCancelled"] as const,
    ],
    route: `PUT ${GUEST_CONTENT_PATH}`,
    cli: ["guest", "copy-to", "<vmId>", "<path>"],
    examples: ["kvm-manager vm cp app.conf web1:/etc/app.conf"],
    readOnly: false,
    content: "upload",
    contentFields: ["path", "mode", "checksum"],
  }),
  guest_copy_from: command({
    summary: "Copy a file out of a guest",
    description:
      "GET the file itself, with `?path=`. Of files whose size the guest knows, Range gives a part.",
    ...FILE,
    input: closed({ vmId: VmId, path: GuestPath }),
    output: Type.Object({
      name: Type.String(),
      size: Type.Union([Bytes, Type.Null()], { description: "null: it is known at the end alone" }),
    }),
    errors: [...FILES, "ContentExpected", "PreconditionFailed", "RangeNotSatisfiable", "GuestCopyFailed"],
    route: `GET ${GUEST_CONTENT_PATH}`,
    cli: ["guest", "copy-from", "<vmId>", "<path>"],
    examples: ["kvm-manager vm cp web1:/var/log/syslog ."],
    readOnly: true,
    audited: true,
    content: "download",
    contentFields: ["path"],
  }),
  guest_shutdown: command({
    summary: "Shut a VM down through its guest agent",
    description: "stop_vm does so, too, and asks through ACPI where no agent answers.",
    role: "operator",
    input: OneVm,
    output: NOTHING_OUT,
    errors: [...DOING, "VmBusy", "StopFailed"],
    route: "POST /vms/{vmId}/guest/shutdown",
    cli: ["guest", "shutdown", "<vmId>"],
    readOnly: false,
  }),
  guest_reboot: command({
    summary: "Reboot a VM through its guest agent",
    role: "operator",
    input: OneVm,
    output: NOTHING_OUT,
    errors: [...DOING, "VmBusy", "RebootFailed"],
    route: "POST /vms/{vmId}/guest/reboot",
    cli: ["guest", "reboot", "<vmId>"],
    readOnly: false,
  }),
  guest_freeze: command({
    summary: "Have a guest write all to its disks and write nothing more",
    description:
      "For a copy of its disks by other means; backups do it by themselves. It thaws by itself after the time limit.",
    role: "operator",
    input: closed({
      vmId: VmId,
      seconds: Type.Optional(Type.Integer({
        minimum: 1,
        maximum: FREEZE_SECONDS.most,
        description: `after these it thaws; ${FREEZE_SECONDS.usual} when left out`,
      })),
      mountpoints: Type.Optional(
        Type.Array(GuestPath, { maxItems: 100, description: "all file systems when left out" }),
      ),
    }),
    output: Type.Object({ filesystems: Type.Integer(), thawsAt: Timestamp }),
    errors: [...DOING, "VmBusy"],
    route: "POST /vms/{vmId}/guest/freeze",
    cli: ["guest", "freeze", "<vmId>"],
    readOnly: false,
  }),
  guest_thaw: command({
    summary: "Let a guest write to its disks again",
    role: "operator",
    input: OneVm,
    output: Type.Object({ filesystems: Type.Integer({ description: "0: none was frozen" }) }),
    errors: DOING,
    route: "POST /vms/{vmId}/guest/thaw",
    cli: ["guest", "thaw", "<vmId>"],
    readOnly: false,
  }),
  guest_set_time: command({
    summary: "Set a guest's clock",
    role: "operator",
    input: closed({
      vmId: VmId,
      time: Type.Optional(Type.Integer({
        minimum: 0,
        maximum: 253_402_300_799_999,
        description: "milliseconds since 1970-01-01T00:00:00Z; the host's time when left out",
      })),
    }),
    output: NOTHING_OUT,
    errors: DOING,
    route: "POST /vms/{vmId}/guest/time",
    cli: ["guest", "set-time", "<vmId>"],
    readOnly: false,
  }),
  guest_set_password: command({
    summary: "Set the password of an account in a guest",
    ...ACCOUNTS,
    input: closed({
      vmId: VmId,
      user: Account,
      password: Type.String({ minLength: 1, maxLength: 512, ...SECRET }),
    }),
    output: NOTHING_OUT,
    errors: DOING,
    route: "POST /vms/{vmId}/guest/password",
    cli: ["guest", "set-password", "<vmId>", "<user>"],
    readOnly: false,
  }),
  guest_ssh_keys: command({
    summary: "List the SSH keys that let in to an account in a guest",
    ...ACCOUNTS,
    input: closed({ vmId: VmId, user: Account }),
    output: Type.Array(Type.Object({ key: Type.String() })),
    errors: DOING,
    route: "GET /vms/{vmId}/guest/ssh-keys",
    cli: ["guest", "ssh-keys", "<vmId>", "<user>"],
    columns: ["key"],
    readOnly: true,
  }),
  guest_change_ssh_keys: command({
    summary: "Add SSH keys to an account in a guest, or remove them",
    ...ACCOUNTS,
    input: closed({
      vmId: VmId,
      user: Account,
      change: oneOf(["add", "remove"]),
      sshKeys: Type.Array(
        Type.String({
          minLength: 16,
          maxLength: 16_384,
          pattern: "^[A-Za-z0-9@._-]+ [A-Za-z0-9+/=]+( [^\\u0000-\\u001f\\u007f]*)?$",
          description: "as in authorized_keys, without options: ssh-ed25519 AAAA… ann@laptop",
        }),
        { minItems: 1, maxItems: 100 },
      ),
    }),
    output: NOTHING_OUT,
    errors: DOING,
    route: "POST /vms/{vmId}/guest/ssh-keys",
    cli: ["guest", "change-ssh-keys", "<vmId>", "<user>", "<change>", "<sshKeys...>"],
    readOnly: false,
  }),
};
