/** Looking at processes and stopping them where they stand, by their id. */
import { until } from "./wait.ts";

/** Stops a process where it stands (SIGSTOP): it hangs, but it is there. */
export async function freeze(pid: number): Promise<void> {
  Deno.kill(pid, "SIGSTOP");
  await until(`process ${pid} to stop`, async () => await processState(pid) === "T", {
    seconds: 5,
    every: 5,
  });
}

/** Lets a process that {@link freeze} stopped go on; does nothing when it is gone. */
export async function thaw(pid: number): Promise<void> {
  if (await processState(pid) === null) return;
  Deno.kill(pid, "SIGCONT");
}

/** The name of a live process as the kernel keeps it (15 characters at most), or null. */
export async function commandOf(pid: number): Promise<string | null> {
  return (await statusOf(pid, "Name"))?.trim() ?? null;
}

/** One letter, proc(5): R, S, D, T (stopped), Z … or null when there is no such process. */
export async function processState(pid: number): Promise<string | null> {
  return (await statusOf(pid, "State"))?.trim()[0] ?? null;
}

async function statusOf(pid: number, field: string): Promise<string | null> {
  try {
    const status = await Deno.readTextFile(`/proc/${pid}/status`);
    const value = new RegExp(`^${field}:(.*)$`, "m").exec(status)?.[1] ?? null;
    return /^State:\s+[ZX]/m.test(status) ? null : value; // a zombie holds nothing any more
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    // It ended between the opening and the reading (ESRCH, which Deno has no class for).
    if (error instanceof Error && error.message.includes("(os error 3)")) return null;
    throw error;
  }
}
