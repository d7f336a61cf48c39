/**
 * The quick gate, for `deno task ok`: format, lint, types, generated files, and the unit tests that a change since they last
 * passed can have broken (scripts/testing/affected.ts). `sh scripts/test.sh` runs them all.
 *
 *     deno task ok [--all]    all unit tests
 */
import { dirname, join } from "node:path";
import { passedFiles } from "./junit.ts";
import { messageOf } from "../lib/text/message.ts";
import { deno, PROJECT, textIfThere } from "./project.ts";
import { unitTests } from "./testing/affected.ts";

/** Test file → digest of the sources it last passed with. Not committed: it says what passed on this machine. */
const PASSED = join(PROJECT, "node_modules/.cache/unit-tests.json");

/** Checks that run at the same time as the tests, one after the other: each takes one processor. */
const CHECKS: readonly { name: string; args: readonly string[] }[] = [
  { name: "format", args: ["fmt", "--check"] },
  { name: "lint", args: ["lint"] },
  { name: "types", args: ["task", "check"] },
  { name: "texts", args: ["task", "texts", "check"] },
  { name: "generated files", args: ["task", "manifest", "--check"] },
];

/** Runs one part and says how it went: what it printed only when it failed. */
async function part(name: string, run: () => Promise<unknown>): Promise<boolean> {
  const began = performance.now();
  const success = await run().then(() => true, (error) => {
    console.error(messageOf(error).replace(/^Check .*\n/gm, ""));
    return false;
  });
  console.log(`${success ? "ok" : "FAILED"}  ${name} (${((performance.now() - began) / 1000).toFixed(0)} s)`);
  return success;
}

async function checks(): Promise<boolean> {
  let success = true;
  for (const { name, args } of CHECKS) success = await part(name, () => deno(...args)) && success;
  return success;
}

async function tests(): Promise<boolean> {
  const passed = new Map(Object.entries(await recorded()));
  const { tests, digests } = await unitTests();
  const isAll = Deno.args.includes("--all");
  const due = tests.filter((test) =>
    isAll || passed.get(test) === undefined || passed.get(test) !== digests.get(test)
  );
  const report = await Deno.makeTempFile({ suffix: ".xml" });
  try {
    return await part(
      `unit tests: ${due.length} of ${tests.length} files, the others passed as they are`,
      async () => {
        try {
          await deno("test", "-A", "--no-check", "--parallel", `--junit-path=${report}`, ...due);
        } finally {
          const now = passedFiles(await Deno.readTextFile(report));
          const kept = [...digests].filter(([test, digest]) => now.has(test) || passed.get(test) === digest);
          await Deno.mkdir(dirname(PASSED), { recursive: true });
          await Deno.writeTextFile(PASSED, JSON.stringify(Object.fromEntries(kept)));
        }
      },
    );
  } finally {
    await Deno.remove(report);
  }
}

async function recorded(): Promise<Record<string, string>> {
  return JSON.parse(await textIfThere(PASSED) ?? "{}") as Record<string, string>;
}

const all = await Promise.all([checks(), tests()]);
Deno.exit(all.every(Boolean) ? 0 : 1);
