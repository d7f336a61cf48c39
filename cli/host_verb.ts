/** How verbs of their own end: wrong usage, what cannot be done, done. */
import { messageOf } from "../lib/message.ts";
import { EXIT } from "./exit.ts";

/** Tells of wrong usage, and where the right one is told. */
export function tellMisuse(verb: string, error: unknown): void {
  console.error(`kvm-manager ${verb}: ${messageOf(error)}. See kvm-manager ${verb} --help`);
}

/** What was read; where wrong usage was found instead, that is told, and this status given. */
export function readOr<Given extends object>(
  status: number,
  verb: string,
  read: () => Given,
): Given | number {
  try {
    return read();
  } catch (error) {
    tellMisuse(verb, error);
    return status;
  }
}

/**
 * Reads a verb's arguments and runs it.
 *
 * @param Expected what it throws when something cannot be done: told without a stack
 * @returns the exit status
 */
export async function carriedOut<Given extends object>(
  verb: string,
  read: () => Given,
  Expected: new (...args: never[]) => Error,
  run: (given: Given) => Promise<number>,
): Promise<number> {
  const given = readOr(EXIT.usage, verb, read);
  if (typeof given === "number") return given;
  try {
    return await run(given);
  } catch (error) {
    if (!(error instanceof Expected)) throw error;
    console.error(`kvm-manager ${verb}: ${error.message}`);
    return EXIT.failed;
  }
}
