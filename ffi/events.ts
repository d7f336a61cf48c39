/** libvirt's events as a table: which are listened to, what their callbacks get, what is told of them. */

/** An event as it leaves the event worker: plain data. */
export type LibvirtEvent =
  | { kind: "domain"; event: DomainEventName | "channel"; uuid: string; name: string; args: EventArg[] }
  | {
    kind: "network" | "pool" | "device";
    event: "lifecycle" | "refresh" | "update";
    name: string;
    args: EventArg[];
  };

/** Values after the object: numbers and texts, in C order. */
export type EventArg = number | string;

/** How a callback's own parameters, between the object and `opaque`, are read. */
export type ArgType = "i32" | "u64" | "text";

interface EventSpec {
  /** libvirt's event id. */
  readonly id: number;
  readonly args: readonly ArgType[];
  /** The lifecycle callback returns an int that is ignored; all others return nothing. */
  readonly returns?: "i32";
}

/** `virDomainEventID`s that change what we show. Source: libvirt-domain.h. */
export const DOMAIN_EVENTS = {
  "lifecycle": { id: 0, args: ["i32", /* event */ "i32" /* detail */], returns: "i32" },
  "reboot": { id: 1, args: [] },
  "watchdog": { id: 3, args: ["i32" /* action */] },
  "io-error": {
    id: 6,
    args: ["text", /* srcPath */ "text", /* devAlias */ "i32", /* action */ "text" /* reason */],
  },
  "control-error": { id: 7, args: [] },
  "disk-change": {
    id: 9,
    args: ["text", /* old */ "text", /* new */ "text", /* devAlias */ "i32" /* reason */],
  },
  "tray-change": { id: 10, args: ["text", /* devAlias */ "i32" /* reason */] },
  "pm-wakeup": { id: 11, args: ["i32" /* reason */] },
  "pm-suspend": { id: 12, args: ["i32" /* reason */] },
  "balloon-change": { id: 13, args: ["u64" /* actual, KiB */] },
  "device-removed": { id: 15, args: ["text" /* devAlias */] },
  "block-job": { id: 16, args: ["text", /* disk */ "i32", /* type */ "i32" /* status */] },
  "agent": { id: 18, args: ["i32", /* state */ "i32" /* reason */] },
  "device-added": { id: 19, args: ["text" /* devAlias */] },
  "device-removal-failed": { id: 22, args: ["text" /* devAlias */] },
  "metadata-change": { id: 23, args: ["i32", /* type */ "text" /* nsuri */] },
} as const satisfies Record<string, EventSpec>;

export type DomainEventName = keyof typeof DOMAIN_EVENTS;

/**
 * QEMU's own event for the guest's end of a virtio channel, told as `channel` with whether it was opened (1) or closed (0)
 * and the channel's alias. libvirt sends such events for the channel of QEMU's guest agent alone. Source: VSERPORT_CHANGE in
 * QEMU's qapi/char.json.
 */
export const CHANNEL_EVENT = "VSERPORT_CHANGE";

/** State and alias in a {@link CHANNEL_EVENT}. @returns undefined for another event */
export function channelChange(details: string): [isOpen: 0 | 1, alias: string] | undefined {
  try {
    const { open, id } = JSON.parse(details) as { open?: unknown; id?: unknown };
    return typeof open === "boolean" && typeof id === "string" ? [open ? 1 : 0, id] : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Events of networks, pools and node devices. Sources: libvirt-network.h, libvirt-storage.h, libvirt-nodedev.h. */
export const OTHER_EVENTS = [
  { kind: "network", event: "lifecycle", id: 0, args: ["i32", /* event */ "i32" /* detail */] },
  { kind: "pool", event: "lifecycle", id: 0, args: ["i32", /* event */ "i32" /* detail */] },
  { kind: "pool", event: "refresh", id: 1, args: [] },
  { kind: "device", event: "lifecycle", id: 0, args: ["i32", /* event */ "i32" /* detail */] },
  { kind: "device", event: "update", id: 1, args: [] },
] as const satisfies readonly (EventSpec & { kind: string; event: string })[];

/** `virDomainEventType`: the first value of a domain's lifecycle event. */
export const LIFECYCLE = [
  "defined",
  "undefined",
  "started",
  "suspended",
  "resumed",
  "stopped",
  "shutdown",
  "pmsuspended",
  "crashed",
] as const;

/** `virNetworkEventLifecycleType`, and `virStoragePoolEventLifecycleType`, which has the same start. */
export const OBJECT_LIFECYCLE = ["defined", "undefined", "started", "stopped", "created", "deleted"] as const;

/** Why a connection was closed: `virConnectCloseReason`. */
export const CLOSE_REASONS = [
  "an error",
  "the end of the stream",
  "keep-alive: it did not answer",
  "us",
] as const;
