/** How long ago a guest was asked to shut down or reboot, by the reader's own clock. */
import type { VM } from "../contract/mod.ts";
import { seconds } from "./seconds.ts";

/** Milliseconds after which a guest that was asked has not responded. */
export const OVERDUE_AFTER_MS = 30_000;

type Requested = Pick<VM, "id" | "powerRequest">;

/** A request as this page knows it: which one, and since when by this browser's clock. */
interface Known {
  readonly requestedAt: number;
  readonly since: number;
  /** When to say that the guest has not responded, in milliseconds since the request. */
  patience: number;
}

const known = new Map<string, Known>();
/** @param rendered when the page was rendered, by the server's clock: the two clocks may differ */
function knownOf(vmId: string, requestedAt: number, rendered: number): Known {
  let found = known.get(vmId);
  if (found?.requestedAt !== requestedAt) {
    const before = Math.max(0, rendered - requestedAt);
    found = { requestedAt, since: Date.now() - before, patience: OVERDUE_AFTER_MS };
    known.set(vmId, found);
  }
  return found;
}

/** How a request stands. */
export interface Waiting {
  readonly action: "stop" | "reboot";
  /** Milliseconds since the guest was asked. */
  readonly span: number;
  /** The guest has not responded for longer than it was given. */
  readonly isOverdue: boolean;
}

/**
 * How long a VM's guest has been asked for something; undefined when it was not asked. Subscribes to the seconds.
 *
 * @param rendered when the page was rendered, by the server's clock
 * @param hydrated whether the first render is over: until then it is as the server rendered it
 */
export function waitingOf(vm: Requested, rendered: number, hydrated: boolean): Waiting | undefined {
  const request = vm.powerRequest;
  if (request === undefined) return undefined;
  const { action, requestedAt } = request;
  if (!hydrated) {
    const span = Math.max(0, rendered - requestedAt);
    return { action, span, isOverdue: span >= OVERDUE_AFTER_MS };
  }
  const { since, patience } = knownOf(vm.id, requestedAt, rendered);
  seconds.value;
  const span = Math.max(0, Date.now() - since);
  return { action, span, isOverdue: span >= patience };
}

/** Gives the guest as long again, from now. */
export function keepWaiting(vm: Requested, rendered: number): void {
  if (vm.powerRequest === undefined) return;
  const found = knownOf(vm.id, vm.powerRequest.requestedAt, rendered);
  found.patience = Date.now() - found.since + OVERDUE_AFTER_MS;
  seconds.value = Date.now();
}
