/** Debian packages that the test bed needs: installed when missing, if that is possible here. */
import { exists, ProcessError, run } from "./process.ts";
import { Unavailable } from "./unavailable.ts";

const APT = { DEBIAN_FRONTEND: "noninteractive" };

/**
 * Makes sure that packages are installed.
 *
 * @param names the packages, none of their recommendations are taken along
 * @throws {Unavailable} when they are missing and this is not root on Debian with working sources
 */
export async function ensurePackages(...names: string[]): Promise<void> {
  const missing: string[] = [];
  for (const name of names) if (!await isInstalled(name)) missing.push(name);
  if (missing.length === 0) return;
  if (Deno.uid() !== 0) {
    throw new Unavailable(`not installed (and not root to install it): ${missing.join(", ")}`);
  }
  // Test files run in parallel: one waits for the other.
  await apt([
    "apt-get",
    "-o",
    "DPkg::Lock::Timeout=300",
    "install",
    "--yes",
    "--no-install-recommends",
    ...missing,
  ]);
}

/** Downloads the file of one package into a folder without installing it, and returns its path. */
export async function downloadPackage(name: string, folder: string): Promise<string> {
  await apt(["apt-get", "download", name], folder);
  for await (const entry of Deno.readDir(folder)) {
    if (entry.name.startsWith(`${name}_`) && entry.name.endsWith(".deb")) return `${folder}/${entry.name}`;
  }
  throw new Unavailable(`apt-get download ${name} left no package behind`);
}

/** Downloads packages and all they need that is not installed here, without installing any, and returns their paths. */
export async function downloadWithDependencies(names: readonly string[], folder: string): Promise<string[]> {
  await Deno.mkdir(`${folder}/partial`, { recursive: true }); // apt wants one
  await apt([
    ...["apt-get", "-o", "DPkg::Lock::Timeout=300", "-o", `Dir::Cache::Archives=${folder}`],
    ...["install", "--yes", "--download-only", "--no-install-recommends", ...names],
  ]);
  const found: string[] = [];
  for await (const { name } of Deno.readDir(folder)) {
    if (name.endsWith(".deb")) found.push(`${folder}/${name}`);
  }
  return found;
}

/** The packages that one depends on directly, as the archive has it now. */
export async function dependencies(name: string): Promise<string[]> {
  const text = await apt(["apt-cache", "depends", "--important", name]);
  return [...text.matchAll(/^\s+Depends: (\S+)$/gm)].map((match) => match[1]!);
}

async function isInstalled(name: string): Promise<boolean> {
  try {
    return (await run(["dpkg-query", "--show", "--showformat=${db:Status-Status}", name])) === "installed";
  } catch (error) {
    if (error instanceof ProcessError) return false; // dpkg has never heard of it
    if (error instanceof Deno.errors.NotFound) {
      throw new Unavailable("this is not a Debian machine: no dpkg-query");
    }
    throw error;
  }
}

/** Runs an apt command; the package lists are fetched and the command tried again when it fails at first. */
async function apt(argv: readonly string[], cwd?: string): Promise<string> {
  const options = { env: APT, ...(cwd === undefined ? {} : { cwd }) };
  try {
    return await run(argv, options);
  } catch (first) {
    if (first instanceof Deno.errors.NotFound) {
      throw new Unavailable(`this is not a Debian machine: no ${argv[0]}`);
    }
    if (!(first instanceof ProcessError)) throw first;
    if (Deno.uid() === 0 && await exists("/etc/apt")) {
      try {
        await run(["apt-get", "update"], options);
        return await run(argv, options);
      } catch (second) {
        if (!(second instanceof ProcessError)) throw second;
        throw new Unavailable(second.message, { cause: first });
      }
    }
    throw new Unavailable(first.message, { cause: first });
  }
}
