/**
 * Test files that failed at the same time as others and passed alone, for `test.sh`. One is let pass once: a file that was unsteady before
 * on this machine, and has not changed since, fails the run.
 *
 *     deno run -A scripts/testing/unsteady.ts FILE    exit status 1: it was unsteady before
 */
import { createHash } from "node:crypto";
import { testbedDir } from "../../tests/testbed/names.ts";
import { exists } from "../../tests/testbed/process.ts";

/** Notes that a file was unsteady. @returns whether it was so before, with the same content */
export async function wasUnsteady(file: string, folder = `${testbedDir()}/unsteady`): Promise<boolean> {
  const digest = createHash("sha256").update(await Deno.readFile(file)).digest("hex");
  const note = `${folder}/${digest}`;
  if (await exists(note)) return true;
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(note, "");
  return false;
}

if (import.meta.main) {
  const [file] = Deno.args;
  if (file === undefined) throw new Error("Usage: unsteady.ts FILE");
  if (await wasUnsteady(file)) {
    console.error(`${file} was unsteady in an earlier run, too: it fails until it is mended`);
    Deno.exit(1);
  }
}
