/**
 * Runs scenarios of `hangs.ts` by hand, in parallel, and prints their results:
 *
 *     deno run -A tests/testbed/hang_alone.ts [--seconds=150] [--pages] one console…
 */
import { type HangName, HANGS } from "./hangs.ts";
import { lines, runHangs } from "./hang_run.ts";
import { requirement } from "./skip.ts";

const names = Deno.args.filter((argument) => !argument.startsWith("--")) as HangName[];
const scenarios = names.map((name) => {
  if (!Object.hasOwn(HANGS, name)) {
    throw new Error(`no scenario ${name}; there are: ${Object.keys(HANGS).join(" ")}`);
  }
  return HANGS[name];
});
const seconds = Number(Deno.args.find((argument) => argument.startsWith("--seconds="))?.slice(10) ?? 150);
if (await requirement(...scenarios.flatMap(({ needs }) => needs)) === null) {
  await runHangs(scenarios, {
    seconds,
    pages: Deno.args.includes("--pages"),
    told: (report) => console.log(`${names.join(" ")}: ${lines(report)}`),
  });
}
