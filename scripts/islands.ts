/**
 * Bundles the islands for the browser, by Rolldown, into `dist/static/_fresh/{build}/`, and writes `dist/islands.json`: which
 * file has which island, and what it imports. `chunks.ts` decides which modules make one file. The build's id is a hash of the bundles, so every file of it may be
 * cached for ever.
 *
 *     deno run -A scripts/islands.ts [--if-stale]
 */
import { createHash } from "node:crypto";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import type { IslandChunk, IslandIndex } from "../lib/fresh/server/assets.ts";
import type { TextTable, TextTables } from "../lib/fresh/server/island_texts.ts";
import { type InputOptions, type OutputAsset, type OutputChunk, type Plugin, rolldown } from "rolldown";
import {
  arrange,
  type BundledModule,
  type Load,
  type ModuleFiles,
  type PageLimits,
  reached,
} from "./chunks.ts";
import {
  APP_ROUTE,
  BOOT,
  type Entries,
  entriesFolder,
  islandsByPage,
  type IslandsOfPages,
  writeEntries,
} from "./island_entries.ts";
import { sentSizes } from "./island_sizes.ts";
import { SOURCE_LOCALE } from "../lib/i18n/languages.ts";
import { isOfTexts, longest, nameTexts, textLength, usedTexts, writeTexts } from "./island_texts.ts";
import { catalogs } from "./texts/translations.ts";
import { appFolder, folderHash, islandFiles, PROJECT, removePath, walk, writeWhole } from "./project.ts";

/**
 * Limits of a page: 6 files and 60 KB compressed, as docs/architecture.md promises. No feature raises these: code that
 * does not fit is loaded when it is needed, by `import()`.
 */
export const PAGE_LIMITS = { files: 6, bytes: 60_000, unused: 0.35 } as const satisfies PageLimits;

/** The same bytes in a language that the texts are translated into: a letter of Japanese or Chinese is three of them. */
export const TRANSLATED_BYTES = 60 * 1024;

/** How many bytes of a file one of a module becomes, minified and compressed. */
const COMPRESSED = 0.21;
/** The same of a module of values, which repeat themselves. */
const COMPRESSED_VALUES = 0.1;
/** The same of texts, which are in a language. */
const COMPRESSED_TEXTS = 0.17;
/**
 * Parts of the bytes in the longest language that are planned with, one after the other: how well a file compresses is known
 * only when it is there.
 */
const PLANNED = [0.976, 0.966, 0.955] as const;
/** How many of the best ways to put modules into files are tried with each. */
const TRIED = 4;

/** Folder of the files with names in the place of texts, below `dist/` and in the bundle. */
export const TEXTS = "texts";

/** Files of an app's islands that a page loads. */
export interface PageLoad {
  /** File of the page below `routes/`. */
  readonly route: string;
  /** Addresses of the files. */
  readonly files: readonly string[];
  /** Share of the code in them that the page does not use: 0 to 1. */
  readonly unused: number;
}

/** The islands of an app as they are bundled. */
export interface BundledIslands {
  readonly index: IslandIndex;
  readonly pages: readonly PageLoad[];
}

/** Whether no page loads too much in any language. */
async function isWithinLimits(
  app: string,
  { index, pages }: BundledIslands,
  translations: ReadonlyMap<string, TextTable>,
): Promise<boolean> {
  const addresses = new Set(pages.flatMap(({ files }) => files));
  for (const [language, catalog] of [[SOURCE_LOCALE, {}], ...translations] as const) {
    const sizes = await sentSizes(app, index, addresses, [language, catalog]);
    const isMore = ({ files, unused }: PageLoad) =>
      files.length > PAGE_LIMITS.files || unused > PAGE_LIMITS.unused ||
      bytesOf(files, sizes) > mostBytes(language);
    if (pages.some(isMore)) return false;
  }
  return true;
}

/** Bytes that a page may load in a language. */
export const mostBytes = (language: string): number =>
  language === SOURCE_LOCALE ? PAGE_LIMITS.bytes : TRANSLATED_BYTES;

/** Bytes of files together. */
export const bytesOf = (files: Iterable<string>, sizes: ReadonlyMap<string, number>): number =>
  [...files].reduce((sum, file) => sum + sizes.get(file)!, 0);

/** Input of the bundler: modules, and the islands of each page. */
interface Source {
  readonly islands: ReadonlyMap<string, string>;
  readonly pages: IslandsOfPages;
  readonly shell: ReadonlySet<string>;
  readonly entries: Entries;
  readonly translations: ReadonlyMap<string, TextTable>;
}

/** Bundles the islands of an app. @returns the first bundle that fits what pages may load; else the last that was tried */
export async function bundleIslands(app: string): Promise<BundledIslands> {
  const islands = await islandFiles(app), pages = await islandsByPage(app, islands);
  const shell = pages.get(APP_ROUTE) ?? new Set();
  const source: Source = {
    islands,
    pages,
    shell,
    translations: await catalogs(),
    entries: await writeEntries(app, islands, shell),
  };
  let bundled: BundledIslands | undefined;
  for await (const { files, modules } of arrangements(source)) {
    bundled = await write(app, source, { files, modules });
    if (await isWithinLimits(app, bundled, source.translations)) break;
  }
  return bundled!;
}

/** An arrangement of modules in files. */
interface Arrangement {
  readonly files: ModuleFiles;
  readonly modules: Modules;
}

/** Arrangements to try, the most promising first. */
async function* arrangements({ entries, pages, translations }: Source): AsyncGenerator<Arrangement> {
  const { modules, parts } = await modulesOf(await optionsOf(entries), translations);
  const loads = [...pageLoads(entries, pages), ...partLoads(entries, parts)];
  for (const planned of PLANNED) {
    const all = arrange(modules, loads, { ...PAGE_LIMITS, bytes: TRANSLATED_BYTES * planned });
    for (const files of all.slice(0, TRIED)) yield { files, modules };
  }
}

/** Bundles modules in the files that were chosen for them, and puts the bundle into its place. */
async function write(
  app: string,
  { islands, pages, shell, entries, translations }: Source,
  arrangement: Arrangement,
): Promise<BundledIslands> {
  const { modules } = arrangement, dist = join(app, "dist");
  await Deno.mkdir(join(dist, "static", "_fresh"), { recursive: true });
  // Next to its final place, so that one rename puts it there, whoever else builds or serves meanwhile
  const staging = await Deno.makeTempDir({ dir: dist, prefix: ".islands-" });
  try {
    const { chunks, tables } = await bundle(entries, arrangement.files, staging);
    const kept = join(staging, TEXTS);
    const files = await writeTexts(staging, kept, tables);
    // Browsers keep files of a build for ever, those with translations, too
    const build = digestOf([await folderHash(staging), JSON.stringify([...translations].sort())]);
    await removePath(join(dist, TEXTS, build));
    await Deno.mkdir(join(dist, TEXTS), { recursive: true });
    await moveInto(kept, join(dist, TEXTS, build));
    const address = (path: string) => `/_fresh/${build}/${path}`;
    const chunkOf = (name: string): IslandChunk => {
      const path = homeOf(join(entriesFolder(app), `${name}.ts`), chunks);
      return { entry: address(path), imports: [...importsOf(path, chunks)].map(address) };
    };
    const pageLoad = ([route, names]: readonly [string, ReadonlySet<string>]): PageLoad => {
      const roots = [...new Set([BOOT, ...names])].flatMap((name) => entries[name] ?? []);
      const files = filesOf(roots, chunks);
      return {
        route,
        files: [...files].map(address),
        unused: unusedShare(files, reached(modules, roots), { chunks, tables }),
      };
    };
    const index: IslandIndex = {
      build,
      boot: chunkOf(BOOT).entry,
      islands: Object.fromEntries(
        [...islands.keys()].map((name) => [name, chunkOf(shell.has(name) ? BOOT : name)]),
      ),
      ...(files.length > 0 && { texts: { folder: `./${TEXTS}/${build}`, files } }),
    };
    await moveInto(staging, join(dist, "static", "_fresh", build));
    await writeWhole(join(dist, "islands.json"), JSON.stringify(index, null, 2));
    return { index, pages: [...pages].map(pageLoad) };
  } finally {
    await removePath(staging); // not there any more, when it became the build
  }
}

/** The bundler's chunks by their files' names. */
type Chunks = ReadonlyMap<string, OutputChunk>;
/** Modules of the bundle by their ids. */
type Modules = ReadonlyMap<string, BundledModule>;
/**
 * Modules of values that are made of more than a page may load, such as the contract: they are run here, and pages get the
 * values alone.
 */
const isOfValues = (id: string) => id.endsWith(".const.ts");
const constants: Plugin = {
  name: "constants",
  async load(id) {
    if (!isOfValues(id)) return null;
    const values = await import(pathToFileURL(id).href) as Readonly<Record<string, unknown>>;
    const lines = Object.entries(values).map(([name, value]) =>
      `export const ${name} = ${JSON.stringify(value)};`
    );
    return { code: lines.join("\n"), moduleType: "js" };
  },
};

/** How the islands are bundled. */
async function optionsOf(entries: Entries): Promise<InputOptions> {
  return {
    input: { ...entries },
    cwd: PROJECT,
    platform: "browser",
    resolve: { alias: await aliases() },
    transform: { jsx: { runtime: "automatic", importSource: "preact" } },
    tsconfig: false,
    preserveEntrySignatures: false, // an entry registers its islands, and exports nothing
  };
}

/** Bundles modules, each in the file that was chosen for it. */
async function bundle(
  entries: Entries,
  files: ModuleFiles,
  folder: string,
): Promise<{ chunks: Chunks; tables: TextTables }> {
  const tables: Record<string, TextTable> = {};
  const nameOf = new Map(files.flatMap((ids, i) => ids.map((id) => [id, `file-${i}`])));
  const plugins = [constants, nameTexts(tables)];
  await using built = await rolldown({ ...await optionsOf(entries), plugins });
  const { output } = await built.write({
    dir: folder,
    minify: true,
    entryFileNames: "[name].js",
    chunkFileNames: "chunk-[hash].js",
    codeSplitting: {
      includeDependenciesRecursively: false, // each has its own place
      groups: [{ name: (id) => nameOf.get(id) ?? null, debugName: "arranged" }],
    },
    plugins: [withoutFacades(entries)],
  });
  const chunks = new Map(
    output.filter((file) => file.type === "chunk").map((chunk) => [chunk.fileName, chunk]),
  );
  return { chunks, tables: usedTexts(tables, codeOf(output)) };
}

/** Leaves out the files of entries whose module is in another file: nothing loads them. */
function withoutFacades(entries: Entries): Plugin {
  const ours = new Set(Object.values(entries));
  return {
    name: "without-facades",
    generateBundle(_options, output) {
      for (const [name, file] of Object.entries(output)) {
        if (file.type !== "chunk" || file.facadeModuleId === null || !ours.has(file.facadeModuleId)) continue;
        if (file.moduleIds.length === 0) delete output[name];
      }
    },
  };
}

/** The modules of a bundle, and those of them that are imported by `import()`. */
async function modulesOf(
  options: InputOptions,
  translations: ReadonlyMap<string, TextTable>,
): Promise<{ modules: Modules; parts: ReadonlySet<string> }> {
  const modules = new Map<string, BundledModule>(), parts = new Set<string>();
  const tables: Record<string, TextTable> = {};
  const look: Plugin = {
    name: "look",
    generateBundle(_options, output) {
      const bytes = new Map(
        Object.values(output).filter((file) => file.type === "chunk").flatMap((chunk) =>
          Object.entries(chunk.modules).map(([id, { renderedLength }]) => [
            id,
            renderedLength * (isOfValues(id) ? COMPRESSED_VALUES : COMPRESSED),
          ])
        ),
      );
      const used = usedTexts(tables, codeOf(Object.values(output)));
      for (const id of [...bytes.keys()].filter(isOfTexts)) {
        bytes.set(id, longest(basename(id, ".ts"), used, translations) * COMPRESSED_TEXTS);
      }
      for (const id of this.getModuleIds()) {
        const { importedIds, dynamicallyImportedIds } = this.getModuleInfo(id)!;
        modules.set(id, { imports: importedIds, bytes: bytes.get(id) ?? 0 });
        for (const part of dynamicallyImportedIds) parts.add(part);
      }
    },
  };
  await using built = await rolldown({ ...options, plugins: [constants, nameTexts(tables), look] });
  await built.generate();
  return { modules, parts };
}

/** Loads of the pages; pages with the same islands are one. */
function pageLoads(entries: Entries, pages: IslandsOfPages): Load[] {
  const boot = entries[BOOT]!;
  const others = (islands: Iterable<string>) => [...islands].flatMap((name) => entries[name] ?? []).sort();
  const everywhere = new Set([...pages.values()].flatMap((islands) => [...islands]));
  const sets = [
    ...[...pages.values()].map(others),
    ...Object.keys(entries).filter((name) => name !== BOOT && !everywhere.has(name)).map((name) =>
      others([name])
    ),
  ];
  return [...Map.groupBy(sets, (set) => set.join()).values()].map((same) => ({
    roots: [boot, ...same[0]!],
    times: same.length,
    isPage: true,
  }));
}

/** Loads of parts that come later, on pages that have the islands of every page. */
function partLoads(entries: Entries, parts: ReadonlySet<string>): Load[] {
  return [...parts].map((part) => ({ roots: [entries[BOOT]!, part], times: 1, isPage: false }));
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

/** The file that a module is in. @throws where it is in none */
function homeOf(module: string, chunks: Chunks): string {
  const home = [...chunks.values()].find(({ moduleIds }) => moduleIds.includes(module));
  if (home === undefined) throw new Error(`the bundler put ${module} into no file`);
  return home.fileName;
}

/** The files that modules are in, with all that these import. @throws where one is in none */
const filesOf = (modules: readonly string[], chunks: Chunks): Set<string> =>
  new Set(
    modules.map((module) => homeOf(module, chunks)).flatMap((file) => [file, ...importsOf(file, chunks)]),
  );

/** Share of the code in files that is of other modules than those used: 0 to 1. */
function unusedShare(
  files: ReadonlySet<string>,
  used: ReadonlySet<string>,
  { chunks, tables }: { readonly chunks: Chunks; readonly tables: TextTables },
): number {
  let all = 0, unused = 0;
  for (const file of files) {
    for (const [id, { renderedLength }] of Object.entries(chunks.get(file)!.modules)) {
      const length = renderedLength + textLength(id, tables);
      all += length;
      if (!used.has(id)) unused += length;
    }
  }
  return unused / all;
}

/** Whether something the islands may be made of changed since they were bundled. */
export async function areIslandsStale(app: string): Promise<boolean> {
  try {
    const written = join(app, "dist", "islands.json");
    const { build } = JSON.parse(await Deno.readTextFile(written)) as IslandIndex;
    await Deno.stat(join(app, "dist", "static", "_fresh", build));
    await Deno.stat(join(app, "dist", TEXTS, build));
    const sources = await Promise.all(
      [...["islands", "components", "lib"].map((name) => join(app, name)), join(PROJECT, "lib")].map(walk),
    );
    const paths = [
      ...sources.flat().map(({ path }) => path),
      join(PROJECT, "deno.json"),
      join(PROJECT, "deno.lock"),
      join(app, "fresh.gen.ts"),
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

/** The code of all files. */
const codeOf = (output: readonly (OutputChunk | OutputAsset)[]): string =>
  output.map((file) => file.type === "chunk" ? file.code : "").join("\n");

const digestOf = (parts: readonly string[]): string =>
  createHash("sha256").update(parts.join("\0")).digest("hex").slice(0, 16);

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

if (import.meta.main) {
  // The server bundles with its own umask, and its demo, which gives up root, could not read these files.
  Deno.umask(0o022);
  const app = appFolder();
  if (Deno.args.includes("--if-stale") && !await areIslandsStale(app)) Deno.exit(0);
  const { index: { islands, build } } = await bundleIslands(app);
  console.log(`${Object.keys(islands).length} islands bundled as ${build}`);
}
