/** Settles one operation: finishes it, or takes back what it has made. */
import { clauseOf } from "../../lib/text/message.ts";
import { Refused, type StepOutcome } from "./outcome.ts";
import type { Settlement, StepRule } from "./settlement.ts";
import type { Operation } from "./operation.ts";
import type { Step, StepKind } from "./step.ts";

/** How it ended, and what is to be said of its steps. */
export interface Settled {
  readonly end: "finished" | "begun" | "undone" | "untouched";
  readonly notes: readonly string[];
}

/** How this step is settled. */
const ruleOf = ({ rules }: Pick<Settlement, "rules">, { kind }: Step): StepRule<StepKind> =>
  rules[kind] as unknown as StepRule<StepKind>;

/**
 * Finishes the steps that are still wanted; undefined when they were refused, and steps are to be undone.
 *
 * @param notes gets the notes for the result, the refusal too
 */
async function finished(
  operation: Operation,
  at: Settlement,
  notes: string[],
): Promise<Settled | undefined> {
  for (const step of at.operation.steps) {
    const { finish } = ruleOf(at, step);
    if (finish === undefined) continue;
    try {
      const { did, note, stop } = await finish(step, at);
      if (note !== undefined) notes.push(note);
      if (stop) return { end: did === "nothing" ? "untouched" : "finished", notes };
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      notes.push(`${clauseOf(error)}.`);
      if (!at.operation.steps.some((each) => ruleOf(at, each).undo)) continue;
      operation.turnBack();
      return undefined;
    }
  }
  return { end: "finished", notes };
}

/** Takes back every step, the last first. */
async function undone(at: Settlement, notes: string[]): Promise<Settled> {
  const all = new Set<StepOutcome["did"]>();
  for (const step of at.operation.steps.toReversed()) {
    const { did, note, stop } = await ruleOf(at, step).undo?.(step, at) ?? { did: "nothing" as const };
    if (note !== undefined) notes.push(note);
    all.add(did);
    if (stop) break;
  }
  return {
    end: endOf(all),
    notes,
  };
}

function endOf(all: ReadonlySet<StepOutcome["did"]>): Settled["end"] {
  if (all.has("kept")) return "finished";
  if (all.has("begun")) return "begun";
  return all.has("done") || all.has("left") ? "undone" : "untouched";
}

/**
 * Settles an operation, however far it was settled before.
 *
 * @throws {LibvirtError} when libvirt is away @throws {Unsettled} and what else is to be tried again
 */
export async function settle(
  operation: Operation,
  services: Omit<Settlement, "operation">,
): Promise<Settled> {
  const at: Settlement = { ...services, operation: operation.record };
  const notes: string[] = [];
  if (!at.operation.back && at.operation.steps.some((step) => ruleOf(at, step).finish)) {
    const done = await finished(operation, at, notes);
    if (done !== undefined) return done;
  }
  return await undone(at, notes);
}
