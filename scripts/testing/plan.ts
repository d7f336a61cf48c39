/**
 * The files of the system and browser tests in the order they are run, for `test.sh`: the longest first, by
 * tests/durations.json, so that the last ones to end are short; a file that was never measured before all others.
 *
 *     deno run -A scripts/testing/plan.ts [--all]
 *
 * Without `--all` the slow proofs of what has not changed are left out; they are named on standard error.
 */
import { join, relative } from "node:path";
import { PROJECT, walk } from "../project.ts";
import { proven, SLOW_PROOFS } from "./slow_proofs.ts";
import { recorded } from "./slowest.ts";

/** Puts files in order. */
export function longestFirst(
  files: readonly string[],
  durations: Readonly<Record<string, number>>,
): string[] {
  const seconds = (file: string) => durations[file] ?? Infinity;
  return [...files].sort((a, b) => seconds(a) === seconds(b) ? (a < b ? -1 : 1) : seconds(b) - seconds(a));
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
  console.log(longestFirst(files, await recorded()).join("\n"));
}
