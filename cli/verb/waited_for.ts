/** States that `--wait` accepts. */
import { VM_STATES } from "../../lib/contract/choices.ts";

/** A VM's state, or something of its guest. */
export const WAITED_FOR = [...VM_STATES, "agent", "address"] as const;
export type WaitedFor = typeof WAITED_FOR[number];
