/** Where a VM is that moves between hosts, as libvirt of one of them tells it. */
import type { DomainRecord } from "../../../ffi/calls/mod.ts";
import type { IncomingState } from "../../../lib/host/migration_protocol.ts";
import { isOff } from "../lifecycle/undefine.ts";

/** `virDomainState`: paused. */
const PAUSED = 3;
/** `virDomainPausedReason`: it is being moved, it is being started. */
const MOVING: ReadonlySet<number> = new Set([2, 11]);

/** Whether libvirt holds a VM that it moves, or has just begun for one that comes. */
export const isMoving = ({ state, reason }: Pick<DomainRecord, "state" | "reason">): boolean =>
  state === PAUSED && MOVING.has(reason);

/** The state of a VM on the host that it moves to. */
export function incomingState(domain: DomainRecord | null): IncomingState {
  if (domain === null) return "missing";
  // One that libvirt takes back is off for a moment, and was never stored: it goes
  if (isOff(domain)) return domain.persistent ? "off" : "incoming";
  if (isMoving(domain)) return "incoming";
  return domain.state === PAUSED ? "paused" : "running";
}
