/** Asking before something is lost. Any island asks; the one dialog that is on every page answers. */
import { type ActionName, ACTIONS, type DoomedDisks } from "../vm/actions.ts";
import { type ActionQuestion, type Consent, openQuestion } from "./open_question.ts";

/** Above so many VMs at once their number is typed: one click is too little for what it does. */
export const MOST_UNTYPED = 10;

/** Whether an action is asked about first: where something is lost, or where many guests are interrupted. */
export function needsConfirmation(action: ActionName, count: number): boolean {
  const { danger, interrupts } = ACTIONS[action];
  return danger !== undefined || (interrupts === true && count > MOST_UNTYPED);
}

let questions = 0;

/** Asks; null is no. A question that is still open is answered with no. */
export function askToConfirm(question: ActionQuestion): Promise<Consent | null> {
  openQuestion.peek()?.answer(null);
  return new Promise((resolve) => {
    openQuestion.value = {
      ...question,
      id: ++questions,
      answer: (consent) => {
        openQuestion.value = null;
        resolve(consent);
      },
    };
  });
}

/** The disks to delete with a VM, as the user has agreed. */
export function doomedOf(consent: Consent | undefined, vmId: string): DoomedDisks {
  const permanently = consent?.permanently.has(vmId) ?? false;
  return { disks: consent?.disks.get(vmId) ?? [], ...(permanently && { permanently }) };
}
