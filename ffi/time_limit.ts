/**
 * Ending work that computes for too long on the thread it runs on. `Worker.terminate()` does not do it: in Deno 2.9 a
 * worker in a loop goes on computing, also after the process has let go of it (denoland/deno#35657).
 */
import vm from "node:vm";

/** Work took longer than its limit, and was ended where it was: its `finally` blocks did not run. */
export class TimeLimitError extends Error {
  override readonly name = "TimeLimitError";
}

/** Variable through which the script finds the work: V8 limits the time of scripts alone. */
const slot = globalThis as { kvmManagerWork?: (() => void) | undefined };
const RUN = new vm.Script("kvmManagerWork()");

/**
 * Runs work, and ends it after some milliseconds. What the work opens stays open when it is ended. A C function that it
 * has called is waited for.
 *
 * @throws {TimeLimitError} when it was ended; what the work throws
 */
export function withinTime<T>(ms: number, work: () => T): T {
  const results: T[] = [];
  slot.kvmManagerWork = () => void results.push(work());
  try {
    RUN.runInThisContext({ timeout: ms });
  } catch (error) {
    if ((error as { code?: unknown }).code !== "ERR_SCRIPT_EXECUTION_TIMEOUT") throw error;
    throw new TimeLimitError(`it took longer than ${ms / 1000} seconds`, { cause: error });
  } finally {
    slot.kvmManagerWork = undefined;
  }
  return results[0]!;
}
