/** Paths of the project that these scripts belong to, and of the app that they run on (a test may bring its own). */
import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import { basename, dirname, join, relative, resolve } from "node:path";

/** Folder of the project, which has `deno.json` and `lib/fresh/`. */
export const PROJECT: string = fileURLToPath(new URL("..", import.meta.url)).replace(/\/$/, "");

/** As Fresh: tests next to the sources are no part of the app. */
const IS_TEST = /[._]test\.[jt]sx?$/;
const IS_SOURCE = /\.[jt]sx?$/;

/** One file or folder below another. */
export interface FileEntry {
  readonly path: string;
  readonly isFile: boolean;
}

/** Everything below `folder`, sorted; nothing when there is no such folder. */
export async function walk(folder: string): Promise<FileEntry[]> {
  const found: FileEntry[] = [];
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

/** Paths of the sources below a folder that the program is made of: no tests, and nothing that only tests use. */
export async function programSources(folder: string): Promise<string[]> {
  return (await sources(folder)).filter((path) => !/(?:_test|(?:^|\/)testing)\.tsx?$/.test(path))
    .map((path) => join(folder, path));
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

/** A hash of all files below `folder`, their names included: 16 hex digits. */
export async function folderHash(folder: string): Promise<string> {
  const hash = createHash("sha256");
  for (const { path, isFile } of await walk(folder)) {
    if (isFile) hash.update(`${relative(folder, path)}\0`).update(await Deno.readFile(path)).update("\0");
  }
  return hash.digest("hex").slice(0, 16);
}

/** Copies all files below `from`; nothing when there is no such folder. */
export async function copyFolder(from: string, to: string): Promise<void> {
  for (const { path, isFile } of await walk(from)) {
    if (!isFile) continue;
    const copy = join(to, relative(from, path));
    await Deno.mkdir(dirname(copy), { recursive: true });
    await Deno.copyFile(path, copy);
  }
}

/** Removes a file or folder, if it is there. */
export async function removePath(path: string): Promise<void> {
  try {
    await Deno.remove(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** The text of a file; undefined where there is none. */
export async function textIfThere(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** The value of `--name=value` among the arguments. */
export function option(name: string): string | undefined {
  const prefix = `--${name}=`;
  return Deno.args.find((argument) => argument.startsWith(prefix))?.slice(prefix.length);
}

/** Folder of the app to work on: `--app=…`, else the project. */
export function appFolder(): string {
  return resolve(option("app") ?? PROJECT);
}

/**
 * Runs a program; what it writes is shown only when it fails.
 *
 * @returns What it wrote to its standard output.
 * @throws {Error} with all that it wrote, when it fails or is aborted.
 */
export async function runQuietly(program: string, args: string[], signal?: AbortSignal): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, {
    args,
    cwd: PROJECT,
    env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
    ...(signal && { signal }),
  }).output();
  const said = new TextDecoder().decode(stdout);
  if (success) return said;
  const complaint = (new TextDecoder().decode(stderr) + said).trim();
  throw new Error(
    `${basename(program)} ${args[0]} failed${signal?.aborted ? " (too slow)" : ""}: ${complaint}`,
  );
}

/** Runs the Deno that runs this. @throws {Error} as `run` does. */
export function deno(...args: string[]): Promise<string> {
  return runQuietly(Deno.execPath(), args);
}

/** Writes a file so that a reader sees the old one or the new one, never a part. */
export async function writeWhole(path: string, text: string): Promise<void> {
  const temporary = `${path}.${Deno.pid}`;
  await Deno.writeTextFile(temporary, text);
  await Deno.rename(temporary, path);
}
