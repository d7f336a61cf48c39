/**
 * Bundles what runs on the server: `main.ts`, and every worker it starts.
 *
 * Workers are found by the one way there is to write them so that they run from source as well:
 * `new Worker(new URL("./worker.ts", import.meta.url), { type: "module" })`, beside the module that starts it. In the bundle each is a file beside
 * `main.js`, under its own name, and that address is changed to it.
 */
import { basename, dirname, join } from "node:path";
import { deno, PROJECT } from "./project.ts";

const WORKER = /new URL\(\s*"\.\/(\w+)\.ts"\s*,\s*import\.meta\.url\s*\)/g;

/** Writes `main.js` and the workers' modules into `folder`. @throws {Error} when Deno cannot bundle them. */
export async function bundleServer(main: string, folder: string): Promise<void> {
  const bundled = new Map<string, string>();
  const waiting = [main];
  for (let entry = waiting.pop(); entry !== undefined; entry = waiting.pop()) {
    const name = basename(entry).replace(/\.ts$/, ".js");
    const other = bundled.get(name);
    if (other === entry) continue;
    if (other !== undefined) throw new Error(`${entry} and ${other} would both become ${name} in the bundle`);
    bundled.set(name, entry);
    await bundle(entry, join(folder, name));
    waiting.push(...await workersOf(entry));
  }
}

async function bundle(entry: string, output: string): Promise<void> {
  const config = join(PROJECT, "deno.json");
  await deno("bundle", "--quiet", "--config", config, "--platform", "deno", "--output", output, entry);
  const text = await Deno.readTextFile(output);
  await Deno.writeTextFile(output, text.replace(WORKER, 'new URL("./$1.js", import.meta.url)'));
}

/** The workers that a module, or anything it imports, starts. */
async function workersOf(entry: string): Promise<string[]> {
  const graph = JSON.parse(await deno("info", "--json", "--config", join(PROJECT, "deno.json"), entry)) as {
    modules: { local?: string }[];
  };
  const own = graph.modules.flatMap(({ local }) => local?.match(/(?<!node_modules.*)\.tsx?$/) ? [local] : []);
  const found = await Promise.all(own.map(async (module) => {
    const text = await Deno.readTextFile(module);
    return [...text.matchAll(WORKER)].map(([, folder = "", name]) =>
      join(dirname(module), folder, `${name}.ts`)
    );
  }));
  return found.flat();
}
