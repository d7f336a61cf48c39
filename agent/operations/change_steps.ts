/** A change as a step: it is made again to be whole. */
import { ContractError } from "../../lib/contract/errors.ts";
import type { CommandName, Input } from "../../lib/contract/mod.ts";
import { messageOf } from "../../lib/text/message.ts";
import { isConnectionLost } from "../libvirt/failure.ts";
import { left, NOTHING, Refused, type StepOutcome, t, Unsettled } from "./outcome.ts";
import type { StepRule, StepRules } from "./settlement.ts";

/** Whether somebody else works on it just now. */
const isBusy = (error: unknown) =>
  error instanceof ContractError && (error.code === "VmBusy" || error.code === "StorageBusy");

/** Whether it says that what was to be deleted is gone: all was done before. */
const isGone = (command: CommandName, error: unknown) =>
  command === "delete_snapshot" && error instanceof ContractError && error.code === "SnapshotNotFound";

/** Images that are merged stay so. */
function begun({ name }: Input<"delete_snapshot">, disks: readonly string[]): StepOutcome {
  const note = disks.length === 0
    ? t("operations.snapshot_begun", { name })
    : t("operations.snapshot_merged", { name, disks: disks.join(", ") });
  return { did: "begun", note };
}

/** Makes a change once more: what it gave already stays, what is missing comes. A refused one is taken back. */
const changeWanted: StepRule<"change-wanted"> = {
  finish: async ({ command, input }, { run, operation: { actor } }) => {
    try {
      await run(command, input as Input<typeof command>, actor);
      return { did: "done" };
    } catch (error) {
      if (isConnectionLost(error) || isBusy(error)) throw error;
      if (isGone(command, error)) return { did: "done" };
      throw new Refused(messageOf(error), { cause: error });
    }
  },
  undo: async ({ command, input, back, parts = [] }, { run, operation: { subject, actor, cut } }) => {
    if (command === "delete_snapshot") return begun(input as Input<"delete_snapshot">, parts);
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
