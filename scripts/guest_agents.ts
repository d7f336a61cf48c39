/**
 * Builds the guest agent (guest/, Go) for all systems it is for. The same sources and the same Go give the same files;
 * what was built once is kept in the user's cache, so that nothing is built again while the sources stay.
 *
 *     deno run -A scripts/guest_agents.ts FOLDER
 */
import { createHash } from "node:crypto";
import { join, relative } from "node:path";
import { gzipSync } from "node:zlib";
import { agentFile, bundledAgent, GUEST_TARGETS, type GuestTarget } from "../lib/guest/tools/targets.ts";
import { VERSION } from "../lib/version.ts";
import { PROJECT, removePath, runQuietly, walk } from "./project.ts";

const SOURCES = join(PROJECT, "guest");
/** Milliseconds after which a build that is still running is given up; a cold one takes about 15 s of CPU time. */
const TOO_SLOW_MS = 600_000;

/** Go's version as it says it; null where Go is not installed. */
export async function goVersion(): Promise<string | null> {
  try {
    return (await runQuietly("go", ["version"])).trim();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/** Digest of an agent's recipe: its sources, the compiler, and the compiler's arguments. */
async function recipeOf(target: GuestTarget, go: string, args: readonly string[]): Promise<string> {
  const hash = createHash("sha256").update(JSON.stringify([target, go, args]));
  for (const { path, isFile } of await walk(SOURCES)) {
    if (!isFile || !/(?:\.go|go\.mod)$/.test(path) || path.endsWith("_test.go")) continue;
    hash.update(`${relative(SOURCES, path)}\0`).update(await Deno.readFile(path)).update("\0");
  }
  return hash.digest("hex").slice(0, 24);
}

function cacheFolder(): string {
  const { XDG_CACHE_HOME, HOME } = Deno.env.toObject();
  return join(XDG_CACHE_HOME || join(HOME || "/tmp", ".cache"), "kvm-manager-build");
}

/** How Go is called: never anything from the network. Without a home it has no place for its own cache, and refuses. */
export function goSettings(): Record<string, string> {
  const { GOCACHE, XDG_CACHE_HOME, HOME } = Deno.env.toObject();
  return {
    CGO_ENABLED: "0",
    GOFLAGS: "",
    GOTOOLCHAIN: "local",
    GOPROXY: "off",
    ...(!GOCACHE && !XDG_CACHE_HOME && !HOME && { GOCACHE: join(cacheFolder(), "go") }),
  };
}

/**
 * Builds one agent, unless it is in the cache.
 *
 * @returns Path of the program: it belongs to the cache, and may not be changed.
 * @throws {Error} with what Go says, when it cannot be built
 */
export async function buildAgent(target: GuestTarget, go: string): Promise<string> {
  const args = [
    "build",
    "-trimpath",
    "-buildvcs=false",
    "-ldflags",
    `-s -w -buildid= -X main.version=${VERSION}`,
  ];
  const folder = join(cacheFolder(), await recipeOf(target, go, args));
  const file = join(folder, agentFile(target));
  if (await Deno.stat(file).then(() => true, () => false)) return file;
  await Deno.mkdir(folder, { recursive: true });
  // Next to its place, and moved there in one step: another build may be under way
  const staging = `${file}.${crypto.randomUUID()}.new`;
  try {
    const settings = [
      "CGO_ENABLED=0",
      `GOOS=${target.os}`,
      `GOARCH=${target.arch}`,
      "GOFLAGS=",
      "GOTOOLCHAIN=local",
    ];
    await runQuietly(
      "env",
      ["-C", SOURCES, ...settings, "go", ...args, "-o", staging, "."],
      AbortSignal.timeout(TOO_SLOW_MS),
    );
    await Deno.rename(staging, file);
  } finally {
    await removePath(staging);
  }
  return file;
}

/**
 * Puts the agents, compressed, into a bundle.
 *
 * @returns whether they are there: not where Go is not installed
 * @throws {Error} with what Go says, when they cannot be built
 */
export async function bundleAgents(bundle: string): Promise<boolean> {
  const go = await goVersion();
  if (go === null) return false;
  await Deno.mkdir(join(bundle, "guest"), { recursive: true });
  for (const target of GUEST_TARGETS) {
    const program = await Deno.readFile(await buildAgent(target, go));
    await Deno.writeFile(join(bundle, bundledAgent(target)), gzipSync(program, { level: 9 }));
  }
  return true;
}

if (import.meta.main) {
  const [folder] = Deno.args;
  const go = await goVersion();
  if (folder === undefined || go === null) {
    console.error(folder === undefined ? "Usage: guest_agents.ts FOLDER" : "Go is not installed");
    Deno.exit(1);
  }
  await Deno.mkdir(folder, { recursive: true });
  for (const target of GUEST_TARGETS) {
    await Deno.copyFile(await buildAgent(target, go), join(folder, agentFile(target)));
  }
}
