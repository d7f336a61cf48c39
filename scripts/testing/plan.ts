/**
 * The files of the system and browser tests in the order they are run, for `test.sh`: the longest first, so that the last
 * ones to end are short. What was never measured on this machine comes first, and among it what has the longest text.
 *
 *     deno run -A scripts/testing/plan.ts [--all]
 *
 * Without `--all` the slow proofs of what has not changed are left out; they are named on standard error.
 */
import { join, relative } from "node:path";
import { PROJECT, walk } from "../project.ts";
import { SLOW_PROOFS } from "./proofs.ts";
import { proven } from "./slow_proofs.ts";
import { recorded } from "./slowest.ts";

/**
 * Puts files in order.
 *
 * @param durations seconds by file; files without are taken for the longest
 * @param sizes bytes by file
 */
export function longestFirst(
  files: readonly string[],
  durations: Readonly<Record<string, number>>,
  sizes: Readonly<Record<string, number>>,
): string[] {
  const seconds = (file: string) => durations[file] ?? Infinity;
  return files.toSorted((a, b) =>
    seconds(a) === seconds(b) ? (sizes[b] ?? 0) - (sizes[a] ?? 0) : seconds(b) - seconds(a)
  );
}

if (import.meta.main) {
  const left = Deno.args.includes("--all") ? [] : await proven();
  const without = new Set(left.flatMap((name) => SLOW_PROOFS[name]!.files));
  for (const name of left) {
    console.error(`left out, its sources are as it passed: ${name} (${SLOW_PROOFS[name]!.files.join(" ")})`);
  }
  if (left.length > 0) console.error("--all runs everything");
  const files = (await walk(join(PROJECT, "tests"))).map(({ path }) => relative(PROJECT, path))
    .filter((path) => /_test\.tsx?$/.test(path) && !without.has(path));
  const sizes = await Promise.all(
    files.map(async (file) => [file, (await Deno.stat(join(PROJECT, file))).size]),
  );
  console.log(longestFirst(files, await recorded(), Object.fromEntries(sizes)).join("\n"));
}
