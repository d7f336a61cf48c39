/** Asking before something is lost. Any island asks; the one dialog that is on every page answers. */
import { signal } from "@preact/signals";
import type { VM } from "../contract/mod.ts";
import type { ActionName } from "../format/actions.ts";

/** A question: may this be done to these machines? */
export interface Question {
  readonly action: ActionName;
  readonly vms: readonly VM[];
}

/** Yes, and whether the disks go too. */
export interface Consent {
  readonly deleteDisks: boolean;
  /** The disks that go, where they were chosen one by one. */
  readonly disks?: readonly string[];
}

interface Asked extends Question {
  readonly answer: (consent: Consent | null) => void;
}

/** The question on the screen. */
export const asked = signal<Asked | null>(null);

/** Asks; null is no. A question that is still open is answered with no. */
export function ask(question: Question): Promise<Consent | null> {
  asked.peek()?.answer(null);
  return new Promise((resolve) => {
    asked.value = {
      ...question,
      answer: (consent) => {
        asked.value = null;
        resolve(consent);
      },
    };
  });
}
