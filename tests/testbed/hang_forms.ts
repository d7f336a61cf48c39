/**
 * Tests of what hangs, in two forms: a short one in every run, and with `sh scripts/test.sh --all` the long one, a quarter
 * of an hour with pages open and another one with none.
 */
import assert from "node:assert/strict";
import { type HangName, HANGS } from "./hangs.ts";
import { type HangRunOptions, lines, runHangs } from "./hang_run.ts";
import { requirement } from "./skip.ts";

/** Set by `scripts/test.sh --all`. */
const LONG = "KVMM_TEST_LONG";

/** How it is run this time. */
const FORMS: readonly HangRunOptions[] = Deno.env.get(LONG) === "1"
  ? [{ seconds: 900, pages: true }, { seconds: 900, pages: false }]
  : [{ seconds: 50, pages: true }];

/** Tests of scenarios that hang at the same time. Those that cannot be had here are left out, and said so. */
export async function hangTests(what: string, names: readonly HangName[]): Promise<Deno.TestDefinition[]> {
  const possible: HangName[] = [];
  for (const name of names) if (await requirement(...HANGS[name].needs) === null) possible.push(name);
  const ignore = possible.length === 0 || await requirement("qemu", "slowStorage") !== null;
  return FORMS.map((form) => ({
    name: `${what} (${form.seconds} s, ${form.pages ? "pages open" : "no page open"})`,
    ignore,
    fn: async () => {
      const scenarios = possible.map((name) => HANGS[name]);
      const report = await runHangs(scenarios, { ...form, told: (report) => console.log(lines(report)) });
      assert.deepEqual(report.problems, []);
    },
  }));
}
