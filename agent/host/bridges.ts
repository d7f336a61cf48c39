/** Bridges of the machine we run on. */
import { isLocal } from "./local.ts";

const FOLDER = "/sys/class/net";

/** Names of this machine's bridges; undefined for another's, which cannot be seen. Source: the kernel's sysfs. */
export async function hostBridges(uri: string): Promise<Set<string> | undefined> {
  if (!isLocal(uri)) return undefined;
  const found = new Set<string>();
  for await (const { name } of Deno.readDir(FOLDER)) {
    try {
      await Deno.stat(`${FOLDER}/${name}/bridge`);
      found.add(name);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return found;
}
