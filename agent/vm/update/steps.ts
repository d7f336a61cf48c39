/** Work of several steps that is done whole or not at all. */
import { message } from "../../../lib/i18n/message.ts";
import { ContractError } from "../../../lib/contract/mod.ts";
import { isConnectionLost } from "../../libvirt/failure.ts";
import { Rollback } from "../../rollback.ts";

/** One step, and how it is taken back. */
export interface UpdateStep {
  /** For the log. */
  readonly name: string;
  readonly run: () => Promise<unknown>;
  /** Absent where nothing that can fail follows. */
  readonly undo?: () => Promise<unknown>;
}

/**
 * Runs the steps in order. When one fails, those before it are taken back, last first, and its error is thrown on; it
 * says so when something could not be taken back.
 *
 * @param over called before an error is thrown after which nothing is left to be done when libvirt is back
 */
export async function allOrNothing(steps: readonly UpdateStep[], over: () => void): Promise<void> {
  const rollback = new Rollback();
  for (const { name, run, undo } of steps) {
    try {
      await run();
      if (undo !== undefined) rollback.add(name, undo);
    } catch (error) {
      if (isConnectionLost(error)) throw error; // nothing can be taken back now: it is finished when libvirt is back
      const notTakenBack = await rollback.run();
      const left = notTakenBack.map(({ what }) => what);
      if (!notTakenBack.some((each) => isConnectionLost(each.error))) over();
      if (left.length === 0 || !(error instanceof ContractError)) throw error;
      throw new ContractError(error.code, { ...error.details, left }, {
        cause: error,
        message: message`${error.sentence} (could not be taken back: ${left.join(", ")})`,
      });
    }
  }
}
