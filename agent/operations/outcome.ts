/** Outcomes of settling a step. */
import { operations } from "../../lib/i18n/en/operations.ts";
import { textsOf } from "../../lib/i18n/mod.ts";

export const { t } = textsOf(operations);

/**
 * Outcome of one step. `nothing`: there was nothing to do; `done`: it was finished or undone; `left`:
 * something was left as it is; `kept`: it took place after all, and is in use; `begun`: a part of it is done,
 * and stays. `stop`: the steps before it stay as well.
 */
export interface StepOutcome {
  readonly did: "nothing" | "done" | "left" | "kept" | "begun";
  /** A sentence for a person. */
  readonly note?: string;
  readonly stop?: true;
}

export const NOTHING: StepOutcome = { did: "nothing" };

/** It was taken away. */
export const removed = (what: string): StepOutcome => ({
  did: "done",
  note: t("operations.removed", { what }),
});

/** It was left, and why. */
export const left = (what: string, reason: string): StepOutcome => ({
  did: "left",
  note: t("operations.left", { what, reason }),
});

/** Why something cannot be settled now; it is tried again. */
export class Unsettled extends Error {
  override readonly name = "Unsettled";
}

/** The step is refused for good: what the operation has made is taken back. */
export class Refused extends Error {
  override readonly name = "Refused";
}
