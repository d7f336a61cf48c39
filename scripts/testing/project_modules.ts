/** All modules of the project, read from its files. */
import { join, relative } from "node:path";
import { PROJECT, walk } from "../project.ts";
import { type Imports, importsOf, type Module, moduleOf } from "./modules.ts";

/** Folders with modules, and modules next to them. */
const FOLDERS = ["agent", "cli", "components", "ffi", "islands", "lib", "routes", "scripts", "tests"],
  FILES = ["main.ts", "fresh.gen.ts"];

/** Whether a module is a test, or only there for tests. */
export const isTest = (path: string): boolean => /(?:_test|(?:^|\/)testing)\.tsx?$/.test(path);

/** The modules of a project, by path below its folder. */
export interface ProjectModules {
  readonly folder: string;
  readonly texts: ReadonlyMap<string, string>;
  readonly modules: ReadonlyMap<string, Module>;
  readonly imports: Imports;
}

/** Reads them. @throws {Error} naming a module that is no TypeScript */
export async function projectModules(folder = PROJECT): Promise<ProjectModules> {
  const entries = (await Promise.all(FOLDERS.map((each) => walk(join(folder, each))))).flat();
  const found = entries.filter(({ path, isFile }) => isFile && /\.tsx?$/.test(path));
  const paths = [...found.map(({ path }) => relative(folder, path)), ...FILES];
  const texts = new Map(
    await Promise.all(
      paths.map(async (path) => [path, await Deno.readTextFile(join(folder, path))] as const),
    ),
  );
  const modules = new Map(
    await Promise.all([...texts].map(async ([path, text]) => [path, await moduleOf(path, text)] as const)),
  );
  const { imports: map } = JSON.parse(await Deno.readTextFile(join(folder, "deno.json"))) as {
    imports: Record<string, string>;
  };
  const aliases = Object.entries(map).filter(([, to]) => to.startsWith("./"));
  const into = new Map(aliases.map(([name, to]) => [name, to.slice(2)]));
  return { folder, texts, modules, imports: importsOf(modules, into) };
}
