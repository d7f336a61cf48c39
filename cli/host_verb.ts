/** How verbs about this host end: wrong usage, what cannot be done, done. */
import { EXIT } from "./exit.ts";

const textOf = (error: unknown) => error instanceof Error ? error.message : String(error);

/**
 * Reads a verb's arguments and runs it.
 *
 * @param Expected what it throws when something cannot be done: told without a stack
 * @returns the exit status
 */
export async function carriedOut<Given>(
  verb: string,
  read: () => Given,
  Expected: new (...args: never[]) => Error,
  run: (given: Given) => Promise<number>,
): Promise<number> {
  let given: Given;
  try {
    given = read();
  } catch (error) {
    console.error(`kvm-manager ${verb}: ${textOf(error)}. See kvm-manager ${verb} --help`);
    return EXIT.usage;
  }
  try {
    return await run(given);
  } catch (error) {
    if (!(error instanceof Expected)) throw error;
    console.error(`kvm-manager ${verb}: ${error.message}`);
    return EXIT.failed;
  }
}
