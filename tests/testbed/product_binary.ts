/** The product as one file, built when its sources changed. */
import { fileURLToPath } from "node:url";
import { run } from "./process.ts";

/** Folder of the project. */
export const PROJECT = fileURLToPath(new URL("../../", import.meta.url)).replace(/\/$/, "");
/** The one file. */
export const BINARY = `${PROJECT}/dist/kvm-manager`;

/** Builds it, unless it is newer than everything it is made of: the one rule for that is in scripts/lib.sh. */
export async function buildBinary(): Promise<string> {
  // Test files run beside each other: one builds, the others wait
  await Deno.mkdir(`${PROJECT}/dist`, { recursive: true });
  using lock = await Deno.open(`${PROJECT}/dist/.build-lock`, { write: true, create: true });
  await lock.lock(true);
  const isNew = `project=$1; . "$1/scripts/lib.sh"; build_is_new`;
  const { success } = await new Deno.Command("sh", { args: ["-c", isNew, "sh", PROJECT] }).output();
  if (!success) await run([Deno.execPath(), "task", "build"], { cwd: PROJECT });
  return BINARY;
}
