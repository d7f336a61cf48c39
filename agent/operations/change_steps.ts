/** A change as a step: it is made again to be whole. */
import { ContractError } from "../../lib/contract/errors.ts";
import type { Input } from "../../lib/contract/mod.ts";
import { messageOf } from "../../lib/text/message.ts";
import { isConnectionLost } from "../libvirt/failure.ts";
import { left, NOTHING, Refused, t, Unsettled } from "./outcome.ts";
import type { StepRule, StepRules } from "./settlement.ts";

/** Whether somebody else works on it just now. */
const isBusy = (error: unknown) =>
  error instanceof ContractError && (error.code === "VmBusy" || error.code === "StorageBusy");

/** Makes a change once more: what it gave already stays, what is missing comes. A refused one is taken back. */
const changeWanted: StepRule<"change-wanted"> = {
  finish: async ({ command, input }, { run, operation: { actor } }) => {
    try {
      await run(command, input as Input<typeof command>, actor);
      return { did: "done" };
    } catch (error) {
      if (isConnectionLost(error) || isBusy(error)) throw error;
      throw new Refused(messageOf(error), { cause: error });
    }
  },
  undo: async ({ command, back }, { run, operation: { subject, actor, cut } }) => {
    if (back === undefined) return NOTHING;
    // The command that failed still holds the VM.
    if (cut === undefined) throw new Unsettled(t("operations.later"));
    try {
      await run(command, back as Input<typeof command>, actor);
      return { did: "done" };
    } catch (error) {
      if (isConnectionLost(error) || isBusy(error)) throw error;
      return left(subject, messageOf(error));
    }
  },
};

/** How changes are settled, whatever they change. */
export const changeSteps = { "change-wanted": changeWanted } satisfies Partial<StepRules>;
