/** The processes of this host. Source: proc(5). */
import { log } from "./log.ts";

/** What reads something of a process gives, or undefined where that has ended meanwhile or is not to be seen. */
export async function ofProcess<T>(pid: string | number, read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.PermissionDenied) {
      return undefined;
    }
    // ESRCH: it ended between the opening and the reading.
    log.debug("a process could not be looked at", { pid, error });
    return undefined;
  }
}

/** The words that a process was started with; none of one that has ended. */
export async function wordsOf(pid: string | number): Promise<string[]> {
  return await ofProcess(pid, async () => (await Deno.readTextFile(`/proc/${pid}/cmdline`)).split("\0")) ??
    [];
}

/** The numbers of all processes that run now. */
export async function* processes(): AsyncGenerator<string> {
  for await (const { name } of Deno.readDir("/proc")) {
    if (/^\d+$/.test(name)) yield name;
  }
}
