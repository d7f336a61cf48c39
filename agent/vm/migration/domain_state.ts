/** State of a VM that moves between hosts, by one host's libvirt. */
import type { DomainRecord } from "../../../ffi/calls/mod.ts";
import type { IncomingState } from "../../../lib/host/migration_protocol.ts";
import { isOff } from "../lifecycle/undefine.ts";

/** `virDomainState`: running, paused. */
const RUNNING = 1, PAUSED = 3;
/** `virDomainRunningReason`: its move was cancelled. */
const MIGRATION_CANCELED = 6;
/** `virDomainPausedReason`: it is being moved, it is being started. */
const MOVING: ReadonlySet<number> = new Set([2, 11]);

/** Whether libvirt holds a VM that it moves, or has just begun for one that comes. */
export const isMoving = ({ state, reason }: Pick<DomainRecord, "state" | "reason">): boolean =>
  state === PAUSED && MOVING.has(reason);

export const isRunning = ({ state }: Pick<DomainRecord, "state">): boolean => state === RUNNING;

/**
 * Whether libvirt has let a VM go on that it had stopped for the last moment of a move: whether the other host runs it is not
 * known, for libvirt does so as well where it was just not told that it came. Of one that was paused before, nothing shows
 * whether that moment came.
 */
export const isTakenBack = (
  { state, reason }: Pick<DomainRecord, "state" | "reason">,
  wasRunning: boolean,
): boolean => wasRunning ? state === RUNNING && reason === MIGRATION_CANCELED : state === PAUSED;

/** The state of a VM on the host that it moves to. */
export function incomingState(domain: DomainRecord | null): IncomingState {
  if (domain === null) return "missing";
  // One that libvirt takes back is off for a moment, and was never stored: it goes
  if (isOff(domain)) return domain.persistent ? "off" : "incoming";
  if (isMoving(domain)) return "incoming";
  return domain.state === PAUSED ? "paused" : "running";
}
