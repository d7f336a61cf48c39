/**
 * Remembers preparations of one test file of a run (`scripts/testing/run.ts`), so that the others need not check them.
 */
import { exists } from "./process.ts";

/** Folder of a run of several files. */
const RUN = Deno.env.get("KVMM_TEST_RUN");

/**
 * Does something unless a file of this run has done it, and has not failed. Files that begin at once may do it each.
 *
 * @param name of what is done, for a file's name
 */
export async function onceInRun(name: string, work: () => Promise<unknown>): Promise<void> {
  const note = RUN === undefined ? undefined : `${RUN}/${name}`;
  if (note !== undefined && await exists(note)) return;
  await work();
  if (note !== undefined) await Deno.writeTextFile(note, "");
}
