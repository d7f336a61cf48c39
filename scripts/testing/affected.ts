/**
 * Unit tests that a change can have broken, for `deno task ok`. A test file that passed is left out while it, every module
 * it needs, the workers they start and the settings of the project are as they were; comments and types do not count. Tests
 * that read files of the project or start programs are always run, unless it is said here which modules they do that with:
 * no graph tells what those depend on.
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { PROJECT } from "../project.ts";
import { closureOf, type Imports, type Module } from "./modules.ts";
import { projectModules } from "./project_modules.ts";

/** Files that all tests depend on. */
const SETTINGS = ["deno.json", "deno.lock"];
/** A test that has one of these reads more than its modules. */
const READS = /\b(readTextFile|readFile|readDir)(Sync)?\b|\bDeno\.Command\b|\bimport\.meta\b|\/project\.ts"/;
/**
 * Tests that take long, and read or start modules of the project alone: path of a test → which modules, with all that they
 * need and all workers. Packages and Deno are among {@link SETTINGS}.
 */
const STARTS: Readonly<Record<string, RegExp>> = {
  "cli/output_failure_test.ts": /^cli\/start\.ts$/,
  "scripts/using_test.ts": /^cli\/start\.ts$/,
  "scripts/server_test.ts": /^cli\/start\.ts$/,
  "scripts/islands_test.ts": /^(islands|routes)\//,
  "scripts/testing/run_test.ts": /^tests\/testbed\/once_in_run\.ts$/,
};

/** A module that is the first of a worker. */
const IS_WORKER = /lib="deno\.worker"/;

/**
 * The digest of each test's sources; tests that are always run are not among them.
 *
 * @param texts of all modules, by path
 * @param settings what every test depends on
 */
export function digestsOf(
  tests: readonly string[],
  texts: ReadonlyMap<string, string>,
  modules: ReadonlyMap<string, Module>,
  imports: Imports,
  settings: string,
): Map<string, string> {
  const workers = closureOf(
    [...texts].filter(([, text]) => IS_WORKER.test(text)).map(([path]) => path),
    imports,
  );
  const digests = new Map<string, string>();
  for (const test of tests) {
    const started = STARTS[test];
    if (started === undefined && (test.startsWith("scripts/") || READS.test(texts.get(test) ?? ""))) continue;
    const roots = [...texts.keys()].filter((path) => started?.test(path));
    if (started !== undefined && roots.length === 0) {
      throw new Error(`scripts/testing/affected.ts: there is no module that ${test} starts`);
    }
    const own = closureOf([test, ...roots], imports);
    const startsWorker = [...own].some((path) => modules.get(path)?.startsWorkers);
    const all = startsWorker ? own.union(workers) : own;
    digests.set(
      test,
      sum(settings + [...all].sort().map((path) => `${path} ${modules.get(path)?.digest}\n`).join("")),
    );
  }
  return digests;
}

const sum = (text: string) => createHash("sha256").update(text).digest("hex");

/** The project's unit tests, and the digests of those that may be left out. */
export async function unitTests(): Promise<{ tests: string[]; digests: Map<string, string> }> {
  const { texts, modules, imports } = await projectModules();
  const tests = [...texts.keys()].filter((path) => /_test\.tsx?$/.test(path) && !path.startsWith("tests/"));
  const settings = await Promise.all(SETTINGS.map((path) => Deno.readTextFile(join(PROJECT, path))));
  const of = `${Deno.version.deno} ${Deno.build.target}\n${settings.join("\n")}`;
  return { tests, digests: digestsOf(tests, texts, modules, imports, of) };
}
