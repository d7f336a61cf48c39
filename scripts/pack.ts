/** Makes one executable of a bundle: with `deno compile`, or as a file that unpacks itself. */
import { join } from "node:path";
import {
  ALL_FLAGS,
  CLIENT_FLAGS,
  PROGRAM_FLAGS,
  PROGRAM_RIGHTS,
  VERBS_WITH_ALL_RIGHTS,
} from "./permissions.ts";
import { folderHash, PROJECT, removePath, runQuietly } from "./project.ts";

/**
 * A small young generation: the server mostly waits. Without --optimize-for-size: it saved nothing that could be measured
 * (bench `memory`), and made an upload with TLS take twice the CPU time. No code is made of texts (`eval`,
 * `new Function`): a text that gets where it should not stays a text. typebox checks without it, interpreting.
 */
export const V8_FLAGS = "--v8-flags=--max-semi-space-size=1,--disallow-code-generation-from-strings";
/** How the packed runtime is started: with no configuration, and never fetching anything. */
const RUN_FLAGS = [
  ...["--no-remote", "--cached-only", "--no-npm", "--no-config", "--no-lock"],
  V8_FLAGS,
];
/** A download that has not come by then will not come. */
const COMPILE_TIMEOUT_MS = 120_000;

/** Tries `deno compile`. @throws {Error} where its base runtime cannot be had, or what it made does not start. */
export async function compile(bundle: string, output: string): Promise<void> {
  const others = (await Array.fromAsync(Deno.readDir(bundle))).filter(({ name }) => name !== "main.js");
  const include = others.map(({ name }) => `--include=${join(bundle, name)}`);
  const staging = `${output}.new`;
  await removePath(staging); // deno compile replaces only what it made itself
  const flags = ["--quiet", "--allow-all", "--no-check", "--no-remote", "--no-config", "--no-lock", V8_FLAGS];
  await runQuietly(
    Deno.execPath(),
    ["compile", ...flags, ...include, "--output", staging, join(bundle, "main.js")],
    AbortSignal.timeout(COMPILE_TIMEOUT_MS),
  );
  await tryOut(staging);
  await Deno.rename(staging, output);
}

/** Verbs as a pattern of `case`. */
const patterns = (verbs: Readonly<Record<string, string>>) =>
  Object.keys(verbs).map((words) => words.includes(" ") ? `"${words}"` : words).join(" | ");

/** Packs the bundle and a Deno runtime, the one that runs this, into one self-extracting executable. */
export async function selfExtracting(
  bundle: string,
  output: string,
  name: string,
  runtime: string = Deno.execPath(),
): Promise<void> {
  await Deno.copyFile(runtime, join(bundle, "deno"));
  await Deno.chmod(join(bundle, "deno"), 0o755);
  const payload = `${output}.tar.gz`, staging = `${output}.new`;
  try {
    const names = (await Array.fromAsync(Deno.readDir(bundle))).map((entry) => entry.name).sort();
    // Nothing of this machine or this moment goes in: the same sources give the same file
    await runQuietly("tar", [
      ...["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner", "--mode=go-w"],
      ...["--use-compress-program=gzip -9n", "-cf", payload, "-C", bundle, ...names],
    ]);
    const template = await Deno.readTextFile(join(PROJECT, "scripts/self_extract.sh"));
    const head = template
      .replaceAll("@NAME@", name)
      .replaceAll("@ID@", await folderHash(bundle))
      .replaceAll("@FLAGS@", RUN_FLAGS.join(" "))
      .replaceAll("@ALL_VERBS@", patterns(VERBS_WITH_ALL_RIGHTS))
      .replaceAll("@PROGRAM_VERBS@", patterns(PROGRAM_RIGHTS))
      .replaceAll("@PROGRAM_RIGHTS@", PROGRAM_FLAGS.join(" "))
      .replaceAll("@ALL_RIGHTS@", ALL_FLAGS.join(" "))
      .replaceAll("@CLIENT_RIGHTS@", CLIENT_FLAGS.join(" "))
      .replaceAll("@LINE@", String(template.split("\n").length));
    await Deno.writeTextFile(staging, head, { mode: 0o755 });
    await Deno.writeFile(staging, (await Deno.open(payload)).readable, { append: true });
    await Deno.chmod(staging, 0o755);
    await Deno.rename(staging, output); // a running binary keeps its own file
  } finally {
    await Promise.all([payload, staging, join(bundle, "deno")].map(removePath));
  }
  await tryOut(output);
}

/** Starts the executable as on a machine that has nothing: no environment, an empty cache. */
async function tryOut(executable: string): Promise<void> {
  const cache = await Deno.makeTempDir({ prefix: "kvmm-build-" });
  try {
    await runQuietly("env", ["-i", `KVMM_CACHE_DIR=${cache}`, executable, "--version"]);
  } finally {
    await Deno.remove(cache, { recursive: true });
  }
}
