/** Reads the lockspace and the leases of sanlock's daemon by its own program. */
import { messageOf } from "../../../lib/text/message.ts";
import { readSanlockStatus, type SanlockStatus } from "../../../lib/system/lock_manager/sanlock_status.ts";
import { log } from "../../log.ts";
import { isSystemError } from "../../machine/files.ts";
import { ProgramLate, runProgram } from "../../machine/programs.ts";

/** Milliseconds that its program may take, and bytes that it may say. */
const LIMIT_MS = 5000, MOST_OUTPUT = 4 * 1024 * 1024;

/** Its status; null where it does not run, or may not be asked: its socket is root's and its group's. */
export async function sanlockStatus(): Promise<SanlockStatus | null> {
  try {
    const { success, stdout } = await runProgram("sanlock", ["client", "status"], {
      limitMs: LIMIT_MS,
      mostOutput: MOST_OUTPUT,
    });
    return success ? readSanlockStatus(stdout) : null;
  } catch (error) {
    if (!(error instanceof ProgramLate) && !isSystemError(error)) throw error;
    log.debug("sanlock does not tell its status", { error: messageOf(error) });
    return null;
  }
}
