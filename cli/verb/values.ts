/** Errors in typed arguments. */
import { message, render, type Sentence } from "../../lib/i18n/message.ts";
import { type Kind, readValue } from "../../lib/text/values.ts";

/** An error in a command line. */
export class UsageError extends Error {
  override readonly name = "UsageError";
  /** @param what told in the language of the shell @param usage how the verb is written, where that helps */
  constructor(what: Sentence, readonly usage?: string) {
    super(render(what));
  }
}

/**
 * A value as the command takes it.
 *
 * @param shown how the option is called
 * @throws {UsageError}
 */
export function valueOf(field: string, kind: Kind, given: string, shown: string, now = Date.now()): unknown {
  const read = readValue(field, kind, given, now);
  if ("fault" in read) throw new UsageError(message`${shown} ${render(read.fault)}`);
  return read.value;
}
