/** How each state looks and is called: one row a state. */
import type { VM, VmState } from "../contract/mod.ts";
import type { PlainKey } from "../i18n/mod.ts";

/** The meaning a colour carries; the stylesheet has one colour for each. */
export type StateTone = "ok" | "warn" | "bad" | "info" | "off";

/** A state's icon, word and colour: always all three, never colour alone. */
export interface StateLook {
  readonly icon: "running" | "stopped" | "paused" | "suspended" | "crashed";
  readonly word: PlainKey;
  readonly tone: StateTone;
}

export const STATES: Readonly<Record<VmState, StateLook>> = {
  running: { icon: "running", word: "state.running", tone: "ok" },
  paused: { icon: "paused", word: "state.paused", tone: "warn" },
  suspended: { icon: "suspended", word: "state.suspended", tone: "info" },
  crashed: { icon: "crashed", word: "state.crashed", tone: "bad" },
  stopped: { icon: "stopped", word: "state.stopped", tone: "off" },
};

/** The states in the order in which people look for them: filters, groups and sorting by state use it. */
export const STATE_ORDER: readonly VmState[] = ["running", "paused", "suspended", "crashed", "stopped"];

/** Whether a VM needs a person to look at it. */
export function needsAttention(vm: Pick<VM, "attention" | "state" | "responsive">): boolean {
  return vm.attention.length > 0 || vm.state === "crashed" || !vm.responsive;
}

/** Why nothing inside a VM answers; nothing to say of one that is on. */
const OFF: Readonly<Partial<Record<VmState, PlainKey>>> = {
  stopped: "off.stopped",
  suspended: "off.suspended",
  crashed: "off.crashed",
};

/** Placeholder for values that only a running VM has; undefined for one that is on. */
export const offWord = ({ state }: Pick<VM, "state">): PlainKey | undefined => OFF[state];

/** Whether the VM's processor runs, so that its load means something. */
export function isLive(vm: Pick<VM, "state">): boolean {
  return vm.state === "running" || vm.state === "paused";
}
