/** libvirt's numbers for domain states → the words of the contract. Source: virDomainState and its reasons. */
import type { DomainRecord } from "../../../ffi/calls/mod.ts";
import type { LIFECYCLE } from "../../../ffi/events.ts";
import type { VmState } from "../../../lib/contract/vm.ts";

/** `virDomainState` by number. A domain that is shutting down still runs; an idle one (blocked) too. */
const STATES: readonly VmState[] = [
  "stopped", // NOSTATE
  "running",
  "running", // BLOCKED
  "paused",
  "running", // SHUTDOWN: being shut down
  "stopped", // SHUTOFF
  "crashed",
  "suspended", // PMSUSPENDED
];

const SHUTOFF = 5;
/** VIR_DOMAIN_SHUTOFF_CRASHED: QEMU went away by itself. */
const SHUTOFF_CRASHED = 3;
/** VIR_DOMAIN_SHUTOFF_SHUTDOWN, VIR_DOMAIN_SHUTOFF_SAVED. */
const SHUTOFF_SHUTDOWN = 1, SHUTOFF_SAVED = 5;

/** Reasons by state and number. */
const REASONS: Readonly<Record<number, readonly string[]>> = {
  1: [
    "",
    "booted",
    "migrated",
    "restored",
    "from snapshot",
    "unpaused",
    "migration canceled",
    "saving canceled",
    "woken up",
    "crashed",
    "post-copy",
    "post-copy failed",
  ],
  3: [
    "",
    "by user",
    "migrating",
    "saving",
    "dumping",
    "I/O error",
    "watchdog",
    "from snapshot",
    "shutting down",
    "creating snapshot",
    "crashed",
    "starting up",
    "post-copy",
    "post-copy failed",
    "API error",
  ],
  4: ["", "shutting down"],
  5: [
    "",
    "shut down",
    "powered off",
    "crashed",
    "migrated",
    "saved",
    "failed to start",
    "from snapshot",
    "daemon",
  ],
  6: ["", "panicked"],
};

/** libvirt's numbers of a state. */
type StateOf = { readonly state: number; readonly reason: number };

const PAUSED = 3;
/** VIR_DOMAIN_PAUSED_STARTING_UP: QEMU is there, its vCPUs start in a moment. */
const PAUSED_STARTING_UP = 11;

/**
 * Whether QEMU is there, and a start is not over. After a libvirtd that was killed in the middle of it, the new one ends that
 * QEMU a moment later: whether such a VM runs is not known yet.
 */
export const isStartingUp = ({ state, reason }: StateOf): boolean =>
  state === PAUSED && reason === PAUSED_STARTING_UP;

/** VIR_DOMAIN_PAUSED_SAVE, _DUMP, _SNAPSHOT: libvirt has stopped it while it writes its memory. */
const PAUSED_FOR_MEMORY: ReadonlySet<number> = new Set([3, 4, 9]);
/** VIR_DOMAIN_RUNNING_FROM_SNAPSHOT, VIR_DOMAIN_PAUSED_FROM_SNAPSHOT. */
const FROM_SNAPSHOT: Readonly<Record<number, number>> = { 1: 4, 3: 7 };

/** Whether its vCPUs stand still. */
export const isPaused = ({ state }: StateOf): boolean => state === PAUSED;

/** Whether libvirt has stopped it to write its memory. One that was ended meanwhile leaves it so. */
export const isStoppedForSnapshot = (domain: StateOf): boolean =>
  isPaused(domain) && PAUSED_FOR_MEMORY.has(domain.reason);

/** Whether it began from a snapshot. */
export const isFromSnapshot = ({ state, reason }: StateOf): boolean => FROM_SNAPSHOT[state] === reason;

/** Whether it is off because its guest shut down, or it was suspended. */
export const wasShutDown = ({ state, reason }: StateOf): boolean =>
  state === SHUTOFF && (reason === SHUTOFF_SHUTDOWN || reason === SHUTOFF_SAVED);

/** State of a VM for people, from libvirt's state. `managedSave`: its memory is saved, a start continues it. */
export function vmState(state: number, reason: number, managedSave: boolean): VmState {
  if (state === SHUTOFF && managedSave) return "suspended";
  if (state === SHUTOFF && reason === SHUTOFF_CRASHED) return "crashed";
  if (isStartingUp({ state, reason })) return "running";
  return STATES[state] ?? "stopped";
}

/** Why it is in this state, in words; undefined when libvirt does not say. */
export function stateReason(state: number, reason: number): string | undefined {
  return REASONS[state]?.[reason] || undefined;
}

/**
 * Whether QEMU exists for it: it can be asked for statistics, addresses, screens. A crashed one (6) is there, too: its
 * guest panicked and `<on_crash>preserve` kept it. One that is gone is shut off, with "crashed" as the reason.
 */
export function isActiveState(state: number): boolean {
  return state !== 0 && state !== SHUTOFF;
}

/**
 * The state a lifecycle event leads to, so that pages change before the domain is read again. Undefined: the event
 * alone does not tell.
 */
export const STATE_AFTER: Readonly<
  Partial<Record<typeof LIFECYCLE[number], { state: number; reason: number }>>
> = {
  started: { state: 1, reason: 1 },
  suspended: { state: 3, reason: 1 },
  resumed: { state: 1, reason: 5 },
  stopped: { state: SHUTOFF, reason: 1 },
  shutdown: { state: 4, reason: 1 },
  pmsuspended: { state: 7, reason: 0 },
  crashed: { state: 6, reason: 1 },
};

/** Events that change the state and nothing else of a domain. */
const STATE_ALONE: ReadonlySet<string> = new Set(["suspended", "resumed"]);

/** Whether an event changes the state and nothing else. */
export const isStateAlone = (kind: typeof LIFECYCLE[number]): boolean => STATE_ALONE.has(kind);

/** Whether what was read of a domain is all that an event leads to: whoever reads that state has seen it. */
export function isSeen(
  kind: typeof LIFECYCLE[number],
  { state, reason }: StateOf,
): boolean {
  const after = STATE_AFTER[kind];
  return isStateAlone(kind) && after?.state === state && after.reason === reason;
}

/** `virDomainEventStoppedDetailType`: reasons of the shut-off state in the event's own numbering. */
export const STOPPED_REASON: readonly number[] = [1, 2, 3, 4, 5, 3, 7];

/** A record as a lifecycle event leaves it; undefined where the event alone does not tell. */
export function recordAfter(
  record: DomainRecord,
  kind: typeof LIFECYCLE[number],
  detail: number,
): DomainRecord | undefined {
  const after = STATE_AFTER[kind];
  if (after === undefined) return undefined;
  const reason = kind === "stopped" ? STOPPED_REASON[detail] ?? after.reason : after.reason;
  return { ...record, state: after.state, reason, ...(kind === "started" && { managedSave: false }) };
}
