/** The host: what it is, how loaded it is, whether libvirt answers. */
import Type, { type Static } from "typebox";
import { command } from "./command.ts";
import { toldHost } from "./on_host.ts";
import { Instant, NOTHING_IN, oneOf, SentenceText, Timestamp } from "./schema.ts";

export const HostInfo = Type.Object({
  hostname: Type.String(),
  cpuModel: Type.String(),
  cpuCount: Type.Integer({ description: "physical cores" }),
  cpuThreads: Type.Integer({ description: "threads the host schedules on" }),
  memoryTotalMb: Type.Integer(),
  memoryFreeMb: Type.Integer({ description: "MiB free or reclaimable" }),
  libvirtVersion: Type.String(),
  qemuVersion: Type.String(),
  hypervisor: Type.String({ description: "QEMU/KVM once KVM was found to work, QEMU (emulation), test" }),
  activeVms: Type.Integer(),
  totalVms: Type.Integer(),
  uncovered: Type.Array(Type.String(), {
    description:
      "schedules, backups, alerts and silences that go by VMs, tags or groups that are not there, or leave VMs out",
  }),
  attention: Type.Array(Type.String(), {
    description: "what about the host or KVM Manager itself needs a person, one sentence each",
  }),
  health: Type.Optional(Type.Object({
    at: Timestamp,
    problems: Type.Integer(),
    warnings: Type.Integer(),
  }, { description: "what the last get_host_health found; missing before the first one" })),
});
export type HostInfo = Static<typeof HostInfo>;

export const HostStats = Type.Object({
  cpuUsagePercent: Type.Union([Type.Number(), Type.Null()], {
    description: "0–100 of all threads; null while unknown",
  }),
  memoryTotalMb: Type.Integer(),
  memoryUsedMb: Type.Union([Type.Integer(), Type.Null()], { description: "null while unknown" }),
  loadAverage: Type.Union([Type.Array(Type.Number()), Type.Null()], { description: "1, 5 and 15 minutes" }),
  uptimeSeconds: Type.Union([Type.Integer(), Type.Null()]),
  timestamp: Timestamp,
});
export type HostStats = Static<typeof HostStats>;

export const CONNECTION_STATUSES = ["connected", "connecting", "disconnected"] as const;
export const ConnectionStatus = Type.Object({
  connected: Type.Boolean(),
  uri: Type.String(),
  error: Type.Union([Type.String(), Type.Null()], { description: "why not connected, and what to do" }),
  status: oneOf(CONNECTION_STATUSES),
  since: Timestamp,
});
export type ConnectionStatus = Static<typeof ConnectionStatus>;

export const Hang = Type.Object({
  about: oneOf(["vm", "pool", "network", "storage", "host"], {
    description: "`storage`: a file system of the host; `host`: libvirt itself",
  }),
  name: Type.String({ description: "the VM, pool or network; the mount point; the part of libvirt" }),
  vmId: Type.Optional(Type.String()),
  since: Timestamp,
  call: Type.String({ description: "the function that does not return, or what else shows it" }),
  remedy: Type.String({ description: "what helps" }),
}, { description: "something of the host that does not respond" });
export type Hang = Static<typeof Hang>;

export const Activity = Type.Object({
  id: Type.Integer(),
  timestamp: Timestamp,
  actor: Type.String({ description: "who: a user, or `libvirt` for what happened without us" }),
  action: Type.String({ description: "the command's name, or libvirt's event" }),
  ...toldHost,
  vmId: Type.Optional(Type.String()),
  vmName: Type.Optional(Type.String()),
  result: oneOf(["ok", "error", "event"]),
  message: Type.Optional(SentenceText()),
  mentions: Type.Optional(
    Type.Array(Type.String(), { description: "ids of other VMs that the message names" }),
  ),
});
export type Activity = Static<typeof Activity>;

export const hostCommands = {
  get_host_info: command({
    summary: "Show the host",
    role: "viewer",
    permission: "signed-in",
    input: NOTHING_IN,
    output: HostInfo,
    errors: [],
    route: "GET /host",
    cli: ["host", "info"],
    hides: "vm-counts",
    readOnly: true,
  }),
  get_host_stats: command({
    summary: "Show the host's load",
    role: "viewer",
    input: NOTHING_IN,
    output: HostStats,
    errors: [],
    route: "GET /host/stats",
    cli: ["host", "stats"],
    examples: ["kvm-manager host stats --watch"],
    readOnly: true,
  }),
  get_connection_status: command({
    summary: "Show whether libvirt answers",
    role: "viewer",
    permission: "signed-in",
    input: NOTHING_IN,
    output: ConnectionStatus,
    errors: [],
    route: "GET /connection",
    cli: ["connection"],
    readOnly: true,
    withoutLibvirt: true,
  }),
  list_hangs: command({
    summary: "List what does not respond: VMs, storage, networks, libvirt itself",
    role: "viewer",
    permission: "signed-in",
    input: NOTHING_IN,
    output: Type.Array(Hang),
    errors: [],
    route: "GET /host/hangs",
    cli: ["host", "hangs"],
    hides: "other-hangs",
    columns: ["about", "name", "since", "call", "remedy"],
    readOnly: true,
    withoutLibvirt: true,
  }),
  get_activity: command({
    summary: "List what happened lately, newest first",
    role: "viewer",
    permission: "signed-in",
    input: Type.Object({
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500, default: 50 })),
      vmId: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })),
      since: Type.Optional(Instant),
      until: Type.Optional(Instant),
      actions: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 64 }), {
        minItems: 1,
        maxItems: 100,
        description: "only these commands and events",
      })),
      succeeded: Type.Optional(Type.Boolean({ description: "true: without what failed" })),
    }, { additionalProperties: false }),
    output: Type.Array(Activity),
    errors: [],
    route: "GET /activity",
    cli: ["activity"],
    examples: ["kvm-manager activity --actions start_vm --actions stop_vm --since 2026-11-20"],
    hides: "other-activity",
    columns: ["timestamp", "actor", "action", "vmName", "result", "message"],
    wide: ["id"],
    readOnly: true,
    withoutLibvirt: true,
  }),
};
