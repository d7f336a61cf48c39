/** Hosts in maintenance: they take no VMs, are emptied, and get back what they had. */
import Type, { type Static } from "typebox";
import { command } from "./command.ts";
import { BREAK_RULES } from "./migration.ts";
import { HostName } from "./on_host.ts";
import { CLEARABLE, closed, NO_OUTER_BLANK, oneOf, SentenceText, Timestamp, VmId } from "./schema.ts";

/** How many VMs leave a host, and come to one, at once. */
export const MOVE_LIMIT = { least: 1, usual: 2, most: 16 } as const;
/** Most VMs that one maintenance is about. */
export const MOST_DRAINED = 2000;

/** Actions on a VM when its host enters maintenance. */
export const DRAIN_ACTIONS = ["move", "shutdown", "leave"] as const;
export type DrainAction = typeof DRAIN_ACTIONS[number];

/** States of maintenance. `on`: no VM is being moved or shut down. */
export const MAINTENANCE_STATES = ["off", "on", "draining", "returning"] as const;
export type MaintenanceState = typeof MAINTENANCE_STATES[number];

/** `left`: it stays on the host as it is. */
export const DRAINED_STATES = [
  "waiting",
  "active",
  "done",
  "failed",
  "left",
  "returning",
  "returned",
] as const;

const HostId = { ...HostName, description: "id of the host that it goes to" };

const DrainedVm = Type.Object({
  vmId: Type.String(),
  name: Type.String(),
  action: oneOf(DRAIN_ACTIONS),
  toHost: Type.Optional(Type.String({ description: "id of the host that it goes to" })),
  state: oneOf(DRAINED_STATES),
  message: Type.Optional(
    SentenceText({ description: "why it stays, or could not go, or did not come back" }),
  ),
});

/** Whether a host is in maintenance, and what became of its VMs. */
export const Maintenance = Type.Object({
  state: oneOf(MAINTENANCE_STATES),
  since: Type.Union([Timestamp, Type.Null()], { description: "null: it is not, and was not" }),
  note: Type.String({ description: "the reason; may be empty" }),
  by: Type.String({ description: "who began it; may be empty" }),
  movesAtOnce: Type.Integer({ description: "VMs that leave the host, and come to it, at once" }),
  moving: Type.Integer({ description: "VMs that leave it now, of those that are seen" }),
  queued: Type.Integer({ description: "VMs that wait to leave it, of those that are seen" }),
  stopped: Type.Optional(SentenceText({ description: "why emptying it, or bringing VMs back, has stopped" })),
  vms: Type.Array(DrainedVm, {
    description: "in their order; of a maintenance that is over those that it had moved or shut down",
  }),
});
export type Maintenance = Static<typeof Maintenance>;

/** Maintenance in lists of hosts. */
export const MaintenanceSummary = Type.Object({
  state: oneOf(MAINTENANCE_STATES),
  since: Timestamp,
  note: Type.String({ description: "the reason; may be empty" }),
  done: Type.Optional(
    Type.Integer({ description: "VMs that have left, or are back; for who sees all VMs of the host" }),
  ),
  all: Type.Optional(Type.Integer({ description: "VMs that are to; for who sees all VMs of the host" })),
});
export type MaintenanceSummary = Static<typeof MaintenanceSummary>;

/** Actions on the VMs. */
const CHOICES = {
  vms: Type.Optional(Type.Array(
    closed({ vmId: VmId, action: oneOf(DRAIN_ACTIONS), toHost: Type.Optional(HostId) }),
    {
      maxItems: MOST_DRAINED,
      description:
        "single VMs; the others that run move to the host with the most room, those that are off stay",
    },
  )),
  off: Type.Optional(oneOf(["move", "leave"], { description: "what becomes of VMs that are off; leave" })),
  breakRules: BREAK_RULES,
};

export const MaintenancePlan = Type.Object({
  vms: Type.Array(
    Type.Object({
      vmId: Type.String(),
      name: Type.String(),
      state: Type.String(),
      memoryMb: Type.Integer({ description: "that it takes while it runs" }),
      autostart: Type.Boolean(),
      action: oneOf(DRAIN_ACTIONS),
      toHost: Type.Optional(Type.String({ description: "id of the host that it goes to" })),
      obstacles: Type.Array(SentenceText(), { description: "why it stays, host by host" }),
      warnings: Type.Array(SentenceText(), { description: "worth knowing, and rules that it goes against" }),
    }),
  ),
  hosts: Type.Array(
    Type.Object({
      id: Type.String(),
      label: Type.String(),
      memoryTotalMb: Type.Integer(),
      memoryFreeMb: Type.Integer({ description: "MiB that are neither used nor assigned to VMs that run" }),
      memoryLeftMb: Type.Integer({ description: "the same, once the VMs are there" }),
      cpuUsagePercent: Type.Union([Type.Number(), Type.Null()]),
      vms: Type.Integer({ description: "VMs that come" }),
    }),
    { description: "hosts that VMs may go to" },
  ),
  away: Type.Array(Type.Object({ id: Type.String(), label: Type.String(), reason: SentenceText() }), {
    description: "linked hosts that take none now, and why",
  }),
  warnings: Type.Array(SentenceText(), { description: "of the host as a whole" }),
});
export type MaintenancePlan = Static<typeof MaintenancePlan>;

const MANAGE = { role: "administrator", readOnly: false } as const;

export const maintenanceCommands = {
  get_maintenance: command({
    summary: "Show whether a host is in maintenance, and what becomes of its VMs",
    role: "viewer",
    input: closed({}),
    output: Maintenance,
    errors: ["StoreUnavailable"],
    route: "GET /host/maintenance",
    cli: ["host", "maintenance", "status"],
    examples: ["kvm-manager host maintenance status --host kvm2"],
    readOnly: true,
    withoutLibvirt: true,
  }),
  plan_maintenance: command({
    summary: "Show where the VMs of a host would go",
    description:
      "By free memory, processor, storage pools, rules of placement and the checks of a move, each with its reason. Nothing is " +
      "changed.",
    role: "administrator",
    input: closed(CHOICES),
    output: MaintenancePlan,
    errors: ["VmNotFound", "HostNotFound", "StoreUnavailable"],
    route: "POST /host/maintenance/plan",
    cli: ["host", "maintenance", "plan"],
    examples: ["kvm-manager host maintenance plan", "kvm-manager host maintenance plan --off move"],
    rows: "vms",
    columns: ["name", "state", "action", "toHost", "memoryMb", "obstacles", "warnings"],
    readOnly: true,
  }),
  start_maintenance: command({
    ...MANAGE,
    summary: "Take a host out of service, and move its VMs away",
    description:
      "From then on VMs cannot be created, moved to it or started. Answers at once; VMs go by the plan (plan_maintenance), a " +
      "few at once, and it goes on after a restart of KVM Manager. The same call again goes on with what is left.",
    input: closed({
      reason: Type.Optional(Type.String({
        maxLength: 200,
        pattern: `${NO_OUTER_BLANK}[^\\u0000-\\u001f\\u007f]*$`,
        ...CLEARABLE,
        description: "what people are told",
      })),
      drain: Type.Optional(
        Type.Boolean({ default: true, description: "move its VMs away, or shut them down" }),
      ),
      ...CHOICES,
    }),
    output: Maintenance,
    errors: ["VmNotFound", "HostNotFound", "DrainUnderWay", "NoAccount", "StoreUnavailable"],
    route: "PUT /host/maintenance",
    cli: ["host", "maintenance", "on"],
    alsoNeeds: [{ permission: "storage.operate" }, { permission: "vms.administer" }],
    examples: [
      "kvm-manager host maintenance on --reason 'new disks'",
      "kvm-manager host maintenance on --no-drain",
      "kvm-manager host maintenance on --host kvm2",
    ],
    exampleFields: ["reason"],
  }),
  stop_drain: command({
    ...MANAGE,
    summary: "Move no more VMs away from a host, or back to it",
    description: "Those that move just now go on. The host stays in maintenance; start_maintenance goes on.",
    input: closed({}),
    output: Maintenance,
    errors: ["HostNotInMaintenance", "StoreUnavailable"],
    route: "POST /host/maintenance/stop",
    cli: ["host", "maintenance", "stop"],
    examples: ["kvm-manager host maintenance stop"],
  }),
  end_maintenance: command({
    ...MANAGE,
    summary: "Put a host into service again, and bring its VMs back",
    description:
      "Each VM that was moved away comes back if it is still where it went, and there is room; one that was shut down is " +
      "started. Answers at once.",
    input: closed({
      bringBack: Type.Optional(
        Type.Boolean({
          default: true,
          description: "bring back what was moved away, start what was shut down",
        }),
      ),
    }),
    output: Maintenance,
    errors: ["HostNotInMaintenance", "DrainUnderWay", "NoAccount", "StoreUnavailable"],
    route: "DELETE /host/maintenance",
    cli: ["host", "maintenance", "off"],
    alsoNeeds: [{ permission: "storage.operate" }, { permission: "vms.administer" }],
    examples: ["kvm-manager host maintenance off", "kvm-manager host maintenance off --no-bring-back"],
  }),
  update_move_limits: command({
    ...MANAGE,
    summary: "Set how many VMs move at once",
    input: closed({
      movesAtOnce: Type.Integer({
        minimum: MOVE_LIMIT.least,
        maximum: MOVE_LIMIT.most,
        description: "VMs that leave the host, and as many that come to it",
      }),
    }),
    output: Maintenance,
    errors: ["StoreUnavailable"],
    route: "PUT /host/move-limits",
    cli: ["host", "moves-at-once", "<movesAtOnce>"],
    examples: ["kvm-manager host moves-at-once 4"],
    withoutLibvirt: true,
  }),
};
