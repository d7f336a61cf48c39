/**
 * Skipping a single test, with its reason printed:
 *
 *     Deno.test({ name: "…", ignore: skippedUnless(isRoot, "only root may mount a file system"), fn: … });
 */

const printed = new Set<string>();

/** Whether a test is skipped: it is when `condition` does not hold, and `SKIP: reason` is printed once. */
export function skippedUnless(condition: boolean, reason: string): boolean {
  if (!condition && !printed.has(reason)) {
    printed.add(reason);
    console.error(`SKIP: ${reason}`);
  }
  return !condition;
}

/** Skips a test unless this is root. */
export const skippedUnlessRoot = (): boolean =>
  skippedUnless(Deno.uid() === 0, "only root can run this test");
