/** Work of several steps that is done whole or not at all. */
import { ContractError } from "../../lib/contract/mod.ts";
import { log } from "../log.ts";

/** One step, and how it is taken back. */
export interface Step {
  /** For the log. */
  readonly name: string;
  readonly run: () => Promise<unknown>;
  /** Absent where nothing that can fail follows. */
  readonly undo?: () => Promise<unknown>;
}

/**
 * Runs the steps in order. When one fails, those before it are taken back, last first, and its error is thrown on; it
 * says so when something could not be taken back.
 */
export async function allOrNothing(steps: readonly Step[]): Promise<void> {
  const done: Step[] = [];
  for (const step of steps) {
    try {
      await step.run();
      done.push(step);
    } catch (error) {
      const left = await takeBack(done);
      if (left.length === 0 || !(error instanceof ContractError)) throw error;
      throw new ContractError(error.code, { ...error.details, left }, {
        cause: error,
        message: `${error.message} (could not be taken back: ${left.join(", ")})`,
      });
    }
  }
}

/** Takes steps back; gives the names of those it could not. */
async function takeBack(done: readonly Step[]): Promise<string[]> {
  const left: string[] = [];
  for (const { name, undo } of done.toReversed()) {
    try {
      await undo?.();
    } catch (error) {
      log.error("a step of an update could not be taken back", { step: name, error });
      left.push(name);
    }
  }
  return left;
}
