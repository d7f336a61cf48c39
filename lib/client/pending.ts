/** Actions that were asked for and have not shown an effect yet: what makes a click visible at once. */
import { type Signal, signal } from "@preact/signals";
import type { VmState } from "../contract/mod.ts";
import { type ActionName, ACTIONS } from "../vm/actions.ts";

/** How long to wait, after the server said yes, for the event with the new state. */
const PENDING_WAIT_MS = 5_000;

const actions = new Map<string, Signal<ActionName | undefined>>();

function of(vmId: string): Signal<ActionName | undefined> {
  let found = actions.get(vmId);
  if (found === undefined) actions.set(vmId, found = signal(undefined));
  return found;
}

/** VM → the action that was asked for. */
export const pending = {
  /** The action under way on a VM. */
  of,

  /** A click was taken. */
  begin(vmId: string, action: ActionName): void {
    of(vmId).value = action;
  },

  /** It failed, or there is nothing more to wait for. */
  end(vmId: string): void {
    of(vmId).value = undefined;
  },

  /** The server carried it out: it is over now, or with the event that brings the new state. */
  accepted(vmId: string, state: VmState | undefined): void {
    const action = of(vmId).peek();
    if (action === undefined) return;
    const { reaches } = ACTIONS[action];
    if (reaches.length === 0 || (state !== undefined && reaches.includes(state))) pending.end(vmId);
    else {
      setTimeout(() => {
        if (of(vmId).peek() === action) pending.end(vmId);
      }, PENDING_WAIT_MS);
    }
  },

  /** A VM is in a state; what waited for it is over. */
  reached(vmId: string, state: VmState): void {
    const action = actions.get(vmId)?.peek();
    if (action !== undefined && ACTIONS[action].reaches.includes(state)) pending.end(vmId);
  },
};
