/**
 * Builds the product: `dist/bundle/` (server, workers, islands, static files) and `dist/kvm-manager`, one executable.
 * `dist/maps/` has the source maps of the server's bundles.
 *
 *     deno task build [--app=FOLDER] [--name=kvm-manager] [--no-compile]
 */
import { join, relative } from "node:path";
import { gzipSync } from "node:zlib";
import { messageOf } from "../lib/text/message.ts";
import { bundleAgents } from "./guest_agents.ts";
import { bundleIslands } from "./islands.ts";
import { isManifestFresh } from "./manifest.ts";
import { compile, selfExtracting } from "./pack.ts";
import { appFolder, copyFolder, folderHash, option, PROJECT, removePath, runQuietly } from "./project.ts";
import { checkTexts } from "./texts.ts";
import { catalogs } from "./texts/translations.ts";
import { bundleServer } from "./server.ts";
import { bundleStyles, withBuild } from "./styles.ts";

/** The module the program starts with: the command line, which loads the app when it is to be served; of an app alone, itself. */
async function entryOf(app: string): Promise<string> {
  const start = join(app, "cli/start.ts");
  return await Deno.stat(start).then(() => start, () => join(app, "main.ts"));
}

/** Makes `dist/bundle/` and returns its path. @throws {Error} naming the step that failed. */
async function makeBundle(app: string): Promise<string> {
  const dist = join(app, "dist"), bundle = join(dist, "bundle");
  await Deno.mkdir(dist, { recursive: true });
  const staging = await Deno.makeTempDir({ dir: dist, prefix: ".bundle-" });
  try {
    const { index } = await bundleIslands(app);
    await bundleServer(await entryOf(app), staging, join(dist, "maps"));
    const files = join(staging, "static");
    await copyFolder(join(app, "static"), files);
    const styled = await oneStylesheet(files);
    const islands = join("_fresh", index.build);
    await copyFolder(join(dist, "static", islands), join(files, islands));
    if (index.texts !== undefined) {
      await copyFolder(join(dist, index.texts.folder), join(staging, index.texts.folder));
    }
    await writeLocales(join(staging, "locales"));
    // Here, unlike in development, the build's id also stands for the files of static/
    const build = await folderHash(files);
    if (styled) await buildInStyles(files, build);
    await compressFiles(files);
    await copyFolder(join(app, "docs"), join(staging, "docs"));
    if (app === PROJECT && !await bundleAgents(staging)) console.warn(WITHOUT_GO);
    await Deno.writeTextFile(join(staging, "islands.json"), JSON.stringify({ ...index, build }));
    await Deno.chmod(staging, 0o755);
    await removePath(bundle);
    await Deno.rename(staging, bundle);
  } finally {
    await removePath(staging);
  }
  return bundle;
}

/** Writes a file a language, which the server reads when somebody reads it. */
async function writeLocales(folder: string): Promise<void> {
  await Deno.mkdir(folder);
  for (const [language, texts] of await catalogs()) {
    await Deno.writeTextFile(join(folder, `${language}.json`), JSON.stringify(texts));
  }
}

/** Said where the guest tools cannot be built. */
const WITHOUT_GO =
  "Go is not installed: the guest tools are left out. KVM Manager says so when they are asked for. " +
  "Debian: apt-get install golang-go";

/** Files that become much smaller; pictures and fonts are compressed already. */
const SHRINKS = /\.(?:js|css|svg|json)$/;

/** Puts `name.gz` next to every file that is worth it, so that the server need not compress it for each browser. */
async function compressFiles(folder: string): Promise<void> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = join(folder, name);
    if (isDirectory) await compressFiles(path);
    if (isDirectory || !SHRINKS.test(name)) continue;
    const whole = await Deno.readFile(path), small = gzipSync(whole, { level: 9 });
    if (small.length < whole.length) await Deno.writeFile(`${path}.gz`, small);
  }
}

const stylesheetOf = (files: string) => join(files, "styles", "main.css");

/** Puts the build's id into the addresses of fonts. */
async function buildInStyles(files: string, build: string): Promise<void> {
  const path = stylesheetOf(files);
  await Deno.writeTextFile(path, withBuild(await Deno.readTextFile(path), build));
}

/** In development a stylesheet's parts are fetched one by one; the product serves them as one. @returns whether there is one */
async function oneStylesheet(files: string): Promise<boolean> {
  const path = stylesheetOf(files);
  try {
    await Deno.writeTextFile(path, await bundleStyles(path));
    return true;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return false; // an app without styles (tests)
  }
}

/** Digest of the sources that `build_is_new` of `lib.sh` compares; null for another app than the project's own. */
async function sourcesDigest(app: string): Promise<string | null> {
  if (app !== PROJECT) return null;
  return await runQuietly("sh", ["-c", 'project=$1; . "$1/scripts/lib.sh"; sources_digest', "sh", PROJECT]);
}

async function build(app: string, name: string): Promise<void> {
  if (!await isManifestFresh(app)) throw new Error("fresh.gen.ts is stale. Run: deno task manifest");
  const missing = app === PROJECT ? await checkTexts() : [];
  if (missing.length > 0) throw new Error(`${missing.length} texts do not fit. Run: deno task texts check`);
  // Read before the sources are: an edit during the build makes the result stale
  const sources = await sourcesDigest(app);
  console.log("Bundling islands, server and workers…");
  const bundle = await makeBundle(app);
  const output = join(app, "dist", name);
  const why = Deno.args.includes("--no-compile") ? "asked not to compile" : await tryCompile(bundle, output);
  if (why === null) {
    console.log(`Compiled by deno compile.`);
  } else {
    console.log(
      `Not compiled (${why}): packing the Deno in use (${Deno.version.deno}) with the bundle instead…`,
    );
    await selfExtracting(bundle, output, name);
  }
  if (sources !== null) await Deno.writeTextFile(`${output}.sources`, sources);
  const { size } = await Deno.stat(output);
  console.log(`${relative(Deno.cwd(), output)}: ${(size / 1e6).toFixed(1)} MB`);
}

/** Why it could not be compiled; null when it was. */
async function tryCompile(bundle: string, output: string): Promise<string | null> {
  try {
    await compile(bundle, output);
    return null;
  } catch (error) {
    const [message = ""] = messageOf(error).split("Stack backtrace");
    const causes = [...message.matchAll(/^\s*\d+: (.+)$/gm)].map(([, cause]) => cause);
    return causes.length > 1 ? `deno compile: ${causes[0]} ${causes.at(-1)}` : message;
  }
}

if (import.meta.main) {
  try {
    await build(appFolder(), option("name") ?? "kvm-manager");
  } catch (error) {
    console.error(`The build failed: ${messageOf(error)}`);
    Deno.exit(1);
  }
}
