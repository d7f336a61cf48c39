/** Activity of a guest: its load, as it sees it itself, and its processes. All of it is the guest's own word. */
import Type, { type Static } from "typebox";
import { command } from "../command.ts";
import { closed, oneOf, VmId } from "../schema.ts";
import { DOING, OneVm } from "./common.ts";

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

export const guestLoadCommands = {
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
};
