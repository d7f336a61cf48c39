/** The product as one file, built when its sources changed. */
import { fileURLToPath } from "node:url";
import { onceInRun } from "./once_in_run.ts";
import { run } from "./process.ts";
import { spend } from "./times.ts";

/** Folder of the project. */
export const PROJECT = fileURLToPath(new URL("../../", import.meta.url)).replace(/\/$/, "");
/** The one file. */
export const BINARY = `${PROJECT}/dist/kvm-manager`;

let building: Promise<string> | undefined;

/**
 * The path of the one file, built first where it was made of other sources: the one rule for that is `build_is_new` of
 * scripts/lib.sh. Sources are compared once in a run of several files, else once in a test file.
 *
 * @throws {ProcessError} when the build fails, with what it said
 */
export function buildBinary(): Promise<string> {
  return building ??= onceInRun("binary", () => spend("build", build)).then(() => BINARY);
}

async function build(): Promise<void> {
  // Test files run in parallel: one builds, the others wait
  await Deno.mkdir(`${PROJECT}/dist`, { recursive: true });
  using lock = await Deno.open(`${PROJECT}/dist/.build-lock`, { write: true, create: true });
  await lock.lock(true);
  const isNew = `project=$1; . "$1/scripts/lib.sh"; build_is_new`;
  const { success } = await new Deno.Command("sh", { args: ["-c", isNew, "sh", PROJECT] }).output();
  if (!success) await run([Deno.execPath(), "task", "build"], { cwd: PROJECT });
}

/**
 * Environment with which tests start the binary. Root unpacks it where everybody can read it, as the demo must once it has
 * given up root; for anybody else it would unpack itself again in every home that a test makes up.
 */
export const BINARY_ENV: Readonly<Record<string, string>> = Deno.uid() === 0
  ? {}
  : { KVMM_CACHE_DIR: `${PROJECT}/dist/unpacked` };
