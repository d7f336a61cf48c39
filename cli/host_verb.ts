/** How verbs of their own end: wrong usage, what cannot be done, done. */
import { translated } from "../lib/i18n/locale.ts";
import { messageOf } from "../lib/text/message.ts";
import { optionsAlone } from "./arguments.ts";
import { EXIT } from "./exit.ts";
import { sentence } from "./sentence.ts";
import { seeHelp } from "./verb/failure.ts";

/** Prints a usage error, and where the usage is described. */
export function printUsageError(verb: string, error: unknown): void {
  const line = `kvm-manager ${verb}`;
  console.error(`${line}: ${sentence(translated(messageOf(error)))} ${seeHelp(line)}`);
}

/** Reads the arguments of a verb that takes none. @throws {UsageError} */
export function readNothing(args: readonly string[]): Record<string, never> {
  return optionsAlone(args, {});
}

/** The result of `read`. A usage error is printed, and `status` is returned. */
export function parseOrExit<Given extends object>(
  status: number,
  verb: string,
  read: () => Given,
): Given | number {
  try {
    return read();
  } catch (error) {
    printUsageError(verb, error);
    return status;
  }
}

/**
 * Reads a verb's arguments and runs it.
 *
 * @param Expected what it throws when something cannot be done: told without a stack
 * @returns the exit status
 */
export async function runHostCommand<Given extends object>(
  verb: string,
  read: () => Given,
  Expected: new (...args: never[]) => Error,
  run: (given: Given) => Promise<number>,
): Promise<number> {
  const given = parseOrExit(EXIT.usage, verb, read);
  if (typeof given === "number") return given;
  try {
    return await run(given);
  } catch (error) {
    if (!(error instanceof Expected)) throw error;
    console.error(`kvm-manager ${verb}: ${translated(error.message)}`);
    return EXIT.failed;
  }
}
