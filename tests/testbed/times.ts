/**
 * Records the time of tests. With `KVMM_TEST_TIMES=FILE` in the environment every server start, guest boot, browser,
 * wait and sleep adds a line to FILE, which `scripts/testing/slowest.ts` sums up; without it nothing is written.
 */
import { AsyncLocalStorage } from "node:async_hooks";

/** Kinds of work that take time. */
export type Spent =
  | "build"
  | "server"
  | "boot"
  | "browser"
  | "axe"
  | "command line"
  | "virsh"
  | "wait"
  | "sleep";

/** One line of the file. */
export interface SpentTime {
  readonly what: Spent;
  readonly ms: number;
  /** The test file, below the working folder. */
  readonly file: string;
  /** Details: the awaited condition, the command of virsh. */
  readonly of?: string;
}

const path = Deno.env.get("KVMM_TEST_TIMES");
/** Opened once: a test may give up its rights for a while, with which the file could not be opened. */
const sink = path === undefined ? undefined : await Deno.open(path, { append: true, create: true });
const inside = new AsyncLocalStorage<Spent>();

/** Runs `work` and writes down how long it took. What is timed inside it counts as the outer one's alone. */
export async function spend<T>(what: Spent, work: () => Promise<T>, of?: string): Promise<T> {
  if (sink === undefined || inside.getStore() !== undefined) return await work();
  const start = performance.now();
  try {
    return await inside.run(what, work);
  } finally {
    const spent: SpentTime = {
      what,
      ms: Math.round(performance.now() - start),
      file: Deno.mainModule.replace(`file://${Deno.cwd()}/`, ""),
      ...(of === undefined ? {} : { of }),
    };
    // One short append: lines of files that run in parallel do not mix
    await sink.write(new TextEncoder().encode(JSON.stringify(spent) + "\n"));
  }
}
