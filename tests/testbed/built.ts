/** Files that the test bed builds once and keeps outside the repository, for all later runs. */
import { createHash } from "node:crypto";
import { testbedDir } from "./names.ts";
import { exists } from "./process.ts";

/**
 * The folder of a thing, built when it is not there yet: next to its place, and moved there in one step, so that others
 * see all of it or nothing.
 *
 * @param recipe texts that change whenever the thing would come out differently by our doing; Debian's updates do not
 * count
 * @param build is given an empty folder to work in; what lies in its `out` at the end is kept
 */
export async function built(
  name: string,
  recipe: readonly string[],
  build: (work: string) => Promise<void>,
): Promise<string> {
  const digest = createHash("sha256").update(recipe.join("\0")).digest("hex").slice(0, 12);
  const folder = `${testbedDir()}/${name}-${digest}`;
  if (await exists(folder)) return folder;
  const work = `${folder}.${crypto.randomUUID()}.part`;
  await Deno.mkdir(`${work}/out`, { recursive: true });
  try {
    await build(work);
    await Deno.rename(`${work}/out`, folder).catch(async (error) => {
      if (!await exists(folder)) throw error; // otherwise somebody else was faster: theirs is as good
    });
    return folder;
  } finally {
    await Deno.remove(work, { recursive: true });
  }
}
