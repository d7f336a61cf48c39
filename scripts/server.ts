/**
 * Bundles what runs on the host: the program from its first module on, and every worker that it or another worker starts. Minified, because the
 * source stays in memory as long as the program runs; source maps, for reading a stack trace of a log, lie next to it.
 */
import { basename, join } from "node:path";
import { workerName } from "../lib/bundle.ts";
import { deno, PROJECT } from "./project.ts";

/** Arguments of Deno that bundle for the host, as the sources are written. */
export const BUNDLE = [
  ...["bundle", "--quiet", "--config", join(PROJECT, "deno.json"), "--platform", "deno"],
  // Native parts that are never there: who would load them does without.
  ...["--external", "*.node"],
];
/** Those of the product. */
const PRODUCT = [...BUNDLE, "--minify", "--sourcemap=external"];

/** The program's first module in the bundle. */
const MAIN = "main.js";

/** How a worker is started (see `lib/bundle.ts`). */
const WORKER = /\bworkerUrl\(\s*"([^"]+)"/g;

/**
 * Writes `main.js`, its parts and the workers' modules into `folder`, and their source maps into `maps`.
 *
 * @throws {Error} when Deno cannot bundle them
 */
export async function bundleServer(main: string, folder: string, maps: string): Promise<void> {
  await Deno.remove(maps, { recursive: true }).catch(unlessMissing);
  await Deno.mkdir(maps, { recursive: true });
  await bundleMain(main, folder, maps);
  for (const source of await workersOf(main)) {
    await bundleWorker(join(PROJECT, source), folder, workerName(source), maps);
  }
}

/** A worker: one file, under the name by which it is started. */
async function bundleWorker(entry: string, folder: string, name: string, maps: string): Promise<void> {
  await deno(...PRODUCT, "--output", join(folder, name), entry);
  await moveMaps(folder, maps);
}

/** The program, and next to it what it loads when it is needed: what only browsers load is never read at all. */
export async function bundleMain(entry: string, folder: string, maps: string): Promise<void> {
  await deno(...PRODUCT, "--code-splitting", "--outdir", folder, entry);
  await mendCommonJs(folder);
  const written = basename(entry).replace(/\.ts$/, ".js");
  if (written !== MAIN) {
    await Deno.rename(join(folder, written), join(folder, MAIN));
    await Deno.rename(join(folder, `${written}.map`), join(folder, `${MAIN}.map`));
  }
  await moveMaps(folder, maps);
}

/** How the bundler makes `require()` for CommonJS: by Node's loader, as soon as any of its helpers is needed. */
const EAGER_REQUIRE =
  /import\{createRequire as (\w+)\} ?from ?"node:module";var (\w+)=\1\(import\.meta\.url\);/;

/**
 * Variable that a module of CommonJS takes for its folder; the bundler leaves it, but does not define it in its output.
 */
const FOLDER_NAME = /\b__dirname\b/;

/**
 * Lets the program ask for Node's loader when something of CommonJS is loaded, and not before: it is as much work as the
 * start of the runtime, and verbs that speak to a server need none of it. Where its folder is asked for (ssh2 does, of the
 * module that checks what comes over a connection), that is the bundle's.
 */
async function mendCommonJs(folder: string): Promise<void> {
  for await (const { name } of Deno.readDir(folder)) {
    if (!name.endsWith(".js")) continue;
    const path = join(folder, name), text = await Deno.readTextFile(path);
    const lazy = text.replace(
      EAGER_REQUIRE,
      (_all, _import, require) =>
        `var ${require}=(id)=>process.getBuiltinModule("node:module").createRequire(import.meta.url)(id);`,
    );
    const mended = FOLDER_NAME.test(lazy) ? `var __dirname=import.meta.dirname;${lazy}` : lazy;
    if (mended !== text) await Deno.writeTextFile(path, mended);
  }
}

async function moveMaps(folder: string, maps: string): Promise<void> {
  for await (const { name } of Deno.readDir(folder)) {
    if (name.endsWith(".js.map")) await Deno.rename(join(folder, name), join(maps, name));
  }
}

/** The workers that a module, anything it imports, or another of these workers starts: paths below the project. */
export async function workersOf(entry: string): Promise<Set<string>> {
  const workers = await startedBy(entry);
  for (const source of workers) { // grows while it is gone through
    for (const other of await startedBy(join(PROJECT, source))) workers.add(other);
  }
  return workers;
}

async function startedBy(entry: string): Promise<Set<string>> {
  const graph = JSON.parse(await deno("info", "--json", "--config", join(PROJECT, "deno.json"), entry)) as {
    modules: { local?: string }[];
  };
  const own = graph.modules.flatMap(({ local }) =>
    local !== undefined && /\.tsx?$/.test(local) && !local.includes("/node_modules/") &&
      local !== join(PROJECT, "lib/bundle.ts") // its example is none
      ? [local]
      : []
  );
  const texts = await Promise.all(own.map((module) => Deno.readTextFile(module)));
  return new Set(texts.flatMap((text) => [...text.matchAll(WORKER)].map(([, source = ""]) => source)));
}

function unlessMissing(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
