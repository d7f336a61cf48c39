/** A form that a command refused, for its page to show again. Pure. */
import type { CommandName } from "../contract/mod.ts";
import { fieldSentence } from "./field_sentence.ts";
import type { Failure } from "./failure.ts";

export interface RefusedForm {
  /** Undefined for a form that its page reads itself. */
  readonly command?: CommandName;
  /** Entered values, by the names of its fields; secrets are left out. */
  readonly typed: Readonly<Record<string, string>>;
  /** Secrets that were typed, and have to be typed again: names of their fields. */
  readonly withheld: readonly string[];
  readonly failure: Failure;
  /** The field that it is about; undefined where it is about the whole. */
  readonly field?: string | undefined;
}

/** Initial values of a page's form when it is shown again; undefined for the form of another command. */
export function typedAgain(
  refused: RefusedForm | null | undefined,
  command: CommandName,
): Readonly<Record<string, string>> | undefined {
  return refused?.command === command ? refused.typed : undefined;
}

/** Error of a field, as a sentence next to it; undefined for none. */
export function refusalAt(
  refused: RefusedForm | null | undefined,
  command: CommandName,
  field: string,
): string | undefined {
  if (refused?.command !== command || refused.field !== field) return undefined;
  return fieldSentence(field, refused.failure.why);
}
