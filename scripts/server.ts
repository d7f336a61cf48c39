/** Bundles what runs on the server: `main.ts`, and every worker that it or another worker starts. */
import { join } from "node:path";
import { workerName } from "../lib/bundle.ts";
import { deno, PROJECT } from "./project.ts";

/** How a worker is started (see `lib/bundle.ts`). */
const WORKER = /\bworkerUrl\(\s*"([^"]+)"/g;

/** Writes `main.js` and the workers' modules into `folder`. @throws {Error} when Deno cannot bundle them. */
export async function bundleServer(main: string, folder: string): Promise<void> {
  await bundle(main, join(folder, "main.js"));
  const workers = await workersOf(main);
  for (const source of workers) { // grows while it is gone through
    const entry = join(PROJECT, source);
    await bundle(entry, join(folder, workerName(source)));
    for (const other of await workersOf(entry)) workers.add(other);
  }
}

async function bundle(entry: string, output: string): Promise<void> {
  const config = join(PROJECT, "deno.json");
  await deno("bundle", "--quiet", "--config", config, "--platform", "deno", "--output", output, entry);
}

/** The workers that a module, or anything it imports, starts. */
async function workersOf(entry: string): Promise<Set<string>> {
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
