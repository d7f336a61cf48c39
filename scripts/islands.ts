/**
 * Bundles the islands for the browser, by Rolldown, into `dist/static/_fresh/{build}/`, and writes `dist/islands.json`: which
 * module is which island's, and what it imports. The build's id is a hash of the bundles, so every file of it may be
 * cached for ever.
 *
 *     deno run -A scripts/islands.ts [--if-stale]
 */
import { join } from "node:path";
import type { IslandChunk, IslandIndex } from "../lib/fresh/server/assets.ts";
import { type OutputChunk, rolldown } from "rolldown";
import { appFolder, deno, hashOf, islandFiles, PROJECT, remove, walk } from "./project.ts";

/** Bundles the islands of an app. */
export async function bundleIslands(app: string): Promise<IslandIndex> {
  const dist = join(app, "dist");
  await Deno.mkdir(join(dist, "static", "_fresh"), { recursive: true });
  // Beside its final place, so that one rename puts it there, whoever else builds or serves meanwhile
  const staging = await Deno.makeTempDir({ dir: dist, prefix: ".islands-" });
  try {
    const islands = await islandFiles(app);
    const shell = await shellIslands(app, islands);
    const chunks = await bundle(await writeEntries(app, islands, shell), staging);
    const build = await hashOf(staging);
    const address = (path: string) => `/_fresh/${build}/${path}`;
    const chunkOf = (name: string): IslandChunk => {
      const path = `${name}.js`;
      return { entry: address(path), imports: [...importsOf(path, chunks)].map(address) };
    };
    const index: IslandIndex = {
      build,
      boot: chunkOf("boot").entry,
      islands: Object.fromEntries(
        [...islands.keys()].map((name) => [name, chunkOf(shell.has(name) ? SHELL : name)]),
      ),
    };
    await moveInto(staging, join(dist, "static", "_fresh", build));
    await writeWhole(join(dist, "islands.json"), JSON.stringify(index, null, 2));
    return index;
  } finally {
    await remove(staging); // not there any more, when it became the build
  }
}

/** Entries that a module must be reached from to be loaded by all of them, whether they use it or not: fewer files a page. */
const SHARED_BY = 7;

/** The bundler's chunks by their files' names. */
type Chunks = ReadonlyMap<string, OutputChunk>;

/** Bundles modules, which share what they have in common. */
async function bundle(entries: Readonly<Record<string, string>>, folder: string): Promise<Chunks> {
  const all = Object.keys(entries).length - 1; // the boot script does not reach the shell
  await using built = await rolldown({
    input: { ...entries },
    cwd: PROJECT,
    platform: "browser",
    resolve: { alias: await aliases() },
    transform: { jsx: { runtime: "automatic", importSource: "preact" } },
    tsconfig: false,
  });
  const { output } = await built.write({
    dir: folder,
    minify: true,
    entryFileNames: "[name].js",
    chunkFileNames: "chunk-[hash].js",
    codeSplitting: {
      groups: [
        { name: "core", minShareCount: all, priority: 1 },
        { name: "shared", minShareCount: SHARED_BY },
      ],
    },
  });
  return new Map(output.filter((file) => file.type === "chunk").map((chunk) => [chunk.fileName, chunk]));
}

/** The import map of deno.json as a bundler knows it, where a name is not that of its package in node_modules/. */
async function aliases(): Promise<Record<string, string>> {
  const { imports } = JSON.parse(await Deno.readTextFile(join(PROJECT, "deno.json"))) as {
    imports: Record<string, string>;
  };
  const found = Object.entries(imports).map(([name, target]): [string, string] => [
    name,
    target.startsWith("./") ? join(PROJECT, target) : target.replace(/^npm:\/?(@?[^@]+)@[^/]*/, "$1"),
  ]);
  return Object.fromEntries(found.filter(([name, target]) => name !== target));
}

/** Name of the module that has the islands of every page. */
const SHELL = "shell";

/**
 * The islands that every page has, because `routes/_app.tsx` does. They become one module: bundled one by one, they
 * would come with a dozen splinters of what some of them share.
 */
async function shellIslands(app: string, islands: ReadonlyMap<string, string>): Promise<ReadonlySet<string>> {
  const graph = JSON.parse(
    await deno("info", "--json", "--config", join(PROJECT, "deno.json"), join(app, "routes/_app.tsx")),
  ) as { modules: { local?: string }[] };
  const reached = new Set(graph.modules.map(({ local }) => local));
  const found = [...islands].filter(([, path]) => reached.has(join(app, "islands", path)));
  return new Set(found.map(([name]) => name));
}

/**
 * Writes the modules that are bundled, and tells their paths by name: one with the shell's islands, each under its name, and
 * one for each other island, which imports the shell, too. Every page has the shell, so nothing more is loaded for that; but
 * what the shell is made of is reached from every entry then, and stays in one piece.
 */
async function writeEntries(
  app: string,
  islands: ReadonlyMap<string, string>,
  shell: ReadonlySet<string>,
): Promise<Record<string, string>> {
  const folder = join(app, "dist", "entries");
  await Deno.mkdir(folder, { recursive: true });
  const entries: Record<string, string> = { boot: join(PROJECT, "lib/fresh/boot.ts") };
  const write = async (name: string, lines: readonly string[]) => {
    entries[name] = join(folder, `${name}.ts`);
    await writeWhole(entries[name], lines.join(""));
  };
  const exported = (name: string) =>
    `export { default as ${name} } from ${JSON.stringify(`../../islands/${islands.get(name)}`)};\n`;
  if (shell.size > 0) await write(SHELL, [...shell].map(exported));
  const others = [...islands.keys()].filter((name) => !shell.has(name));
  const imported = shell.size > 0 ? [`import "./${SHELL}.ts";\n`] : [];
  await Promise.all(others.map((name) => write(name, [...imported, exported(name)])));
  return entries;
}

/** Whether something the islands may be made of changed since they were bundled. */
export async function areIslandsStale(app: string): Promise<boolean> {
  try {
    const written = join(app, "dist", "islands.json");
    const { build } = JSON.parse(await Deno.readTextFile(written)) as IslandIndex;
    await Deno.stat(join(app, "dist", "static", "_fresh", build));
    const sources = await Promise.all(
      [...["islands", "components", "lib"].map((name) => join(app, name)), join(PROJECT, "lib")].map(walk),
    );
    const paths = [
      ...sources.flat().map(({ path }) => path),
      join(PROJECT, "deno.json"),
      join(PROJECT, "deno.lock"),
      join(app, "routes/_app.tsx"),
    ];
    const newest = Math.max(...await Promise.all(paths.map(changed)));
    return newest > await changed(written);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return true;
    throw error;
  }
}

async function changed(path: string): Promise<number> {
  return (await Deno.stat(path)).mtime?.getTime() ?? 0;
}

/** Every chunk that a chunk imports statically, directly or not. @throws where the bundler wrote no such chunk */
function importsOf(name: string, chunks: Chunks, seen = new Set<string>()): Set<string> {
  const chunk = chunks.get(name);
  if (chunk === undefined) throw new Error(`the bundler wrote no ${name}`);
  for (const imported of chunk.imports) {
    if (seen.has(imported)) continue;
    seen.add(imported);
    importsOf(imported, chunks, seen);
  }
  return seen;
}

/** Renames a folder; when it is already there, with the same content by its name, that one stays. */
async function moveInto(from: string, to: string): Promise<void> {
  try {
    await Deno.chmod(from, 0o755);
    await Deno.rename(from, to);
  } catch (error) {
    const there = await Deno.stat(to).catch(() => null);
    if (there === null) throw error;
  }
}

/** Writes a file so that a reader sees the old one or the new one, never a part. */
async function writeWhole(path: string, text: string): Promise<void> {
  const temporary = `${path}.${Deno.pid}`;
  await Deno.writeTextFile(temporary, text);
  await Deno.rename(temporary, path);
}

if (import.meta.main) {
  // The server bundles with its own umask, and its demo, which gives up root, could not read these files.
  Deno.umask(0o022);
  const app = appFolder();
  if (Deno.args.includes("--if-stale") && !await areIslandsStale(app)) Deno.exit(0);
  const { islands, build } = await bundleIslands(app);
  console.log(`${Object.keys(islands).length} islands bundled as ${build}`);
}
