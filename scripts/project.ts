/** Where things are: the project these scripts belong to, and the app they are run on (a test may bring its own). */
import { fileURLToPath } from "node:url";
import { join, relative } from "node:path";

/** Folder of the project, which has `deno.json` and `lib/fresh/`. */
export const PROJECT: string = fileURLToPath(new URL("..", import.meta.url)).replace(/\/$/, "");

/** As Fresh: tests beside the sources are no part of the app. */
const IS_TEST = /[._]test\.[jt]sx?$/;
const IS_SOURCE = /\.[jt]sx?$/;

/** One file or folder below another. */
export interface Entry {
  readonly path: string;
  readonly isFile: boolean;
}

/** Everything below `folder`, sorted; nothing when there is no such folder. */
export async function walk(folder: string): Promise<Entry[]> {
  const found: Entry[] = [];
  try {
    for await (const { name, isDirectory } of Deno.readDir(folder)) {
      const path = join(folder, name);
      found.push({ path, isFile: !isDirectory });
      if (isDirectory) found.push(...await walk(path));
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return found.sort((a, b) => a.path < b.path ? -1 : 1);
}

async function sources(folder: string): Promise<string[]> {
  const entries = await walk(folder);
  return entries.filter(({ path, isFile }) => isFile && IS_SOURCE.test(path) && !IS_TEST.test(path))
    .map(({ path }) => relative(folder, path));
}

/** Files of `routes/`, relative to it; what is in a folder `(_name)` is no route. */
export async function routeFiles(app: string): Promise<string[]> {
  return (await sources(join(app, "routes"))).filter((path) => !path.includes("(_"));
}

/**
 * Islands by name: the file's own.
 *
 * @throws {Error} for a file that cannot be an island, or two of one name.
 */
export async function islandFiles(app: string): Promise<ReadonlyMap<string, string>> {
  const islands = new Map<string, string>();
  for (const path of await sources(join(app, "islands"))) {
    const [, name] = /(?:^|\/)([A-Z]\w*)\.tsx$/.exec(path) ?? [];
    if (name === undefined) {
      throw new Error(
        `islands/${path}: an island is one PascalCase.tsx file. Helpers live in components/ or lib/.`,
      );
    }
    if (islands.has(name)) throw new Error(`islands/${path}: there is another island called ${name}`);
    islands.set(name, path);
  }
  return islands;
}

/** The value of `--name=value` among the arguments. */
export function option(name: string): string | undefined {
  const prefix = `--${name}=`;
  return Deno.args.find((argument) => argument.startsWith(prefix))?.slice(prefix.length);
}

/** Folder of the app to work on: `--app=…`, else the project. */
export function appFolder(): string {
  return option("app") ?? PROJECT;
}

/** Runs Deno; what it writes is shown only when it fails. @throws {Error} with what it wrote. */
export async function deno(...args: string[]): Promise<void> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd: PROJECT,
    env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
  }).output();
  if (success) return;
  const said = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  throw new Error(`deno ${args[0]} failed:\n${said.trim()}`);
}
