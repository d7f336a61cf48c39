/** Events pushed to browsers and API clients (server-sent events, `GET /api/v1/events`). */
import Type, { type Static } from "typebox";
import { AlertIncident } from "./alerts.ts";
import { Activity, ConnectionStatus, HostStats } from "./host.ts";
import { toldHost } from "./on_host.ts";
import { Job } from "./jobs.ts";
import { VM, VmState, VmStats } from "./vm.ts";

/**
 * Event name → payload. `kept` events carry an id and are replayed to a client that reconnects;
 * the others (loads) are out of date the moment they are missed.
 */
export const EVENTS = {
  "vm-state-changed": { kept: true, data: Type.Object({ vmId: Type.String(), state: VmState }) },
  "vm-created": { kept: true, data: Type.Object({ vm: VM }) },
  "vm-updated": { kept: true, data: Type.Object({ vm: VM }) },
  "vm-deleted": { kept: true, data: Type.Object({ vmId: Type.String() }) },
  "vm-stats-updated": { kept: false, data: Type.Object({ vmId: Type.String(), stats: VmStats }) },
  "host-stats-updated": { kept: false, data: Type.Object({ ...HostStats.properties, ...toldHost }) },
  "hangs-changed": { kept: true, data: Type.Object({ ...toldHost }) },
  "connection-status-changed": { kept: true, data: Type.Object({ status: ConnectionStatus, ...toldHost }) },
  "network-changed": {
    kept: true,
    data: Type.Object({ name: Type.String(), event: Type.String(), ...toldHost }),
  },
  "pool-changed": {
    kept: true,
    data: Type.Object({ name: Type.String(), event: Type.String(), ...toldHost }),
  },
  "device-changed": {
    kept: true,
    data: Type.Object({ name: Type.String(), event: Type.String(), ...toldHost }),
  },
  "activity": { kept: true, data: Activity },
  /** A job began, ended, or is being cancelled. */
  "job-changed": { kept: true, data: Type.Object({ job: Job }) },
  /** How far a job is, a few times a second at most. */
  "job-progress": { kept: false, data: Type.Object({ job: Job }) },
  /** An alert fired. Of many at once the worst are told one by one, and how many more there are. */
  "alert-fired": {
    kept: true,
    data: Type.Object({ incident: AlertIncident, more: Type.Integer({ minimum: 0 }) }),
  },
  /** Something fired, was acknowledged or is over, or an alert was changed: read what is shown again. */
  "alerts-changed": { kept: true, data: Type.Object({}) },
  /** Something went into the bin, came back or is gone for good: read what is shown again. */
  "bin-changed": { kept: true, data: Type.Object({}) },
  /** A project, its quota or its VMs were changed: read what is shown again. */
  "projects-changed": { kept: true, data: Type.Object({}) },
  /** A host was added, changed or removed: fetch everything again. */
  "hosts-changed": { kept: true, data: Type.Object({}) },
  "error": { kept: true, data: Type.Object({ message: Type.String() }) },
  /** The client missed more than is kept: fetch everything again. */
  "reload": { kept: false, data: Type.Object({ reason: Type.String() }) },
} as const;

export type EventName = keyof typeof EVENTS;
export type EventData<N extends EventName> = EventsData[N];
/** Event → its data: each is worked out once, not for each use of a name. */
type EventsData = { readonly [N in EventName]: Static<typeof EVENTS[N]["data"]> };
/** Any event, told apart by its name. */
export type AnyEvent = { [N in EventName]: { name: N; data: EventData<N> } }[EventName];
/** One event to publish. */
export type PublishedEvent = { [N in EventName]: [name: N, data: EventData<N>] }[EventName];
