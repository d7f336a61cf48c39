/** The processes of this host. Source: proc(5). */
import { log } from "../log.ts";
import { within } from "../within.ts";

/** Result of reading from a process, or undefined if that has ended meanwhile or may not be read. */
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

/** Milliseconds that a process's words are waited for: the kernel may wait for a lock of its memory. */
const WORDS_MS = 1000;
/** Looks that are under way: one that never returns is not begun again. */
const reading = new Map<string, Promise<string[]>>();

/** The words that a process was started with; none of one that has ended, or that the kernel does not tell in time. */
export async function argumentsOf(pid: string | number): Promise<string[]> {
  const key = String(pid);
  let words = reading.get(key);
  if (words === undefined) {
    const read = async () =>
      await ofProcess(pid, async () => (await Deno.readTextFile(`/proc/${pid}/cmdline`)).split("\0")) ?? [];
    reading.set(key, words = read().finally(() => reading.delete(key)));
  }
  let found: string[] = [];
  await within(WORDS_MS, words.then((all) => found = all));
  return found;
}

/** The numbers of all processes that run now. */
export async function* processes(): AsyncGenerator<string> {
  for await (const { name } of Deno.readDir("/proc")) {
    if (/^\d+$/.test(name)) yield name;
  }
}
