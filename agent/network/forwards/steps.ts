/** Port forwards as steps: made. */
import { ContractError } from "../../../lib/contract/errors.ts";
import { NOTHING } from "../../operations/outcome.ts";
import type { StepRule, StepRules } from "../../operations/settlement.ts";

/** Takes a port forward back, from the kernel as well. */
const forwardMade: StepRule<"forward-made"> = {
  undo: async ({ id }, { run, operation: { actor } }) => {
    try {
      await run("remove_port_forward", { id }, actor);
      return { did: "done" };
    } catch (error) {
      if (error instanceof ContractError && error.code === "PortForwardNotFound") return NOTHING;
      throw error;
    }
  },
};

/** How the steps of port forwards are settled. */
export const forwardSteps = { "forward-made": forwardMade } satisfies Partial<StepRules>;
