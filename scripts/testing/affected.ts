/**
 * Unit tests that a change can have broken, for `deno task ok`. A test file that passed is left out while it, every module
 * it imports, the workers they start and the settings of the project are as they were. Tests that read files of the project
 * or start programs are always run: no graph of modules tells what those depend on.
 */
import { createHash } from "node:crypto";
import { join, relative } from "node:path";
import { deno, PROJECT, walk } from "../project.ts";

/** Folders that have unit tests beside their sources. */
const FOLDERS = ["agent", "cli", "components", "ffi", "islands", "lib", "routes", "scripts"];
/** What all tests depend on. */
const SETTINGS = ["deno.json", "deno.lock"];
/** A test that has one of these reads more than its modules. */
const READS = /\b(readTextFile|readFile|readDir)(Sync)?\b|\bDeno\.Command\b|\bimport\.meta\b|\/project\.ts"/;
/** A module that starts workers: their modules are in no graph. */
const STARTS_WORKER = /\bnew Worker\(/;
/** A module that is the first of a worker. */
const IS_WORKER = /lib="deno\.worker"/;

/** Which modules a module imports, by path below the project. Modules of elsewhere are in the lock file. */
export type Imports = ReadonlyMap<string, readonly string[]>;

/** Everything that modules import, directly and through others, themselves included. */
export function closureOf(roots: Iterable<string>, imports: Imports): Set<string> {
  const seen = new Set(roots);
  for (const path of seen) {
    for (const imported of imports.get(path) ?? []) seen.add(imported);
  }
  return seen;
}

/**
 * The digest of each test's sources; tests that are always run are not among them.
 *
 * @param texts of all modules, by path
 * @param settings what every test depends on
 */
export function digestsOf(
  tests: readonly string[],
  texts: ReadonlyMap<string, string>,
  imports: Imports,
  settings: string,
): Map<string, string> {
  const sums = new Map([...texts].map(([path, text]) => [path, sum(text)]));
  const workers = closureOf(
    [...texts].filter(([, text]) => IS_WORKER.test(text)).map(([path]) => path),
    imports,
  );
  const digests = new Map<string, string>();
  for (const test of tests) {
    if (test.startsWith("scripts/") || READS.test(texts.get(test) ?? "")) continue;
    const own = closureOf([test], imports);
    const startsWorker = [...own].some((path) => STARTS_WORKER.test(texts.get(path) ?? ""));
    const all = startsWorker ? own.union(workers) : own;
    digests.set(test, sum(settings + [...all].sort().map((path) => `${path} ${sums.get(path)}\n`).join("")));
  }
  return digests;
}

const sum = (text: string) => createHash("sha256").update(text).digest("hex");

/** The project's unit tests, and the digests of those that may be left out. */
export async function unitTests(): Promise<{ tests: string[]; digests: Map<string, string> }> {
  const entries = (await Promise.all(FOLDERS.map((folder) => walk(join(PROJECT, folder))))).flat();
  const paths = entries.filter(({ path, isFile }) => isFile && /\.tsx?$/.test(path))
    .map(({ path }) => relative(PROJECT, path));
  const texts = new Map<string, string>();
  for (const path of paths) texts.set(path, await Deno.readTextFile(join(PROJECT, path)));
  const tests = paths.filter((path) => /_test\.tsx?$/.test(path));
  const settings = await Promise.all(SETTINGS.map((path) => Deno.readTextFile(join(PROJECT, path))));
  const of = `${Deno.version.deno} ${Deno.build.target}\n${settings.join("\n")}`;
  return { tests, digests: digestsOf(tests, texts, await importsOf(paths), of) };
}

/** One part of what `deno info --json` says. */
interface Graph {
  readonly modules: readonly {
    readonly specifier: string;
    readonly dependencies?: readonly { readonly code?: { readonly specifier?: string } }[];
  }[];
}

async function importsOf(paths: readonly string[]): Promise<Imports> {
  const all = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(
      all,
      paths.map((path) => `import ${JSON.stringify(join(PROJECT, path))};\n`).join(""),
    );
    const { modules } = JSON.parse(
      await deno("info", "--json", "--config", join(PROJECT, "deno.json"), all),
    ) as Graph;
    const here = `file://${PROJECT}/`;
    const path = (specifier = "") => specifier.startsWith(here) ? [specifier.slice(here.length)] : [];
    return new Map(
      modules.flatMap(({ specifier, dependencies = [] }) =>
        path(specifier).map((each) => [each, dependencies.flatMap(({ code }) => path(code?.specifier))])
      ),
    );
  } finally {
    await Deno.remove(all);
  }
}
