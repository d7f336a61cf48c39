/**
 * Islands of each page, and the modules that are bundled for them: one for those of every page, one for each other
 * island.
 */
import { join, relative } from "node:path";
import { deno, PROJECT, routeFiles, writeWhole } from "./project.ts";

/** Entries' modules by their names. */
export type Entries = Readonly<Record<string, string>>;
/** Names of the islands of each page. */
export type IslandsOfPages = ReadonlyMap<string, ReadonlySet<string>>;

/** Name of the module that starts the islands and has those of every page. */
export const BOOT = "boot";
/** Route of the frame around every page. */
export const APP_ROUTE = "_app.tsx";

/** A module as `deno info` describes it. */
interface GraphModule {
  readonly specifier: string;
  readonly local?: string;
  readonly dependencies?: readonly {
    readonly code?: { readonly specifier?: string };
    readonly isDynamic?: boolean;
  }[];
}

/** Names of the islands that each file of `routes/` reaches, by its path; of a page those of what is around it, too. */
export async function islandsByPage(
  app: string,
  islands: ReadonlyMap<string, string>,
): Promise<IslandsOfPages> {
  const { modules } = JSON.parse(
    await deno("info", "--json", "--config", join(PROJECT, "deno.json"), join(app, "fresh.gen.ts")),
  ) as { modules: GraphModule[] };
  const places = new Map(modules.map(({ specifier, local }) => [specifier, local]));
  const imports = new Map(modules.map(({ local, dependencies = [] }) => [
    local,
    dependencies.flatMap(({ code, isDynamic }) => isDynamic ? [] : places.get(code?.specifier ?? "") ?? []),
  ]));
  const islandsFrom = (route: string) => {
    const found = new Set([join(app, "routes", route)]);
    for (const each of found) { // grows while it is gone through
      for (const imported of imports.get(each) ?? []) found.add(imported);
    }
    return new Set(
      [...islands].filter(([, path]) => found.has(join(app, "islands", path))).map(([name]) => name),
    );
  };
  const shell = islandsFrom(APP_ROUTE);
  const pages = (await routeFiles(app)).filter((path) => path.endsWith(".tsx"));
  return new Map(pages.map((path) => [path, path === APP_ROUTE ? shell : shell.union(islandsFrom(path))]));
}

/** Folder of the modules that are bundled. */
export const entriesFolder = (app: string) => join(app, "dist", "entries");

/**
 * Writes the modules that are bundled, and tells their paths by name: one that starts the islands and registers the shell's,
 * which every page has because `routes/_app.tsx` does, and one that registers each other island.
 */
export async function writeEntries(
  app: string,
  islands: ReadonlyMap<string, string>,
  shell: ReadonlySet<string>,
): Promise<Entries> {
  const folder = entriesFolder(app);
  await Deno.mkdir(folder, { recursive: true });
  const from = (path: string) => JSON.stringify(relative(folder, path));
  const write = async (name: string, start: readonly string[], registered: readonly string[]) => {
    const lines = [
      ...start,
      `import { registerIsland } from ${from(join(PROJECT, "lib/fresh/registered.ts"))};`,
      ...registered.map((each) => `import ${each} from ${from(join(app, "islands", islands.get(each)!))};`),
      ...registered.map((each) => `registerIsland(${JSON.stringify(each)}, ${each});`),
    ];
    const path = join(folder, `${name}.ts`);
    await writeWhole(path, lines.map((line) => `${line}\n`).join(""));
    return [name, path] as const;
  };
  const others = [...islands.keys()].filter((name) => !shell.has(name));
  return Object.fromEntries(
    await Promise.all([
      write(BOOT, [`import ${from(join(PROJECT, "lib/fresh/boot.ts"))};`], [...shell]),
      ...others.map((name) => write(name, [], [name])),
    ]),
  );
}
