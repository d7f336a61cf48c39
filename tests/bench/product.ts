/** The packed binary: built when something it is made of is newer. */
import { join } from "node:path";
import { deno, PROJECT, walk } from "../../scripts/project.ts";

export const BINARY = join(PROJECT, "dist/kvm-manager");
const SOURCES = [
  ...["agent", "cli", "components", "ffi", "islands", "lib", "routes", "scripts", "static"],
  ...["main.ts", "fresh.gen.ts", "deno.json", "deno.lock"],
];

/** Builds it when stale. */
export async function ensureBinary(): Promise<void> {
  if (await isStale()) await deno("run", "-A", join(PROJECT, "scripts/build.ts"));
}

async function isStale(): Promise<boolean> {
  try {
    const built = await changed(BINARY);
    const paths = await Promise.all(SOURCES.map(async (name) => {
      const path = join(PROJECT, name);
      return (await Deno.stat(path)).isDirectory ? (await walk(path)).map((entry) => entry.path) : [path];
    }));
    const times = await Promise.all(paths.flat().map(changed));
    return times.some((time) => time > built);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return true;
    throw error;
  }
}

async function changed(path: string): Promise<number> {
  return (await Deno.stat(path)).mtime?.getTime() ?? 0;
}
