/** Output that cannot be written: a full disk, a pipe that is read no more. */
import { message, render } from "../lib/i18n/message.ts";
import { messageOf } from "../lib/text/message.ts";
import { EXIT } from "./exit.ts";

/** The system's numbers (errno) of what keeps output from being written, and those of a pipe that is closed. */
const REFUSED = new Set([5, 9, 27, 28, 122]), CLOSED = new Set([32, 104]);

/** The number of an error: Deno's console throws a plain one, with it in its text. */
const numberOf = (error: unknown) => Number(/\(os error (\d+)\)/.exec(messageOf(error))?.[1] ?? 0);

/** Whether the reader of the output has closed it: `kvm-manager vm list | head -1`. */
const isClosed = (error: unknown) => error instanceof Deno.errors.BrokenPipe || CLOSED.has(numberOf(error));

/** Whether the system has refused to write. */
const isRefused = (error: unknown) => isClosed(error) || REFUSED.has(numberOf(error));

/**
 * Drops writes to standard error that are refused: there is no other place to report them, and finished work stays
 * done.
 */
export function keepErrorsQuiet(): void {
  const write = console.error;
  console.error = (...what: unknown[]) => {
    try {
      write(...what);
    } catch (error) {
      if (!isRefused(error)) throw error;
    }
  };
}

/**
 * Runs a command line; says in one line that its output cannot be written.
 *
 * @param run gives its exit status
 * @returns the exit status: 0 where who reads the output has had enough
 * @throws what is no failure of the output
 */
export async function withOutput(run: () => Promise<number>): Promise<number> {
  try {
    return await run();
  } catch (error) {
    if (!isRefused(error)) throw error;
    if (isClosed(error)) return EXIT.done;
    console.error(
      `kvm-manager: ${
        render(message`the output cannot be written: ${messageOf(error).replace(/ \(os error \d+\)$/, "")}`)
      }`,
    );
    return EXIT.failed;
  }
}
