/** The question before something is lost, which a dialog of every page shows. */
import { signal } from "@preact/signals";
import type { VM } from "../contract/mod.ts";
import type { ActionName } from "../vm/actions.ts";

/** A question: may this be done to these VMs? */
export interface ActionQuestion {
  readonly action: ActionName;
  readonly vms: readonly VM[];
}

/** Yes, and what goes too. */
export interface Consent {
  /** VM → paths of its disks that were ticked. */
  readonly disks: ReadonlyMap<string, readonly string[]>;
  /** VMs that do not go into the bin. */
  readonly permanently: ReadonlySet<string>;
}

/** A question on the screen. */
interface Asked extends ActionQuestion {
  /** Tells it from the question before. */
  readonly id: number;
  readonly answer: (consent: Consent | null) => void;
}

/** The question on the screen. */
export const openQuestion = signal<Asked | null>(null);
