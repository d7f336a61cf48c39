/** A VM's hardware: what it has now, what it starts with next, and changing it. */
import Type, { type Static } from "typebox";
import {
  CPU_MODES,
  FIRMWARES,
  SHARE_DRIVERS,
  SOUND_MODELS,
  VIDEO_MODELS,
  WATCHDOG_ACTIONS,
  WATCHDOGS,
} from "./choices.ts";
import { command } from "./command.ts";
import { AllowOvercommit, CpuCount, MemoryMb } from "./create.ts";
import { closed, oneOf, SentenceText, VmId } from "./schema.ts";
import { Group, MAX_TAGS, Tag, Title } from "./vm.ts";

/** Most vCPUs a VM may have. */
const MAX_CPUS = 256;

/** Choices of a list without `none`. */
const some = <T extends string>(choices: readonly T[]) =>
  choices.filter((each): each is Exclude<T, "none"> => each !== "none");

/** libvirt's kinds of devices to boot from. */
export const BOOT_KINDS = ["hd", "cdrom", "network", "fd"] as const;
export const TPM_MODELS = ["tpm-crb", "tpm-tis"] as const;
export const TPM_VERSIONS = ["2.0", "1.2"] as const;
export const SOUND_CARDS = some(SOUND_MODELS);
export const WATCHDOG_MODELS = some(WATCHDOGS);

/** Parts of a VM's configuration, as pages and undoing group them. */
export const AREAS = ["cpu", "memory", "boot", "firmware", "disks", "network", "devices", "general"] as const;
/** One of {@link AREAS}. */
export type Area = typeof AREAS[number];

export const CpuTopology = closed({
  sockets: Type.Integer({ minimum: 1, maximum: MAX_CPUS }),
  cores: Type.Integer({ minimum: 1, maximum: MAX_CPUS }),
  threads: Type.Integer({ minimum: 1, maximum: 64 }),
}, { description: "their product is the most vCPUs of the VM" });
export type CpuTopology = Static<typeof CpuTopology>;

export const CpuPin = closed({
  vcpu: Type.Integer({ minimum: 0, maximum: MAX_CPUS - 1 }),
  cpus: Type.String({
    maxLength: 256,
    pattern: "^\\d{1,4}(-\\d{1,4})?(,\\d{1,4}(-\\d{1,4})?)*$",
    description: "host CPUs it may run on: 0-3,8",
  }),
});
export type CpuPin = Static<typeof CpuPin>;

/** Changes to a VM's hardware. Fields left out stay. */
export const HardwareChange = closed({
  cpu: Type.Optional(closed({
    count: Type.Optional(CpuCount),
    max: Type.Optional(CpuCount),
    mode: Type.Optional(oneOf(CPU_MODES)),
    model: Type.Optional(Type.String({
      minLength: 1,
      maxLength: 64,
      pattern: "^[A-Za-z0-9][A-Za-z0-9_.-]*$",
      description: "QEMU's name of the model, for mode custom",
    })),
    topology: Type.Optional(Type.Union([CpuTopology, Type.Null()])),
    pinning: Type.Optional(Type.Array(CpuPin, {
      maxItems: MAX_CPUS,
      description: "replaces all pinning; vCPUs that are not named may run on every host CPU",
    })),
  })),
  memory: Type.Optional(closed({
    currentMb: Type.Optional(MemoryMb),
    maxMb: Type.Optional(MemoryMb),
  })),
  boot: Type.Optional(closed({
    devices: Type.Optional(Type.Array(oneOf(BOOT_KINDS), {
      maxItems: BOOT_KINDS.length,
      uniqueItems: true,
      description: "kinds of devices in the order they are tried; takes the place of order",
    })),
    order: Type.Optional(Type.Array(
      Type.String({ minLength: 1, maxLength: 64, pattern: "^[a-z]+:[A-Za-z0-9:@._-]+$" }),
      {
        maxItems: 64,
        uniqueItems: true,
        description: "single devices, as get_hardware names them; takes the place of devices",
      },
    )),
    menu: Type.Optional(Type.Boolean({ description: "the firmware offers its boot menu" })),
  })),
  firmware: Type.Optional(oneOf(FIRMWARES)),
  tpm: Type.Optional(Type.Union([
    closed({ model: oneOf(TPM_MODELS), version: oneOf(TPM_VERSIONS) }),
    Type.Null(),
  ])),
  video: Type.Optional(oneOf(VIDEO_MODELS)),
  watchdog: Type.Optional(Type.Union([
    closed({ model: oneOf(WATCHDOG_MODELS), action: oneOf(WATCHDOG_ACTIONS) }),
    Type.Null(),
  ])),
  rng: Type.Optional(Type.Boolean({ description: "a source of random numbers from the host" })),
  sound: Type.Optional(Type.Union([oneOf(SOUND_CARDS), Type.Null()])),
  title: Type.Optional(Title),
  description: Type.Optional(Type.String({
    maxLength: 16_384,
    pattern: "^[^\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f]*$",
    description: "empty removes it",
  })),
  autostart: Type.Optional(Type.Boolean()),
  tags: Type.Optional(Type.Array(Tag, { maxItems: MAX_TAGS, uniqueItems: true })),
  group: Type.Optional(Group),
});
/** {@link HardwareChange} as a type. */
export type HardwareChange = Static<typeof HardwareChange>;

/** A VM's hardware in its configuration. */
export const Hardware = Type.Object({
  cpu: Type.Object({
    count: Type.Integer(),
    max: Type.Integer(),
    mode: oneOf(CPU_MODES),
    model: Type.Union([Type.String(), Type.Null()]),
    topology: Type.Union([
      Type.Object({ sockets: Type.Integer(), cores: Type.Integer(), threads: Type.Integer() }),
      Type.Null(),
    ], { description: "null when it is QEMU's own: one socket a vCPU" }),
    pinning: Type.Array(Type.Object({ vcpu: Type.Integer(), cpus: Type.String() })),
  }),
  memory: Type.Object({ currentMb: Type.Integer(), maxMb: Type.Integer() }),
  boot: Type.Object({
    devices: Type.Array(Type.String()),
    order: Type.Array(Type.String()),
    menu: Type.Boolean(),
    kernel: Type.Boolean({ description: "a kernel is booted directly, whatever the order says" }),
    candidates: Type.Array(Type.Object({
      id: Type.String(),
      what: Type.String({ description: "its source: a path, a network" }),
    })),
  }),
  firmware: oneOf(FIRMWARES),
  nvram: Type.Union([Type.String(), Type.Null()]),
  tpm: Type.Union([
    Type.Object({ model: Type.String(), version: Type.String(), backend: Type.String() }),
    Type.Null(),
  ]),
  video: Type.Union([Type.String(), Type.Null()]),
  watchdog: Type.Union([Type.Object({ model: Type.String(), action: Type.String() }), Type.Null()]),
  rng: Type.Boolean(),
  sound: Type.Union([Type.String(), Type.Null()]),
  title: Type.String(),
  description: Type.String(),
  machine: Type.String(),
  arch: Type.String(),
});
/** {@link Hardware} as a type. */
export type Hardware = Static<typeof Hardware>;

/** Hardware that the host supports for a VM of this machine type. `null` when libvirt does not say. */
export const HardwareOptions = Type.Object({
  cpuModes: Type.Array(oneOf(CPU_MODES)),
  cpuModels: Type.Array(Type.String(), { description: "models this host can run" }),
  maxCpus: Type.Union([Type.Integer(), Type.Null()], { description: "the machine type's limit" }),
  uefi: Type.Boolean(),
  secureBoot: Type.Boolean(),
  tpm: Type.Boolean(),
  tpmModels: Type.Array(Type.String()),
  videoModels: Type.Array(Type.String()),
  shareDrivers: Type.Array(oneOf(SHARE_DRIVERS), { description: "ways to share a folder of the host" }),
  hostCpus: Type.Integer(),
  hostMemoryMb: Type.Integer(),
});
/** {@link HardwareOptions} as a type. */
export type HardwareOptions = Static<typeof HardwareOptions>;

export const PendingChange = Type.Object({
  area: oneOf(AREAS),
  what: Type.String({ description: "a field of update_vm (cpu.max), or what it is about (disk vda)" }),
  live: Type.Union([Type.String(), Type.Null()], { description: "now; null when it is not there" }),
  next: Type.Union([Type.String(), Type.Null()], { description: "from the next boot on" }),
});
/** A difference between a running VM and what it starts with next. */
export type PendingChange = Static<typeof PendingChange>;

const FieldChange = Type.Object({
  field: Type.String({ description: "cpu.count, memory.maxMb, …" }),
  live: Type.Union([Type.String(), Type.Null()], { description: "null when the VM is off" }),
  next: Type.Union([Type.String(), Type.Null()]),
});

export const UpdateVmResult = Type.Object({
  applied: Type.Array(FieldChange, {
    description: "in force now; of a VM that is off: at its next start",
  }),
  waiting: Type.Array(FieldChange, { description: "in force from the next boot on" }),
  warnings: Type.Array(SentenceText(), { description: "what a person should know, one sentence each" }),
});
/** {@link UpdateVmResult} as a type. */
export type UpdateVmResult = Static<typeof UpdateVmResult>;

const OneVm = closed({ vmId: VmId });

export const hardwareCommands = {
  get_hardware: command({
    summary: "Show a VM's hardware, now and from the next boot on",
    role: "viewer",
    input: OneVm,
    output: Type.Object({
      live: Type.Union([Hardware, Type.Null()], { description: "null when the VM is off" }),
      next: Hardware,
      options: Type.Union([HardwareOptions, Type.Null()], {
        description: "null when the host does not tell what it can do",
      }),
      pending: Type.Array(PendingChange),
    }),
    errors: ["VmNotFound"],
    route: "GET /vms/{vmId}/hardware",
    cli: ["vm", "hardware", "<vmId>"],
    readOnly: true,
  }),
  update_vm: command({
    summary: "Change a VM's hardware and settings",
    description:
      "Applies at once what a running VM can take (vCPUs and memory within their maximum, pinning, " +
      "title, description, tags, autostart); the rest is stored for the next boot. All or nothing: when a part " +
      "fails, the others are taken back.",
    role: "operator",
    input: closed({
      vmId: VmId,
      ...HardwareChange.properties,
      nextBootOnly: Type.Optional(Type.Boolean({
        default: false,
        description: "leave the running VM as it is, also where it could be changed now",
      })),
      allowOvercommit: Type.Optional(AllowOvercommit),
    }),
    output: UpdateVmResult,
    errors: [
      "QuotaExceeded",
      "VmNotFound",
      "VmNotPersistent",
      "InvalidCpuCount",
      "InvalidMemorySize",
      "CpuCountAboveMaximum",
      "MemoryAboveMaximum",
      "MemoryExceedsHost",
      "TopologyMismatch",
      "PinningMismatch",
      "BootDeviceNotFound",
      "HardwareMismatch",
      "UpdateFailed",
    ],
    route: "PATCH /vms/{vmId}",
    cli: ["vm", "update", "<vmId>"],
    aliases: ["vm set"],
    flags: {
      cpus: "cpu.count",
      vcpus: "cpu.count",
      memory: "memory.currentMb",
      "max-memory": "memory.maxMb",
    },
    examples: ["kvm-manager vm update web1 --cpus 4 --memory 8G"],
    exampleFields: ["title", "tags"],
    mark: "change",
    readOnly: false,
  }),
  get_pending_changes: command({
    summary: "Show what a running VM will have changed at its next boot",
    description: "Whoever changed it: virsh and other programs too. Empty for a VM that is off.",
    role: "viewer",
    input: OneVm,
    output: Type.Array(PendingChange),
    errors: ["VmNotFound"],
    route: "GET /vms/{vmId}/pending",
    cli: ["vm", "pending", "<vmId>"],
    columns: ["area", "what", "live", "next"],
    readOnly: true,
  }),
  discard_pending_changes: command({
    summary: "Take back what waits for a VM's next boot",
    description: "Makes the stored configuration like the running one again: all of it, or the given areas.",
    role: "operator",
    input: closed({
      vmId: VmId,
      areas: Type.Optional(Type.Array(oneOf(AREAS), { maxItems: AREAS.length, uniqueItems: true })),
    }),
    output: Type.Object({
      discarded: Type.Array(PendingChange),
      pending: Type.Array(PendingChange, { description: "what still waits" }),
    }),
    errors: ["VmNotFound", "VmNotRunning", "VmNotPersistent", "UpdateFailed"],
    route: "DELETE /vms/{vmId}/pending",
    cli: ["vm", "discard-pending", "<vmId>"],
    readOnly: false,
  }),
};
